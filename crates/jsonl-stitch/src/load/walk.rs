//! The walk over a preserved segment, exactly as the loaders do it.

use std::fmt;

use super::layer1::ReadRange;
use crate::bits::RowSet;
use crate::{Id, Index, RowNo};

/// Why the walk from a segment's tail did not reach its head. Then nothing is kept at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalkFailure {
    /// The segment names no tail.
    NoTail,
    /// No row that is read has this uuid.
    MissingUuid {
        /// The uuid.
        uuid: String,
        /// The line that names it as its parent; `None` if the segment names it as its tail.
        named_by: Option<u64>,
    },
    /// This uuid is used, perhaps again, at or after the last boundary.
    AtOrAfterBoundary {
        /// The uuid.
        uuid: String,
        /// The line that has it there.
        line: u64,
    },
    /// This row is not the head and has no parent.
    NullParent {
        /// Its uuid.
        uuid: String,
        /// Its line.
        line: u64,
    },
    /// The walk came to this row a second time.
    Cycle {
        /// Its uuid.
        uuid: String,
        /// Its line.
        line: u64,
    },
}

impl fmt::Display for WalkFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTail => write!(f, "no tail"),
            Self::MissingUuid { uuid, named_by: None } => {
                write!(f, "missing uuid {uuid}, the segment's tail")
            }
            Self::MissingUuid { uuid, named_by: Some(line) } => {
                write!(f, "missing uuid {uuid}, the parent of line {line}")
            }
            Self::AtOrAfterBoundary { uuid, line } => {
                write!(f, "uuid {uuid} at or after last boundary, on line {line}")
            }
            Self::NullParent { uuid, line } => write!(f, "null parent at {uuid}, on line {line}"),
            Self::Cycle { uuid, line } => write!(f, "cycle at {uuid}, on line {line}"),
        }
    }
}

/// The rows that the segment of the boundary `last` keeps.
///
/// Ids decide, and of rows with the same id the last that is read: so a kept id keeps every row that has it.
pub(super) fn walk(index: &Index, last: RowNo, read: &ReadRange) -> Result<RowSet, WalkFailure> {
    let segment = index.segment(last).ok_or(WalkFailure::NoTail)?;
    let latest = |id: Id| index.rows_of(id).iter().rev().copied().find(|&row| read.reads(index, row));
    let text = |id: Id| String::from_utf8_lossy(&index.text(id)).into_owned();
    let mut kept = RowSet::with_room_for(index.len());
    let (mut id, mut named_by) = (segment.tail.ok_or(WalkFailure::NoTail)?, None);
    loop {
        let missing = || WalkFailure::MissingUuid { uuid: text(id), named_by };
        let row = latest(id).ok_or_else(missing)?;
        let (uuid, line) = (|| text(id), index.line(row));
        if kept.contains(row) {
            return Err(WalkFailure::Cycle { uuid: uuid(), line });
        }
        if row >= last {
            return Err(WalkFailure::AtOrAfterBoundary { uuid: uuid(), line });
        }
        index.rows_of(id).iter().for_each(|&row| kept.insert(row));
        if Some(id) == segment.head {
            return Ok(kept);
        }
        id = index.parent(row).ok_or_else(|| WalkFailure::NullParent { uuid: uuid(), line })?;
        named_by = Some(line);
    }
}
