//! Where every row hangs once the history is whole: its own parent where that is sound, a new one where a compaction or a
//! gap cut it off.
//!
//! Every row hangs on a row before it, so there is no cycle. The forest is grown row by row from the first; at a
//! compaction it must say whether one row comes from another, which skip pointers answer in logarithmic time.

use crate::bits::RowSet;
use crate::{Flags, Index, RowNo};

/// Why a row hangs where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hop {
    /// It says so itself.
    Own,
    /// A compaction cut it off from what came before.
    Link,
    /// Its parent is not in the file, or comes after it: the row before it is a guess.
    Gap,
    /// It began a new history, and was asked to be joined to the one before.
    Join,
}

/// Where a row hangs.
#[derive(Debug, Clone, Copy)]
struct Place {
    parent: RowNo,
    skip: RowNo,
    depth: u32,
    hop: Hop,
}

/// Where every row hangs.
#[derive(Debug)]
pub(crate) struct Forest<'a> {
    index: &'a Index,
    join_roots: bool,
    places: Vec<Place>,
    /// The nearest row before the next one that has a uuid and is not a subagent's.
    near: Option<RowNo>,
    /// Whether a compaction has come since.
    compacted: bool,
}

const NOWHERE: RowNo = RowNo::MAX;

/// Rows at which the history was compacted, whatever became of their subtype.
const COMPACTION: Flags = Flags::BOUNDARY.union(Flags::DISABLED);

impl<'a> Forest<'a> {
    /// The forest of all rows before `end`.
    pub(crate) fn grow(index: &'a Index, end: RowNo, join_roots: bool) -> Self {
        let places = Vec::with_capacity(end as usize);
        let mut forest = Self { index, join_roots, places, near: None, compacted: false };
        for row in 0..end {
            let place = forest.hang(row).filter(|_| index.uuid(row).is_some());
            forest.push(place);
            if index.uuid(row).is_some() && !index.is(row, Flags::SIDECHAIN) {
                forest.near = Some(row);
                forest.compacted = false;
            }
            forest.compacted |= index.is(row, COMPACTION);
        }
        forest
    }

    /// Where the chain ends that leads to the compaction at the end of this forest.
    pub(crate) fn tail(&self, boundary: Option<RowNo>) -> Option<RowNo> {
        boundary.and_then(|row| self.logical(row)).or(self.near)
    }

    /// The row that a row hangs on.
    pub(crate) fn parent(&self, row: RowNo) -> Option<(RowNo, Hop)> {
        let place = self.places[row as usize];
        (place.parent != NOWHERE).then_some((place.parent, place.hop))
    }

    fn hang(&self, row: RowNo) -> Option<(RowNo, Hop)> {
        if let Some(parent) = self.index.parent_row(row) {
            return Some((parent, Hop::Own));
        }
        if self.index.is(row, COMPACTION) {
            return Some((self.logical(row).or(self.near)?, Hop::Link));
        }
        let hop = match self.index.parent(row) {
            Some(_) => Hop::Gap,
            None if self.compacted => Hop::Link,
            None if self.join_roots => Hop::Join,
            None => return None,
        };
        Some((self.near?, hop))
    }

    /// The logical parent of a compaction, if it is not behind the nearest row anyway: then that one keeps more.
    fn logical(&self, boundary: RowNo) -> Option<RowNo> {
        let target = self.index.last_before(boundary, self.index.logical_parent(boundary)?)?;
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

    fn push(&mut self, place: Option<(RowNo, Hop)>) {
        let Some((parent, hop)) = place else {
            self.places.push(Place { parent: NOWHERE, skip: NOWHERE, depth: 0, hop: Hop::Own });
            return;
        };
        let above = self.places[parent as usize];
        let depth = |row: RowNo| if row == NOWHERE { 0 } else { self.places[row as usize].depth };
        // Two skips of one length make one of the double length: the way up is logarithmic.
        let further = if above.skip == NOWHERE { NOWHERE } else { self.places[above.skip as usize].skip };
        let doubles = further != NOWHERE && above.depth - depth(above.skip) == depth(above.skip) - depth(further);
        let skip = if doubles { further } else { parent };
        self.places.push(Place { parent, skip, depth: above.depth + 1, hop });
    }
}

/// The rows from `tail` up to its root, each with the reason why it hangs on the next.
pub(crate) fn chain(forest: &Forest<'_>, tail: RowNo) -> Vec<(RowNo, Option<Hop>)> {
    let mut rows = Vec::new();
    let mut at = Some(tail);
    while let Some(row) = at {
        let above = forest.parent(row);
        rows.push((row, above.map(|(_, hop)| hop)));
        at = above.map(|(parent, _)| parent);
    }
    rows
}

/// The same rows as a set.
pub(crate) fn set(index: &Index, chain: impl IntoIterator<Item = RowNo>) -> RowSet {
    let mut set = RowSet::with_room_for(index.len());
    chain.into_iter().for_each(|row| set.insert(row));
    set
}
