//! An old file removed, of which there is a copy: an undo makes the file anew from that.

use std::path::Path;

use durable_files::{
    Digest, Fingerprint, PathText, Traits, copy_file, digest_file, publish_new, remove_file_if_there,
};
use migration_engine::steps::{Files, move_into};
use migration_engine::{Cause, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

/// Removes a file once its copy has been found to hold the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveOriginal {
    /// The file.
    pub source: PathText,
    /// What it looked like when the plan was made.
    pub expect: Fingerprint,
    /// Its copy.
    pub copy: PathText,
}

/// What both held, and the permissions that the file had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// The SHA-256 of every byte.
    pub digest: Digest,
    /// The permission bits that the file had.
    pub mode: u32,
}

impl RemoveOriginal {
    fn changed(&self) -> StepError {
        Cause::source_changed(format!("{} changed after the plan was made", self.source.display())).item()
    }

    fn looks_as_planned(&self) -> Result<bool, StepError> {
        Ok(if_there(&self.source)?.is_some_and(|found| found.same_file(&self.expect)))
    }
}

fn if_there(path: &Path) -> Result<Option<Fingerprint>, StepError> {
    match Fingerprint::of_file(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Step for RemoveOriginal {
    type World = Files;
    type Evidence = Removed;

    fn describe(&self) -> String {
        format!("remove {}", self.source.display())
    }

    fn inspect(
        &self,
        world: &mut Files,
        evidence: Option<&Removed>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        if evidence.is_some() {
            world.touch(&self.source); // killed after publishing, a run may have left the names to the page cache
        }
        Ok(match (if_there(&self.source)?, evidence) {
            (Some(_), _) if self.looks_as_planned()? => State::Pending,
            (Some(_), Some(ours)) if self.is_made_anew(ours, cx)? => State::Pending,
            (_, Some(ours)) if look == Look::Full && !self.is_copied(ours, cx)? => {
                let found = format!("its copy {} is gone or has changed", self.copy.display());
                return Err(Cause::lost(found).item());
            }
            (Some(_), _) => State::Conflict("it changed after the plan was made".into()),
            (None, None) => {
                return Err(Cause::source_gone(format!("cannot {}: it is gone", self.describe())).item());
            }
            (None, Some(_)) => State::Done,
        })
    }

    fn stage(&self, _world: &mut Files, _slot: &Slot, cx: &Cx<'_>) -> Result<Removed, StepError> {
        let digest = digest_file(&self.copy, &mut { *cx })?.digest;
        if digest_file(&self.source, &mut { *cx })?.digest != digest || !self.looks_as_planned()? {
            return Err(self.changed());
        }
        Ok(Removed { digest, mode: Traits::like(&self.source)?.mode })
    }

    fn publish(&self, world: &mut Files, _slot: &Slot, _evidence: &Removed) -> Result<(), StepError> {
        if !self.looks_as_planned()? {
            return Err(self.changed());
        }
        remove_file_if_there(&self.source)?;
        world.touch(&self.source);
        Ok(())
    }

    fn revert(
        &self,
        world: &mut Files,
        slot: &Slot,
        evidence: Option<&Removed>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let Some(ours) = evidence else { return Ok(()) };
        let staged = slot.beside(&self.source, "tmp");
        world.touch(&self.source);
        remove_file_if_there(&staged)?;
        if if_there(&self.source)?.is_some() {
            return Ok(());
        }
        let looks = Fingerprint::of_file(&self.copy)?;
        let traits = Traits { mode: ours.mode, ..Traits::PRIVATE }.with_mtime(self.expect.mtime);
        let made = copy_file(&self.copy, &looks, &staged, traits, &mut { *cx })?;
        if made.digest != ours.digest {
            remove_file_if_there(&staged)?;
            let message = format!("{} is not what it was copied from any more", self.copy.display());
            return Err(Cause::new("drifted", message).item());
        }
        Ok(publish_new(&staged, &self.source)?)
    }

    fn aside(&self, _slot: &Slot, folder: &Path) -> Option<String> {
        Some(folder.display().to_string())
    }

    fn set_aside(
        &self,
        world: &mut Files,
        slot: &Slot,
        ours: &Removed,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        if if_there(&self.source)?.is_some() && !self.is_made_anew(ours, cx)? {
            move_into(folder, &self.source, &self.source, slot, cx)?;
        }
        self.revert(world, slot, Some(ours), cx)
    }
}

impl RemoveOriginal {
    /// Whether the copy is what both held.
    fn is_copied(&self, ours: &Removed, cx: &Cx<'_>) -> Result<bool, StepError> {
        Ok(if_there(&self.copy)?.is_some() && digest_file(&self.copy, &mut { *cx })?.digest == ours.digest)
    }

    /// Whether an undo has put it back already.
    fn is_made_anew(&self, ours: &Removed, cx: &Cx<'_>) -> Result<bool, StepError> {
        let looks = Fingerprint::of_file(&self.source)?;
        Ok(looks.size == self.expect.size
            && looks.mtime == self.expect.mtime
            && digest_file(&self.source, &mut { *cx })?.digest == ours.digest)
    }
}
