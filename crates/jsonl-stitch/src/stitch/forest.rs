//! Where every row hangs once the history is whole: its own parent where that is sound, a new one where a compaction or a
//! gap cut it off.
//!
//! Every row hangs on a row before it, so there is no cycle. The forest is grown row by row from the first; at a
//! compaction it must say whether one row comes from another, which skip pointers answer in logarithmic time.

use super::EditKind;
use super::rows::Found;
use crate::{Flags, Index, RowNo};

/// Where every row hangs.
#[derive(Debug)]
pub(super) struct Forest<'a> {
    index: &'a Index,
    join_roots: bool,
    edits: &'a Found,
    places: Vec<Place>,
    /// The nearest row before the next one that has a uuid and is not a subagent's.
    near: Option<RowNo>,
    /// Whether a compaction has come since, or is it.
    compacted: bool,
}

/// Where a row hangs.
#[derive(Debug, Clone, Copy)]
struct Place {
    parent: RowNo,
    /// A row further up.
    skip: RowNo,
    depth: u32,
    /// Why it is not where the row itself says.
    why: Option<EditKind>,
}

const NOWHERE: RowNo = RowNo::MAX;

/// Rows at which the history was compacted, whatever became of their subtype.
const COMPACTION: Flags = Flags::BOUNDARY.union(Flags::DISABLED);

impl<'a> Forest<'a> {
    /// The forest of all rows before `end`, those that have been given a parent already being its children.
    pub(super) fn grow(index: &'a Index, end: RowNo, join_roots: bool, edits: &'a Found) -> Self {
        let places = Vec::with_capacity(end as usize);
        let mut forest = Self { index, join_roots, edits, places, near: None, compacted: false };
        for row in 0..end {
            let has_uuid = index.uuid(row).is_some();
            let place = if has_uuid { forest.hang(row) } else { None };
            forest.push(place);
            if has_uuid && !index.is(row, Flags::SIDECHAIN) {
                forest.near = Some(row);
                forest.compacted = false;
            }
            forest.compacted |= index.is(row, COMPACTION);
        }
        forest
    }

    /// Where the chain ends that leads to `boundary`, the row behind the last of this forest.
    pub(super) fn tail(&self, boundary: RowNo) -> Option<RowNo> {
        self.logical(boundary).or(self.near)
    }

    /// The row that a row hangs on, and why if the row does not say so itself.
    pub(super) fn parent(&self, row: RowNo) -> Option<(RowNo, Option<EditKind>)> {
        let place = self.places[row as usize];
        (place.parent != NOWHERE).then_some((place.parent, place.why))
    }

    /// The rows from the root to `tail`.
    pub(super) fn chain(&self, tail: RowNo) -> Vec<RowNo> {
        let up = |&row: &RowNo| self.parent(row).map(|(parent, _)| parent);
        let mut chain: Vec<RowNo> = std::iter::successors(Some(tail), up).collect();
        chain.reverse();
        chain
    }

    fn hang(&self, row: RowNo) -> Option<(RowNo, Option<EditKind>)> {
        if let Some((parent, why)) = self.edits.get(&row).and_then(|edit| edit.parent) {
            return Some((parent, Some(why)));
        }
        if let Some(parent) = self.index.parent_row(row) {
            return Some((parent, None));
        }
        let (parent, why) = match self.index.parent(row) {
            _ if self.index.is(row, COMPACTION) => (self.logical(row).or(self.near), EditKind::Link),
            Some(_) => (self.near, EditKind::Gap),
            None if self.compacted => (self.near, EditKind::Link),
            None if self.join_roots => (self.near, EditKind::Join),
            None => return None,
        };
        Some((parent?, Some(why)))
    }

    /// The logical parent of a compaction, unless the nearest row comes from it: that one keeps more. Of rows that share
    /// its id it is the first, because the others lose it: a second stitch must not understand anything else.
    fn logical(&self, boundary: RowNo) -> Option<RowNo> {
        let named = self.index.logical_parent(boundary)?;
        let target = self.index.rows_of(named).first().copied().filter(|&row| row < boundary)?;
        let is_behind = self.near.is_some_and(|near| self.comes_from(near, target));
        (!is_behind).then_some(target)
    }

    /// Whether `row` is `ancestor` or hangs on it, at any distance.
    fn comes_from(&self, mut row: RowNo, ancestor: RowNo) -> bool {
        while row > ancestor {
            let place = self.places[row as usize];
            row = match (place.skip, place.parent) {
                (skip, _) if skip != NOWHERE && skip >= ancestor => skip,
                (_, NOWHERE) => return false,
                (_, parent) => parent,
            };
        }
        row == ancestor
    }

    fn push(&mut self, place: Option<(RowNo, Option<EditKind>)>) {
        let Some((parent, why)) = place else {
            self.places.push(Place { parent: NOWHERE, skip: NOWHERE, depth: 0, why: None });
            return;
        };
        let above = self.places[parent as usize];
        let depth = |row: RowNo| if row == NOWHERE { 0 } else { self.places[row as usize].depth };
        // Two skips of one length make one of the double length: the way up is logarithmic.
        let further = if above.skip == NOWHERE { NOWHERE } else { self.places[above.skip as usize].skip };
        let doubles =
            further != NOWHERE && above.depth - depth(above.skip) == depth(above.skip) - depth(further);
        let skip = if doubles { further } else { parent };
        self.places.push(Place { parent, skip, depth: above.depth + 1, why });
    }
}
