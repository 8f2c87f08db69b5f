//! Taking parallel tool results into the chain.

use crate::branch::Branches;
use crate::{Index, RowNo};

/// The chain, root-most row first, with the parallel rows that it passes by put where their lines are.
pub(super) fn weave(index: &Index, chain: &[RowNo], end: RowNo) -> Vec<RowNo> {
    let Some(&head) = chain.first() else { return Vec::new() };
    let on_chain = super::forest::set(index, chain.iter().copied());
    let branches = Branches::of(index, &on_chain, head);
    (head..end).filter(|&row| on_chain.contains(row) || branches.is_parallel(row)).collect()
}
