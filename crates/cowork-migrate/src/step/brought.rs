//! What was brought from another host for a run.

use std::path::{Path, PathBuf};

use durable_files::PathText;
use migration_engine::{Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use crate::content::Sources;

/// Remembers the bundle that a run moves from, so that it goes when the run is forgotten. Nothing is done with it: an
/// undo leaves it for the next attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepBrought {
    /// The bundle.
    pub bundle: PathText,
}

/// A bundle that a run has moved from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBrought {}

impl KeepBrought {
    pub(crate) fn plan(bundle: &Path) -> Self {
        Self { bundle: bundle.into() }
    }
}

impl Step for KeepBrought {
    type World = Sources;
    type Evidence = KeptBrought;

    fn describe(&self) -> String {
        format!("keep {} until the run is forgotten", self.bundle.display())
    }

    fn inspect(
        &self,
        _world: &mut Sources,
        evidence: Option<&KeptBrought>,
        _look: Look,
        _cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        Ok(if evidence.is_some() { State::Done } else { State::Pending })
    }

    fn stage(&self, _world: &mut Sources, _slot: &Slot, _cx: &Cx<'_>) -> Result<KeptBrought, StepError> {
        Ok(KeptBrought {})
    }

    fn publish(&self, _world: &mut Sources, _slot: &Slot, _evidence: &KeptBrought) -> Result<(), StepError> {
        Ok(())
    }

    fn revert(
        &self,
        _world: &mut Sources,
        _slot: &Slot,
        _evidence: Option<&KeptBrought>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        Ok(())
    }

    fn stashes(&self, _slot: &Slot, _evidence: &KeptBrought) -> Vec<PathBuf> {
        vec![self.bundle.to_path_buf()]
    }
}
