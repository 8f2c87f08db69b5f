//! Repair of ids that several rows have.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::EditKind;
use super::rows::Found;
use crate::{Id, Index, RowNo};

/// What was seen on the way and is left as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftAlone {
    /// Ids that several rows share, none of them on the chain.
    pub shared_ids: u64,
    /// Logical parents that meant a row which gets a fresh id: they go on naming the first with the old one.
    pub logical_parents: u64,
}

/// Gives fresh ids to the later rows of every id that is on the chain and not alone, and points the rows that come from
/// them there. A pointer follows the order of writing: it goes to the last row with its id before it.
///
/// The parent of `boundary` stays as it is: no loader follows it.
pub(super) fn repair(index: &Index, chain: &[RowNo], boundary: RowNo, edits: &mut Found) -> LeftAlone {
    let ids = chain.iter().filter_map(|&row| index.uuid(row));
    let shared: HashSet<Id> = ids.filter(|&id| index.rows_of(id).len() > 1).collect();
    for &id in &shared {
        for (ordinal, &row) in (0..).zip(index.rows_of(id)).skip(1) {
            edits.entry(row).or_default().fresh = Some(ordinal);
        }
    }
    // The row meant by a row that names this id, if that gets a fresh one.
    let renamed = |row: RowNo, id: Option<Id>| {
        let id = id.filter(|id| shared.contains(id))?;
        index.last_before(row, id).filter(|found| index.rows_of(id).first() != Some(found))
    };
    for row in index.rows().filter(|&row| row != boundary) {
        if let Some(parent) = renamed(row, index.parent(row)) {
            edits.entry(row).or_default().parent.get_or_insert((parent, EditKind::Repoint));
        }
    }
    let meant = index.compactions().filter(|&row| renamed(row, index.logical_parent(row)).is_some());
    LeftAlone {
        shared_ids: index.shared_ids().filter(|id| !shared.contains(id)).count() as u64,
        logical_parents: meant.count() as u64,
    }
}
