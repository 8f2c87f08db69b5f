//! Stitching: the smallest change of ids after which a loader shows the whole history.
//!
//! A compaction leaves the history before it in the file but cuts the chain of parents that leads there. A [`Stitch`] says
//! which rows get another parent or another id, and which segment the last boundary is to preserve. It is made from the
//! [`Index`] alone; [`Stitch::edits`] turns it into edits of bytes, line by line.

mod edit;
mod forest;
mod ids;
mod plan;
mod segment;
mod weave;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use edit::{Edit, EditError, ending_only};
pub use forest::Hop;
pub use plan::{NoStitch, plan};

use crate::RowNo;

/// What may be asked of a stitch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Options {
    /// Let the segment name an anchor: on resume the model is then sent every row of the segment again.
    pub anchor: bool,
    /// Join histories that began anew to the one before.
    pub join_roots: bool,
    /// Leave parallel tool results beside the chain.
    pub no_weave: bool,
    /// Append a boundary at the end of the file, if the last one is out of the loaders' reach.
    pub move_anchor: bool,
}

/// Why a value is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EditKind {
    /// A compaction had cut the row off.
    Link,
    /// The row's parent is not there: the row before it is a guess.
    Gap,
    /// The row began a history of its own.
    Join,
    /// A parallel tool result is taken into the chain.
    Weave,
    /// The row's id is that of an earlier row, so it gets a fresh one.
    Fresh,
    /// The row's parent got a fresh id.
    Repoint,
    /// The last boundary preserves the chain.
    Segment,
    /// A boundary that had been disabled is one again.
    Revert,
    /// The last line gets an ending.
    Ending,
    /// A boundary is appended.
    Anchor,
}

/// What changes in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct RowEdit {
    /// Which occurrence of its id it is: it gets the fresh one.
    fresh: Option<u32>,
    /// The row it hangs on from now on, and why.
    parent: Option<(RowNo, Why)>,
    /// Whether it becomes a boundary again.
    revert: bool,
}

/// Why a parent changes: a small copy of [`EditKind`].
type Why = EditKind;

/// The segment that the last boundary is to preserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NewSegment {
    head: RowNo,
    tail: RowNo,
    anchor: Option<RowNo>,
}

/// Where a segment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Boundary {
    /// This row.
    Row(RowNo),
    /// A line to be appended.
    Appended,
}

/// Which rows change, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stitch {
    stem: String,
    rows: BTreeMap<RowNo, RowEdit>,
    segment: Option<(Boundary, NewSegment)>,
    ending: bool,
}

impl Stitch {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.segment.is_none() && !self.ending
    }
}
