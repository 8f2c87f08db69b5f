//! What becomes of a row.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Branch;

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is shown.
    Shown,
    /// No loader shows rows of its kind, and it is no loss.
    Hidden(Hidden),
    /// It should be shown and is not.
    Lost(Loss),
}

/// Why a row is never shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hidden {
    /// Its type is not one that is shown.
    Type,
    /// It is the summary of a compaction.
    Summary,
    /// It is visible in the transcript only.
    TranscriptOnly,
    /// It is the last boundary itself.
    LastBoundary,
}

/// Why a row is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// The loader begins to read after it, at the last boundary.
    UnreadBeforeOffset,
    /// The loader begins to read after it, a fixed distance from the end.
    UnreadBeforeTail,
    /// The loader begins to read in it, or drops it as the first line of what it reads.
    PartialFirstLine,
    /// It is the last line and has no line ending.
    UnterminatedLastLine,
    /// It is not well-formed JSON.
    BadJson,
    /// It lies before the last boundary, and no boundary has a segment.
    NoSegment,
    /// It lies before the last boundary, and only an older boundary has a segment.
    StaleSegment,
    /// It lies before the last boundary, and the walk over its segment failed.
    WalkFailed,
    /// The segment's chain does not pass it.
    OffChain(Branch),
}

impl Hidden {
    /// Its name in reports.
    pub fn code(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Summary => "summary",
            Self::TranscriptOnly => "transcript-only",
            Self::LastBoundary => "last-boundary",
        }
    }
}

impl Loss {
    /// Its name in reports.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnreadBeforeOffset => "unread-before-offset",
            Self::UnreadBeforeTail => "unread-before-tail",
            Self::PartialFirstLine => "partial-first-line",
            Self::UnterminatedLastLine => "unterminated-last-line",
            Self::BadJson => "bad-json",
            Self::NoSegment => "cut/no-segment",
            Self::StaleSegment => "cut/stale-segment",
            Self::WalkFailed => "cut/walk-failed",
            Self::OffChain(Branch::NoUuid) => "off-chain/no-uuid",
            Self::OffChain(Branch::DuplicateCopy) => "off-chain/duplicate-copy",
            Self::OffChain(Branch::Parallel) => "off-chain/parallel",
            Self::OffChain(Branch::Abandoned) => "off-chain/abandoned",
            Self::OffChain(Branch::OtherRoot) => "off-chain/other-root",
            Self::OffChain(Branch::Sidechain) => "off-chain/sidechain",
            Self::OffChain(Branch::AboveHead) => "off-chain/above-head",
        }
    }
}

impl Fate {
    /// Its name in reports.
    pub fn code(self) -> &'static str {
        match self {
            Self::Shown => "loaded",
            Self::Hidden(why) => why.code(),
            Self::Lost(why) => why.code(),
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
