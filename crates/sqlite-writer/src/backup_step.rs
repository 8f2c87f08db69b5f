//! The snapshot as a step of a run: the first, so that there is a way back even from what no step knows of.

use std::path::Path;

use durable_files::{PathText, beside, remove_file_if_there};
use migration_engine::steps::move_into;
use migration_engine::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use crate::{Rows, SnapshotError};

/// Takes a snapshot of the database into the run's own directory.
///
/// An undo does not need it: rows are taken back one by one. It is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeSnapshot {
    /// The size of the database when the plan was made.
    pub bytes: u64,
}

/// Where the snapshot is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The file.
    pub file: PathText,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Step for TakeSnapshot {
    type World = Rows;
    type Evidence = Snapshot;

    fn describe(&self) -> String {
        "take a snapshot of the database".into()
    }

    fn cost(&self) -> Cost {
        Cost { bytes: self.bytes, at: None, inodes: 1, passing: 0 }
    }

    fn inspect(
        &self,
        _world: &mut Rows,
        evidence: Option<&Snapshot>,
        _look: Look,
        _cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let Some(taken) = evidence else { return Ok(State::Pending) };
        match std::fs::metadata(&taken.file) {
            Ok(found) if found.len() == taken.bytes => Ok(State::Done),
            Ok(_) => Ok(State::Conflict("the snapshot has another size".into())),
            Err(_) => Ok(State::Pending),
        }
    }

    fn stage(&self, world: &mut Rows, slot: &Slot, cx: &Cx<'_>) -> Result<Snapshot, StepError> {
        let file = slot.private("snapshot.db");
        remove_file_if_there(&file)?;
        let bytes = world.database.snapshot(&file, &mut { *cx }).map_err(StepError::from)?;
        Ok(Snapshot { file: file.into(), bytes })
    }

    fn publish(&self, _world: &mut Rows, _slot: &Slot, _evidence: &Snapshot) -> Result<(), StepError> {
        Ok(())
    }

    fn revert(
        &self,
        _world: &mut Rows,
        slot: &Slot,
        _evidence: Option<&Snapshot>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let file = slot.private("snapshot.db");
        remove_file_if_there(&beside(&file, "snapshot", "tmp"))?;
        remove_file_if_there(&file)?;
        Ok(())
    }

    fn aside(&self, _slot: &Slot, folder: &Path) -> Option<String> {
        Some(folder.display().to_string())
    }

    fn set_aside(
        &self,
        _world: &mut Rows,
        slot: &Slot,
        taken: &Snapshot,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        move_into(folder, &taken.file, Path::new("snapshot.db"), slot, cx)
    }
}

impl From<SnapshotError> for StepError {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Stopped(_) => Self::Stopped,
            other => Cause::new("snapshot", other.to_string()).world(),
        }
    }
}
