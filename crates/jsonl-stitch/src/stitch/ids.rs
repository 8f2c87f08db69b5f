//! Repair of ids that several rows have.

use std::collections::{BTreeMap, HashSet};

use super::{EditKind, RowEdit};
use crate::{Id, Index, RowNo};

/// Gives fresh ids to the later rows of every id that is on the chain and not alone, and points the rows that come from
/// them there. A pointer follows the order of writing: it goes to the last row with its id before it.
pub(super) fn repair(index: &Index, chain: &[RowNo], boundary: Option<RowNo>, edits: &mut BTreeMap<RowNo, RowEdit>) {
    let shared: HashSet<Id> = chain
        .iter()
        .filter_map(|&row| index.uuid(row))
        .filter(|&id| index.rows_of(id).len() > 1)
        .collect();
    for &id in &shared {
        for (ordinal, &row) in index.rows_of(id).iter().enumerate().skip(1) {
            edits.entry(row).or_default().fresh = u32::try_from(ordinal).ok();
        }
    }
    for row in index.rows().filter(|&row| Some(row) != boundary) {
        let Some(id) = index.parent(row).filter(|id| shared.contains(id)) else { continue };
        let Some(parent) = index.last_before(row, id) else { continue };
        if index.rows_of(id).first() != Some(&parent) {
            edits.entry(row).or_default().parent.get_or_insert((parent, EditKind::Repoint));
        }
    }
}
