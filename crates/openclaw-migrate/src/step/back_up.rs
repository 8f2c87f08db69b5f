//! A copy of an old file, which an undo may be told to leave.

use std::path::Path;

use durable_files::{Digest, digest_file};
use migration_engine::steps::{InstallFile, Installed};
use migration_engine::{Cost, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use crate::effect::Handles;

/// Copies a file to the backup. It is as [`InstallFile`], but that an undo with `--keep-backup` leaves it, and no undo
/// removes the only copy there is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BackUp {
    /// The copy.
    pub file: InstallFile,
    /// Whether the run removes the original as well, which an undo brings back before it looks at the copy.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_removed: bool,
}

impl BackUp {
    /// Whether the original is what was copied.
    fn has_original(&self, copied: Digest, cx: &Cx<'_>) -> Result<bool, StepError> {
        let original = &self.file.content.source;
        match original.symlink_metadata() {
            Ok(found) if found.is_file() => Ok(digest_file(original, &mut { *cx })?.digest == copied),
            _ => Ok(false),
        }
    }
}

impl Step for BackUp {
    type World = Handles;
    type Evidence = Installed;

    fn describe(&self) -> String {
        self.file.describe()
    }

    fn cost(&self) -> Cost {
        self.file.cost()
    }

    fn inspect(
        &self,
        world: &mut Handles,
        evidence: Option<&Installed>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let state = self.file.inspect(&mut world.files, evidence, look, cx)?;
        let is_asked = look == Look::Full && !self.is_removed && !world.keeps_backup;
        match evidence {
            Some(ours) if is_asked && state == State::Done && !self.has_original(ours.digest, cx)? => {
                let original = self.file.content.source.display();
                Ok(State::Superseded(format!(
                    "{original} is gone or has changed since, so its copy is the only one"
                )))
            }
            _ => Ok(state),
        }
    }

    fn stage(&self, world: &mut Handles, slot: &Slot, cx: &Cx<'_>) -> Result<Installed, StepError> {
        self.file.stage(&mut world.files, slot, cx)
    }

    fn publish(&self, world: &mut Handles, slot: &Slot, evidence: &Installed) -> Result<(), StepError> {
        self.file.publish(&mut world.files, slot, evidence)
    }

    fn revert(
        &self,
        world: &mut Handles,
        slot: &Slot,
        evidence: Option<&Installed>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        // Of an original that has changed meanwhile, the copy may be all there is of what it was.
        if let Some(ours) = evidence
            && (world.keeps_backup || !self.has_original(ours.digest, cx)?)
        {
            return Ok(());
        }
        self.file.revert(&mut world.files, slot, evidence, cx)
    }

    fn unstage(
        &self,
        world: &mut Handles,
        slot: &Slot,
        ours: &Installed,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.file.unstage(&mut world.files, slot, ours, cx)
    }

    fn aside(&self, slot: &Slot, folder: &Path) -> Option<String> {
        self.file.aside(slot, folder)
    }

    fn set_aside(
        &self,
        world: &mut Handles,
        slot: &Slot,
        ours: &Installed,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.file.set_aside(&mut world.files, slot, ours, folder, cx)
    }
}
