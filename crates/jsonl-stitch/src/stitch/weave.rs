//! Taking parallel tool results into the chain.

use super::forest::Forest;
use super::{EditKind, NewParent};
use crate::bits::RowSet;
use crate::branch::Branches;
use crate::{Index, RowNo};

/// The chain, root-most row first, with the parallel rows that it passes by put where their lines are. Whoever gets
/// another neighbour is edited.
pub(super) fn weave(
    index: &Index,
    stem: &str,
    forest: &Forest<'_>,
    chain: Vec<RowNo>,
    end: RowNo,
    found: &mut Vec<NewParent>,
) -> Vec<RowNo> {
    let Some(&head) = chain.first() else { return chain };
    let mut on_chain = RowSet::with_room_for(index.len());
    for &row in &chain {
        on_chain.insert(row);
    }
    let branches = Branches::of(index, stem, on_chain.clone(), None);
    let woven: Vec<RowNo> =
        (head..end).filter(|&row| on_chain.contains(row) || branches.is_parallel(row)).collect();
    for pair in woven.windows(2).filter(|_| woven.len() > chain.len()) {
        if forest.parent(pair[1]).map(|(parent, _)| parent) != Some(pair[0]) {
            found.push(NewParent { row: pair[1], parent: pair[0], why: EditKind::Weave });
        }
    }
    woven
}
