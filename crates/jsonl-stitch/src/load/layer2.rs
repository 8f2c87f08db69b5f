//! Layer 2: which of the rows that were read a loader shows.

use super::Loader;
use super::layer1::{ReadRange, Strategy};
use super::walk::{WalkFailure, walk};
use crate::bits::RowSet;
use crate::{Flags, Index, RowNo};

/// What layer 2 makes of the rows that were read.
#[derive(Debug)]
pub(super) struct Rows {
    /// The rows from here on are shown by their place.
    pub(super) cut: RowNo,
    /// The last boundary that was read.
    pub(super) last: Option<RowNo>,
    /// The rows before it that are kept.
    pub(super) kept: Kept,
}

/// What a preserved segment keeps.
#[derive(Debug)]
pub(super) enum Kept {
    /// No boundary has a segment.
    NoSegment,
    /// One has, but not the last.
    Stale,
    /// The walk from its tail did not reach its head.
    Failed(WalkFailure),
    /// These rows.
    Rows(RowSet),
}

impl Rows {
    pub(super) fn of(index: &Index, read: &ReadRange, loader: Loader) -> Self {
        let boundaries =
            || index.rows().rev().filter(|&row| index.is(row, Flags::BOUNDARY) && read.reads(index, row));
        let last = boundaries().next();
        let with_segment = boundaries().find(|&row| index.is(row, Flags::SEGMENT));
        let kept = match (last, with_segment) {
            (_, None) | (None, _) => Kept::NoSegment,
            (Some(last), Some(row)) if row != last => Kept::Stale,
            (Some(last), Some(_)) => walk(index, last, read).map_or_else(Kept::Failed, Kept::Rows),
        };
        let hides = loader == Loader::V1 || read.strategy != Strategy::None;
        let cut = last.filter(|_| hides).map_or(0, |last| last + 1);
        Self { cut, last, kept }
    }
}
