//! Layer 1: which bytes a loader reads.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Limits, Loader};
use crate::{Flags, Index, RowNo};

/// How a loader decides which bytes it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// All of them.
    None,
    /// All of them, because a preserved segment keeps what lies before the last boundary.
    Preserved,
    /// From the last boundary on.
    Compaction,
    /// The last 50 MiB.
    Tail,
}

/// What a loader reads of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRange {
    /// How that was decided.
    pub strategy: Strategy,
    /// The first row that is read whole.
    pub from: RowNo,
    /// A row that is read only in part, and so is lost.
    pub partial: Option<RowNo>,
    /// Whether a last line without an ending is read.
    pub unterminated: bool,
    /// Whether the window in which the last boundary is looked for begins inside a character.
    pub window_cuts: bool,
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Preserved => "preserved",
            Self::Compaction => "compaction",
            Self::Tail => "tail",
        })
    }
}

pub(super) fn read_range(index: &Index, loader: Loader, limits: Limits) -> ReadRange {
    let all = |strategy, unterminated| ReadRange {
        strategy,
        from: 0,
        partial: None,
        unterminated,
        window_cuts: false,
    };
    let size = index.size();
    if size <= limits.big {
        return all(Strategy::None, false);
    }
    match last_boundary_in_reach(index, Flags::BOUNDARY, limits) {
        Some(row) if index.is(row, Flags::SEGMENT) => {
            all(if loader == Loader::V1 { Strategy::None } else { Strategy::Preserved }, true)
        }
        // The bytes after it are fewer than the limit: the window is.
        Some(row) => ReadRange { from: row + 1, ..all(Strategy::Compaction, true) },
        None => tail(index, size - limits.big, &all(Strategy::Tail, true)),
    }
}

/// The last row with one of these flags whose line lies in the window, spelled as loaders look for it. A line that the
/// window cuts is none.
pub(crate) fn last_boundary_in_reach(index: &Index, wanted: Flags, limits: Limits) -> Option<RowNo> {
    let start = index.size() - limits.window.min(index.size());
    let in_window = |&row: &RowNo| index.offset(row) >= start;
    let is_seen = |&row: &RowNo| index.is(row, wanted) && index.is(row, Flags::LITERAL | Flags::DISABLED);
    index.rows().rev().take_while(in_window).find(is_seen)
}

/// The last bytes of a file. The first line of the range is dropped, even if it is whole.
fn tail(index: &Index, start: u64, all: &ReadRange) -> ReadRange {
    let first = index.first_row_from(start);
    let whole = first < index.len() && index.offset(first) == start;
    let partial = if whole { Some(first) } else { first.checked_sub(1).filter(|_| start < index.size()) };
    ReadRange { from: if whole { first + 1 } else { first }, partial, ..all.clone() }
}
