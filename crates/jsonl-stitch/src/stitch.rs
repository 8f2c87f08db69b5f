//! Stitching: the smallest change of ids after which a loader shows the whole history.
//!
//! A compaction leaves the history before it in the file but cuts the chain of parents that leads there. A [`Stitch`] says
//! which rows get another parent or another id, and which segment the last boundary is to preserve. It is planned from the
//! [`Index`](crate::Index) alone; a second pass over the file turns it into edits of bytes.

mod edit;
mod forest;
mod ids;
mod outcome;
mod plan;
mod rows;
mod segment;
mod weave;

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

pub(crate) use edit::missing_ending;
pub use edit::{Edit, EditError};
pub use ids::LeftAlone;
pub(crate) use outcome::edited;
pub use plan::NoStitch;

use rows::RowEdits;

use crate::load::Limits;
use crate::{Index, RowNo, growth};

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
    /// The row's parent is not there, or comes later: the row before it is a guess.
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

/// Which rows change, and how.
#[derive(Debug)]
pub(crate) struct Stitch {
    /// The name of the transcript's file, without `.jsonl`.
    stem: String,
    rows: RowEdits,
    segment: Segment,
    pub(crate) left_alone: LeftAlone,
}

/// A row that hangs on another from now on.
struct NewParent {
    row: RowNo,
    parent: RowNo,
    why: EditKind,
}

/// The segment that a boundary is to preserve.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// The boundary; the row behind the last is one that is appended.
    boundary: RowNo,
    head: RowNo,
    tail: RowNo,
    anchor: Option<RowNo>,
}

/// The file as it will be: a stitch must still be one in the file that it leaves. It only ever gets worse, so that a
/// stitch of a file at the limit, now big and now small, comes to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outlook {
    /// Whether the file is too big to be read whole, before or after the edits.
    is_big: bool,
    /// How many bytes longer it gets from the boundary on.
    from_boundary: u64,
}

/// What makes a transcript whole, and the edits that do so. `stem` is the name of its file without `.jsonl`;
/// `open` gives the file that was indexed.
pub(crate) fn stitch<R: Read>(
    index: &Index,
    stem: &str,
    options: Options,
    limits: Limits,
    mut open: impl FnMut() -> io::Result<R>,
) -> Result<Result<(Stitch, Vec<Edit>), NoStitch>, EditError> {
    let mut outlook = Outlook::before(index, limits);
    loop {
        let stitch = match plan::plan(index, stem, options, limits, outlook) {
            Ok(stitch) => stitch,
            Err(none) => return Ok(Err(none)),
        };
        let edits = stitch.edits(index, open()?)?;
        // The edits themselves may make a file big, or put its boundary out of reach: then it takes other edits.
        let after = outlook.after(&stitch, index, limits, &edits);
        let boundary = plan::boundary(index, options, limits, after);
        if after.is_big == outlook.is_big && boundary == Ok(stitch.segment.boundary) {
            return Ok(Ok((stitch, edits)));
        }
        outlook = after;
    }
}

/// The rows that would be preserved, if there is a way to preserve any.
pub(crate) fn chain(index: &Index, stem: &str, limits: Limits) -> Option<Vec<RowNo>> {
    plan::chain(index, stem, Options::default(), limits).ok()
}

impl Outlook {
    fn before(index: &Index, limits: Limits) -> Self {
        Self { is_big: index.size() > limits.big, from_boundary: 0 }
    }

    fn after(self, stitch: &Stitch, index: &Index, limits: Limits, edits: &[Edit]) -> Self {
        let boundary = stitch.segment.boundary;
        let start = if boundary < index.len() { index.offset(boundary) } else { index.size() };
        let growth = |edits: &[Edit]| growth(edits.iter().map(|edit| &edit.splice));
        let behind = edits.partition_point(|edit| edit.splice.offset < start);
        let longer = u64::try_from(growth(&edits[behind..])).unwrap_or_default();
        let size = index.size().saturating_add_signed(growth(edits));
        Self { is_big: self.is_big || size > limits.big, from_boundary: self.from_boundary.max(longer) }
    }
}
