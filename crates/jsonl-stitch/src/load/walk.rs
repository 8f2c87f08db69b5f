//! The walk over a preserved segment, exactly as the loaders do it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bits::RowSet;
use crate::{Id, Index, RowNo};

/// Why the walk from a segment's tail did not reach its head. Then nothing is kept at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "cause", content = "line")]
pub enum WalkFailure {
    /// The segment names no tail.
    NoTail,
    /// The row at this line names a parent that no row has; line 0 is the segment itself.
    MissingUuid(u64),
    /// The id that the walk came to is used again at this line, at or after the last boundary.
    AtOrAfterBoundary(u64),
    /// The row at this line has no parent and is not the head.
    NullParent(u64),
    /// The walk came again to the row at this line.
    Cycle(u64),
}

impl fmt::Display for WalkFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTail => write!(f, "the segment names no tail"),
            Self::MissingUuid(0) => write!(f, "no row has the tail's uuid"),
            Self::MissingUuid(line) => write!(f, "no row has the uuid that line {line} names as its parent"),
            Self::AtOrAfterBoundary(line) => {
                write!(f, "the uuid of line {line}, at or after the last boundary, is on the way")
            }
            Self::NullParent(line) => write!(f, "line {line} has no parent"),
            Self::Cycle(line) => write!(f, "line {line} is its own ancestor"),
        }
    }
}

/// The rows that the segment of the boundary `last` keeps, among those from `from` on that were read.
///
/// Ids decide, and of rows with the same id the last: so a kept id keeps every row that has it.
pub(super) fn walk(
    index: &Index,
    last: RowNo,
    from: RowNo,
    is_read: impl Fn(&RowNo) -> bool,
) -> Result<RowSet, WalkFailure> {
    let segment = index.segment(last).ok_or(WalkFailure::NoTail)?;
    let latest = |id: Id| index.rows_of(id).iter().rev().copied().find(|row| *row >= from && is_read(row));
    let mut kept = RowSet::with_room_for(index.len());
    let (mut id, mut line) = (segment.tail.ok_or(WalkFailure::NoTail)?, 0);
    loop {
        let row = latest(id).ok_or(WalkFailure::MissingUuid(line))?;
        line = index.line(row);
        if kept.contains(row) {
            return Err(WalkFailure::Cycle(line));
        }
        if row >= last {
            return Err(WalkFailure::AtOrAfterBoundary(line));
        }
        index.rows_of(id).iter().for_each(|&row| kept.insert(row));
        if Some(id) == segment.head {
            return Ok(kept);
        }
        id = index.parent(row).ok_or(WalkFailure::NullParent(line))?;
    }
}
