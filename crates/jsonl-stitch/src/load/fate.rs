//! What became of every row, with reasons.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bytes::{ReadRange, Strategy};
use super::chain::WalkFailure;
use super::rows::{Kept, Rows};
use super::Loader;
use crate::branch::{Branch, Branches};
use crate::fresh::FreshIds;
use crate::{Flags, Index, RowNo};

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
    /// The loader begins to read after it, 50 MiB from the end.
    UnreadBeforeTail,
    /// The loader begins to read in it, or drops the first line of what it reads.
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

/// How many rows, and between which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// How many rows.
    pub rows: u64,
    /// The line of the first.
    pub first_line: u64,
    /// The line of the last.
    pub last_line: u64,
}

/// What a loader would show of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The loader.
    pub loader: Loader,
    /// How it decides which bytes to read.
    pub strategy: Strategy,
    /// How many rows it shows.
    pub shown: u64,
    /// How many it should show: all but those that are hidden by design.
    pub of: u64,
    /// How many rows are hidden by design, by reason.
    pub hidden: BTreeMap<Hidden, u64>,
    /// Which rows are lost, by reason.
    pub lost: BTreeMap<Loss, Extent>,
    /// Why the walk over the segment failed.
    pub walk: Option<WalkFailure>,
    /// Rows that the newest builds show again as user rows, counted apart.
    pub queued_commands: u64,
    /// Whether the window in which the last boundary is looked for may begin inside a character: the row after the
    /// boundary may then be unreadable.
    pub window_may_drift: bool,
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
            Self::OffChain(branch) => branch.code(),
        }
    }

    /// Whether a stitch could never bring such a row back: it leads nowhere, or is no row at all.
    pub fn is_beyond_stitching(self) -> bool {
        matches!(self, Self::OffChain(_) | Self::BadJson)
    }
}

impl Branch {
    fn code(self) -> &'static str {
        match self {
            Self::NoUuid => "off-chain/no-uuid",
            Self::DuplicateCopy => "off-chain/duplicate-copy",
            Self::Parallel => "off-chain/parallel",
            Self::Abandoned => "off-chain/abandoned",
            Self::OtherRoot => "off-chain/other-root",
            Self::Sidechain => "off-chain/sidechain",
            Self::AboveHead => "off-chain/above-head",
        }
    }
}

impl Load {
    /// Whether everything that should be shown is shown.
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty()
    }

    /// Whether rows are lost that a stitch could bring back.
    pub fn wants_stitch(&self) -> bool {
        self.lost.keys().any(|loss| !loss.is_beyond_stitching())
    }

    /// What the application adds to its log line about this session.
    pub fn log_suffix(&self) -> &'static str {
        match self.strategy {
            Strategy::Tail => " (truncated via tail)",
            Strategy::Compaction => " (truncated via compaction)",
            Strategy::None | Strategy::Preserved => "",
        }
    }
}

pub(super) fn report(index: &Index, stem: &str, loader: Loader, read: &ReadRange, rows: &Rows) -> Load {
    let fates = Fates::new(index, stem, read, rows);
    let mut load = Load {
        loader,
        strategy: read.strategy,
        shown: 0,
        of: 0,
        hidden: BTreeMap::new(),
        lost: BTreeMap::new(),
        walk: if let Kept::Failed(failure) = rows.kept { Some(failure) } else { None },
        queued_commands: 0,
        window_may_drift: read.strategy == Strategy::Compaction,
    };
    for row in index.rows() {
        load.queued_commands += u64::from(index.is(row, Flags::QUEUED_COMMAND));
        match fates.of(row) {
            Fate::Hidden(why) => *load.hidden.entry(why).or_default() += 1,
            Fate::Shown => load.shown += 1,
            Fate::Lost(why) => {
                let line = index.line(row);
                let nothing = Extent { rows: 0, first_line: line, last_line: line };
                let extent = load.lost.entry(why).or_insert(nothing);
                extent.rows += 1;
                extent.last_line = line;
            }
        }
    }
    load.of = load.shown + load.lost.values().map(|extent| extent.rows).sum::<u64>();
    load
}

/// Says what becomes of a row.
struct Fates<'a> {
    index: &'a Index,
    read: &'a ReadRange,
    rows: &'a Rows,
    last_boundary: Option<RowNo>,
    branches: Option<(Branches<'a>, FreshIds)>,
}

impl<'a> Fates<'a> {
    fn new(index: &'a Index, stem: &str, read: &'a ReadRange, rows: &'a Rows) -> Self {
        let last_boundary = index.last_boundary();
        let head = last_boundary.and_then(|row| index.segment(row)?.head);
        let head = head.and_then(|id| index.rows_of(id).first().copied());
        let branches = match (&rows.kept, head) {
            (Kept::Rows(chain), Some(head)) if rows.cut > 0 => {
                Some((Branches::of(index, chain, head), FreshIds::find(index, stem)))
            }
            _ => None,
        };
        Self { index, read, rows, last_boundary, branches }
    }

    fn of(&self, row: RowNo) -> Fate {
        let flags = self.index.flags(row);
        let unread_end = flags.contains(Flags::UNTERMINATED) && !self.read.unterminated;
        if flags.contains(Flags::BAD_JSON) {
            return Fate::Lost(if unread_end { Loss::UnterminatedLastLine } else { Loss::BadJson });
        }
        if let Some(why) = hidden(flags) {
            return Fate::Hidden(why);
        }
        let loss = if row < self.read.from {
            Some(self.unread(row))
        } else if unread_end {
            Some(Loss::UnterminatedLastLine)
        } else if row < self.rows.cut {
            self.cut(row)
        } else {
            None
        };
        match loss {
            None => Fate::Shown,
            Some(Loss::UnterminatedLastLine) => Fate::Lost(Loss::UnterminatedLastLine),
            Some(_) if self.last_boundary == Some(row) => Fate::Hidden(Hidden::LastBoundary),
            Some(loss) => Fate::Lost(loss),
        }
    }

    fn unread(&self, row: RowNo) -> Loss {
        match self.read.strategy {
            _ if self.read.partial == Some(row) => Loss::PartialFirstLine,
            Strategy::Tail => Loss::UnreadBeforeTail,
            _ => Loss::UnreadBeforeOffset,
        }
    }

    /// Why a row before the cut is lost, unless the segment keeps it.
    fn cut(&self, row: RowNo) -> Option<Loss> {
        match &self.rows.kept {
            Kept::Rows(kept) if kept.contains(row) => None,
            Kept::Rows(_) => {
                let class = self.branches.as_ref().map(|(branches, fresh)| branches.class(row, fresh));
                Some(Loss::OffChain(class.unwrap_or(Branch::OtherRoot)))
            }
            Kept::NoSegment => Some(Loss::NoSegment),
            Kept::Stale => Some(Loss::StaleSegment),
            Kept::Failed(_) => Some(Loss::WalkFailed),
        }
    }
}

fn hidden(flags: Flags) -> Option<Hidden> {
    if !flags.contains(Flags::VISIBLE) {
        Some(Hidden::Type)
    } else if flags.contains(Flags::SUMMARY) {
        Some(Hidden::Summary)
    } else if flags.contains(Flags::TRANSCRIPT_ONLY) {
        Some(Hidden::TranscriptOnly)
    } else {
        None
    }
}
