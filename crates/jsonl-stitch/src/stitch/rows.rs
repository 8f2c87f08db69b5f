//! What changes in which rows: there may be hundreds of thousands, and they are in memory together with the whole index.

use std::collections::HashMap;
use std::ops::Range;

use super::EditKind;
use crate::RowNo;

/// What changes, while it is being found out. Nothing may depend on its order.
pub(super) type Found = HashMap<RowNo, RowEdit>;

/// What changes in a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RowEdit {
    /// Which occurrence of its id it is: it gets the fresh one.
    pub(super) fresh: Option<RowNo>,
    /// The row it hangs on from now on, and why.
    pub(super) parent: Option<(RowNo, EditKind)>,
    /// Whether it becomes a boundary again.
    pub(super) revert: bool,
}

/// What changes, in the order of the file.
#[derive(Debug)]
pub(super) struct RowEdits(Vec<(RowNo, RowEdit)>);

impl RowEdits {
    pub(super) fn of(found: Found) -> Self {
        let mut rows: Vec<(RowNo, RowEdit)> = found.into_iter().collect();
        rows.sort_unstable_by_key(|&(row, _)| row);
        Self(rows)
    }

    /// How many values change.
    pub(super) fn values(&self) -> usize {
        let values = |edit: &RowEdit| [edit.fresh.is_some(), edit.parent.is_some(), edit.revert];
        self.0.iter().flat_map(|(_, edit)| values(edit)).filter(|changes| *changes).count()
    }

    /// What changes in a row: nothing, in most.
    pub(super) fn get(&self, row: RowNo) -> RowEdit {
        let found = self.0.binary_search_by_key(&row, |&(row, _)| row);
        found.map(|at| self.0[at].1).unwrap_or_default()
    }

    /// The rows of a range in which something changes.
    pub(super) fn within(&self, range: &Range<RowNo>) -> impl Iterator<Item = RowNo> {
        let behind = |end: RowNo| self.0.partition_point(|&(row, _)| row < end);
        self.0[behind(range.start)..behind(range.end)].iter().map(|&(row, _)| row)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (RowNo, RowEdit)> {
        self.0.iter().copied()
    }
}
