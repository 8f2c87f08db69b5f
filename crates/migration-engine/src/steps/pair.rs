//! Two files that exchange their places.

use std::path::{Path, PathBuf};

use durable_files::{Fingerprint, exchange, exchange_through, is_unsupported, publish_new, publish_over};

use super::files::{fingerprint_if_there, keep_in, move_into};
use crate::{Cx, Slot, StepError};

/// A file in use, and beside it the one that is to have its place or has had it.
///
/// They exchange their names; where the file system cannot do that, hard links do, through a third name. Killed there, the
/// file that was beside has the third name, and [`tidy`](Self::tidy) takes that back.
#[derive(Debug)]
pub(super) struct Pair {
    target: PathBuf,
    other: PathBuf,
    spare: PathBuf,
}

impl Pair {
    /// The names of a pair of which the second was given by [`Slot::beside`].
    pub(super) fn of(target: &Path, other: &Path) -> Self {
        Self { target: target.into(), other: other.into(), spare: other.with_extension("swap") }
    }

    /// The name of the file that is not in use, after [`tidy`](Self::tidy).
    pub(super) fn other(&self) -> &Path {
        &self.other
    }

    /// The name it has now: for those who only look.
    pub(super) fn found(&self) -> Result<&Path, StepError> {
        Ok(if fingerprint_if_there(&self.spare)?.is_some() { &self.spare } else { &self.other })
    }

    /// Takes back an exchange by links that was killed: in the middle of it, the file in use has both other names or one.
    pub(super) fn tidy(&self) -> Result<(), StepError> {
        if fingerprint_if_there(&self.spare)?.is_some() {
            publish_over(&self.spare, &self.other)?;
        }
        Ok(())
    }

    /// Exchanges the two, if what comes out is what was seen there before.
    pub(super) fn swap(&self, seen: &Fingerprint) -> Result<bool, StepError> {
        exchange_through(&self.other, &self.target, &self.spare)?;
        if fingerprint_if_there(&self.other)?.is_some_and(|found| found.same_file(seen)) {
            return Ok(true);
        }
        exchange_through(&self.other, &self.target, &self.spare)?;
        Ok(false)
    }

    /// Puts the other file in the place of one that has changed, which goes to the folder.
    ///
    /// It comes out by exchange and is moved away only then: killed in between, it is found beside the target. Where
    /// names cannot be exchanged, it is given its name in the folder first, or copied there, and replaced then.
    pub(super) fn displace(&self, folder: &Path, slot: &Slot, cx: &Cx<'_>) -> Result<(), StepError> {
        if fingerprint_if_there(&self.target)?.is_none() {
            return Ok(publish_new(&self.other, &self.target)?);
        }
        match exchange(&self.other, &self.target) {
            Err(error) if is_unsupported(&error) && self.target.is_dir() => {
                move_into(folder, &self.target, &self.target, slot, cx)?; // a folder has one name only
                return Ok(publish_new(&self.other, &self.target)?);
            }
            Err(error) if is_unsupported(&error) => {
                keep_in(folder, &self.target, slot, cx)?.must_be_unchanged()?;
                return Ok(publish_over(&self.other, &self.target)?);
            }
            exchanged => exchanged?,
        }
        move_into(folder, &self.other, &self.target, slot, cx)
    }
}
