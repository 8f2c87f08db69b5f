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
    /// From behind the last boundary.
    Compaction,
    /// As many of the last as a file may have that is read whole.
    Tail,
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

/// What a loader reads of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadRange {
    pub(super) strategy: Strategy,
    /// The first row that is read whole.
    pub(super) from: RowNo,
    /// The row before it: the range begins in it, or with it and the loader drops it.
    pub(super) partial: Option<RowNo>,
    /// Whether a last line without an ending is read.
    pub(super) unterminated: bool,
}

impl ReadRange {
    pub(super) fn of(index: &Index, loader: Loader, limits: Limits) -> Self {
        let whole = |strategy, unterminated| Self { strategy, from: 0, partial: None, unterminated };
        let size = index.size();
        if size <= limits.big {
            return whole(Strategy::None, false);
        }
        // A boundary is looked for by its letters; a line that the window cuts is none.
        let in_window = |&row: &RowNo| index.offset(row) >= size.saturating_sub(limits.window);
        match index.rows().rev().take_while(in_window).find(|&row| index.is(row, Flags::LITERAL)) {
            Some(row) if index.is(row, Flags::SEGMENT) => {
                whole(if loader == Loader::V1 { Strategy::None } else { Strategy::Preserved }, true)
            }
            // What follows it is shorter than the limit, because the window is.
            Some(row) => Self { from: row + 1, ..whole(Strategy::Compaction, true) },
            None => Self { strategy: Strategy::Tail, ..Self::tail(index, size - limits.big) },
        }
    }

    /// The last bytes of a file. The first line of the range is dropped, even if it is whole.
    fn tail(index: &Index, start: u64) -> Self {
        let first = index.first_row_from(start);
        let begins_a_line = first < index.len() && index.offset(first) == start;
        let partial = if begins_a_line { Some(first) } else { first.checked_sub(1) };
        let from = if begins_a_line { first + 1 } else { first };
        Self { strategy: Strategy::Tail, from, partial, unterminated: true }
    }

    pub(super) fn reads(&self, index: &Index, row: RowNo) -> bool {
        row >= self.from && (self.unterminated || !index.is(row, Flags::UNTERMINATED))
    }
}
