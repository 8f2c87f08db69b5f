//! What becomes of every row, with reasons.

use std::sync::OnceLock;

use super::layer1::{ReadRange, Strategy};
use super::layer2::{Kept, Rows};
use super::walk::WalkFailure;
use super::{Fate, Hidden, Limits, Loader, Loss};
use crate::bits::RowSet;
use crate::branch::Branches;
use crate::{Flags, Index, RowNo};

/// A transcript as a loader would show it.
#[derive(Debug)]
pub struct Simulation<'a> {
    index: &'a Index,
    stem: &'a str,
    loader: Loader,
    read: ReadRange,
    rows: Rows,
    /// Only rows that the chain passes by need it.
    branches: OnceLock<Branches<'a>>,
}

impl<'a> Simulation<'a> {
    /// Loads a transcript. `stem` is the name of its file without `.jsonl`: ids that a stitch gave anew are known by it.
    pub fn new(index: &'a Index, stem: &'a str, loader: Loader, limits: Limits) -> Self {
        let read = ReadRange::of(index, loader, limits);
        let rows = Rows::of(index, &read, loader);
        Self { index, stem, loader, read, rows, branches: OnceLock::new() }
    }

    /// The loader.
    pub fn loader(&self) -> Loader {
        self.loader
    }

    /// How it decides which bytes to read.
    pub fn strategy(&self) -> Strategy {
        self.read.strategy
    }

    /// Why the walk over the segment failed.
    pub fn walk_failure(&self) -> Option<&WalkFailure> {
        if let Kept::Failed(failure) = &self.rows.kept { Some(failure) } else { None }
    }

    /// What becomes of a row.
    pub fn fate(&self, row: RowNo) -> Fate {
        let flags = self.index.flags(row);
        if let Some(why) = hidden(flags) {
            Fate::Hidden(why)
        } else if flags.contains(Flags::UNTERMINATED) && !self.read.unterminated {
            Fate::Lost(Loss::UnterminatedLastLine)
        } else if flags.contains(Flags::BAD_JSON) {
            Fate::Lost(Loss::BadJson)
        } else if self.last_boundary() == Some(row) && row < self.rows.cut.max(self.read.from) {
            Fate::Hidden(Hidden::LastBoundary)
        } else {
            self.loss(row).map_or(Fate::Shown, Fate::Lost)
        }
    }

    /// The boundary at which the loader cuts: the last that it reads, or else the one behind which it begins to read.
    fn last_boundary(&self) -> Option<RowNo> {
        let behind = || self.read.from.checked_sub(1).filter(|_| self.read.strategy == Strategy::Compaction);
        self.rows.last.or_else(behind)
    }

    /// Why a row of a kind that is shown is lost.
    fn loss(&self, row: RowNo) -> Option<Loss> {
        if row >= self.read.from {
            return (row < self.rows.cut).then(|| self.cut(row)).flatten();
        }
        Some(match self.read.strategy {
            _ if self.read.partial == Some(row) => Loss::PartialFirstLine,
            Strategy::Tail => Loss::UnreadBeforeTail,
            _ => Loss::UnreadBeforeOffset,
        })
    }

    /// Why a row before the cut is lost, unless the segment keeps it.
    fn cut(&self, row: RowNo) -> Option<Loss> {
        match &self.rows.kept {
            Kept::Rows(kept) if kept.contains(row) => None,
            Kept::Rows(kept) => {
                let branches = self.branches.get_or_init(|| self.branches(kept));
                Some(Loss::OffChain(branches.class(row)))
            }
            Kept::NoSegment => Some(Loss::NoSegment),
            Kept::Stale => Some(Loss::StaleSegment),
            Kept::Failed(_) => Some(Loss::WalkFailed),
        }
    }

    fn branches(&self, kept: &RowSet) -> Branches<'a> {
        let head = self.rows.last.and_then(|last| self.index.segment(last)?.head);
        let head = head.and_then(|id| self.index.rows_of(id).first().copied());
        Branches::of(self.index, self.stem, kept.clone(), head)
    }
}

/// Why no loader ever shows a row of this kind. Of a line that is no JSON nobody knows its kind.
fn hidden(flags: Flags) -> Option<Hidden> {
    if flags.contains(Flags::BAD_JSON) {
        None
    } else if !flags.contains(Flags::VISIBLE) {
        Some(Hidden::Type)
    } else if flags.contains(Flags::SUMMARY) {
        Some(Hidden::Summary)
    } else if flags.contains(Flags::TRANSCRIPT_ONLY) {
        Some(Hidden::TranscriptOnly)
    } else {
        None
    }
}
