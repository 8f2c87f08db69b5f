//! Layer 2: which of the rows that were read a loader shows.

use super::bytes::{ReadRange, Strategy};
use super::chain::{WalkFailure, walk};
use super::Loader;
use crate::bits::RowSet;
use crate::{Flags, Index, RowNo};

/// What layer 2 made of the rows that were read.
#[derive(Debug)]
pub(super) struct Rows {
    /// The rows from here on are shown by their place.
    pub(super) cut: RowNo,
    /// The last boundary among the rows that were read.
    pub(super) last: Option<RowNo>,
    /// The rows that the preserved segment keeps, or why it keeps none.
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

pub(super) fn load(index: &Index, read: &ReadRange, loader: Loader) -> Rows {
    let is_read = |row: &RowNo| !(index.is(*row, Flags::UNTERMINATED) && !read.unterminated);
    let boundaries = || (read.from..index.len()).rev().filter(is_read).filter(|&row| index.is(row, Flags::BOUNDARY));
    let last = boundaries().next();
    let with_segment = boundaries().find(|&row| index.is(row, Flags::SEGMENT));
    let kept = match (last, with_segment) {
        (_, None) | (None, _) => Kept::NoSegment,
        (Some(last), Some(row)) if row != last => Kept::Stale,
        (Some(last), Some(_)) => match walk(index, last, read.from, is_read) {
            Ok(rows) => Kept::Rows(rows),
            Err(failure) => Kept::Failed(failure),
        },
    };
    let hides = loader == Loader::V1 || read.strategy != Strategy::None;
    let cut = last.filter(|_| hides).map_or(0, |last| last + 1);
    Rows { cut, last, kept }
}
