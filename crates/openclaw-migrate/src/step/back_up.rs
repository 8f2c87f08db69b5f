//! A copy of an old file, which an undo may be told to leave.

use std::path::Path;

use migration_engine::steps::{InstallFile, Installed};
use migration_engine::{Cost, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use crate::effect::Handles;

/// Copies a file to the backup. It is as [`InstallFile`], but that an undo with `--keep-backup` leaves it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BackUp(pub InstallFile);

impl Step for BackUp {
    type World = Handles;
    type Evidence = Installed;

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn cost(&self) -> Cost {
        self.0.cost()
    }

    fn inspect(
        &self,
        world: &mut Handles,
        evidence: Option<&Installed>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        self.0.inspect(&mut world.files, evidence, look, cx)
    }

    fn stage(&self, world: &mut Handles, slot: &Slot, cx: &Cx<'_>) -> Result<Installed, StepError> {
        self.0.stage(&mut world.files, slot, cx)
    }

    fn publish(&self, world: &mut Handles, slot: &Slot, evidence: &Installed) -> Result<(), StepError> {
        self.0.publish(&mut world.files, slot, evidence)
    }

    fn revert(
        &self,
        world: &mut Handles,
        slot: &Slot,
        evidence: Option<&Installed>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        if world.keeps_backup && evidence.is_some() {
            return Ok(());
        }
        self.0.revert(&mut world.files, slot, evidence, cx)
    }

    fn unstage(
        &self,
        world: &mut Handles,
        slot: &Slot,
        ours: &Installed,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.0.unstage(&mut world.files, slot, ours, cx)
    }

    fn set_aside(
        &self,
        world: &mut Handles,
        slot: &Slot,
        ours: &Installed,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.0.set_aside(&mut world.files, slot, ours, folder, cx)
    }
}
