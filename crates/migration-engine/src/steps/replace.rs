//! A file whose content changes in one step, the old thing kept beside the new until it is forgotten.

use std::path::{Path, PathBuf};

use durable_files::{Digest, Fingerprint, PathText, Traits, copy_file, exchange, remove_file_if_there};
use serde::{Deserialize, Serialize};

use super::files::{Files, compare_content, fingerprint_if_there};
use super::install::move_into;
use crate::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};

/// Puts a copy of `source` in the place of `target`, which must still be what it was when the plan was made.
///
/// The two exchange their names; what came out is looked at and put back if it was not what was expected. The old file
/// itself, inode and all, stays beside the new one as the stash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceFile {
    /// The new content.
    pub source: PathText,
    /// What it looked like when the plan was made.
    pub expect_source: Fingerprint,
    /// What is replaced.
    pub target: PathText,
    /// What it looked like when the plan was made.
    pub expect_target: Fingerprint,
}

/// What replaced what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The SHA-256 of the new content.
    pub digest: Digest,
    /// The new file as it was staged.
    pub file: Fingerprint,
    /// The old file as it was just before.
    pub displaced: Fingerprint,
}

impl ReplaceFile {
    /// The name that holds the new file before the exchange and the old one after it.
    fn other(&self, slot: &Slot) -> PathBuf {
        slot.beside(&self.target, "stash")
    }

    fn changed(&self) -> StepError {
        Cause::source_changed(format!("{} changed after the plan was made", self.target.display())).item()
    }
}

impl Step for ReplaceFile {
    type World = Files;
    type Evidence = Replaced;

    fn describe(&self) -> String {
        format!("replace {}", self.target.display())
    }

    fn cost(&self) -> Cost {
        Cost { bytes: self.expect_source.size, at: self.target.parent().map(Path::to_path_buf), inodes: 1 }
    }

    fn inspect(
        &self,
        _world: &mut Files,
        evidence: Option<&Replaced>,
        look: Look,
    ) -> Result<State, StepError> {
        let Some(found) = fingerprint_if_there(&self.target)? else {
            return Ok(State::Conflict("it is gone".into()));
        };
        if found.same_file(&self.expect_target) {
            return Ok(State::Pending);
        }
        match evidence {
            None => Ok(State::Conflict("it changed after the plan was made".into())),
            Some(ours) if look == Look::Quick && found.same_file(&ours.file) => Ok(State::Done),
            Some(ours) => compare_content(&self.target, ours.file.size, ours.digest),
        }
    }

    fn stage(&self, world: &mut Files, slot: &Slot, cx: &Cx<'_>) -> Result<Replaced, StepError> {
        let displaced = Fingerprint::of_file(&self.target)?;
        if displaced != self.expect_target {
            return Err(self.changed());
        }
        let mut meter = *cx;
        world.touch(&self.target);
        let copied =
            copy_file(&self.source, &self.expect_source, &self.other(slot), Traits::PRIVATE, &mut meter)?;
        Ok(Replaced { digest: copied.digest, file: copied.written, displaced })
    }

    fn publish(&self, world: &mut Files, slot: &Slot, evidence: &Replaced) -> Result<(), StepError> {
        let other = self.other(slot);
        exchange(&other, &self.target)?;
        world.touch(&self.target);
        if !Fingerprint::of_file(&other)?.same_file(&evidence.displaced) {
            exchange(&other, &self.target)?;
            return Err(self.changed());
        }
        Ok(())
    }

    fn revert(
        &self,
        world: &mut Files,
        slot: &Slot,
        evidence: Option<&Replaced>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let other = self.other(slot);
        let stashed = fingerprint_if_there(&other)?;
        if let (Some(ours), Some(stashed)) = (evidence, stashed)
            && stashed.same_file(&ours.displaced)
        {
            exchange(&other, &self.target)?;
            world.touch(&self.target);
            if compare_content(&other, ours.file.size, ours.digest)? != State::Done {
                exchange(&other, &self.target)?;
                let changed = format!("{} has changed since it was replaced", self.target.display());
                return Err(Cause::new("drifted", changed).item());
            }
        }
        remove_file_if_there(&other)?;
        world.touch(&self.target);
        Ok(())
    }

    fn set_aside(
        &self,
        world: &mut Files,
        slot: &Slot,
        evidence: &Replaced,
        folder: &Path,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let other = self.other(slot);
        if Fingerprint::of_file(&other)?.same_file(&evidence.displaced) {
            exchange(&other, &self.target)?;
        }
        move_into(&other, folder, slot)?;
        world.touch(&self.target);
        Ok(())
    }

    fn stashes(&self, slot: &Slot, _evidence: &Replaced) -> Vec<PathBuf> {
        vec![self.other(slot)]
    }
}
