//! A sidecar, which the application is expected to rewrite.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use durable_files::{PathText, create_private_dirs};
use legacy_readers::cowork::Sidecar;
use migration_engine::{Cost, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};
use session_model::Finding;

/// A step on a sidecar that does not mind what the application makes of it on loading: as long as it is the sidecar of
/// the same session, the step is done, and an undo keeps what the application wrote and goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "S: Step")]
pub struct SidecarStep<S> {
    /// What is done.
    pub inner: S,
    /// The sidecar.
    pub target: PathText,
    /// `sessionId`.
    pub session: String,
    /// `cliSessionId`.
    pub cli: Option<String>,
    /// The folder in which an undo keeps what the application has made of it.
    pub archive: PathText,
}

impl<S: Step> SidecarStep<S> {
    /// Whether the sidecar of this very session stands there.
    fn is_of_the_session(&self) -> bool {
        Sidecar::read(&self.target)
            .is_ok_and(|found| found.view.session_id == self.session && found.view.cli_session_id == self.cli)
    }

    fn is_rewritten(&self, state: &State) -> bool {
        matches!(state, State::Conflict(_) | State::Superseded(_)) && self.is_of_the_session()
    }
}

impl<S: Step> Step for SidecarStep<S> {
    type World = S::World;
    type Evidence = S::Evidence;

    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn cost(&self) -> Cost {
        self.inner.cost()
    }

    fn inspect(
        &self,
        world: &mut S::World,
        evidence: Option<&S::Evidence>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let state = self.inner.inspect(world, evidence, look, cx)?;
        Ok(if evidence.is_some() && self.is_rewritten(&state) { State::Done } else { state })
    }

    fn stage(&self, world: &mut S::World, slot: &Slot, cx: &Cx<'_>) -> Result<S::Evidence, StepError> {
        self.inner.stage(world, slot, cx)
    }

    fn publish(&self, world: &mut S::World, slot: &Slot, evidence: &S::Evidence) -> Result<(), StepError> {
        self.inner.publish(world, slot, evidence)
    }

    fn revert(
        &self,
        world: &mut S::World,
        slot: &Slot,
        evidence: Option<&S::Evidence>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        if let Some(ours) = evidence {
            let state = self.inner.inspect(world, Some(ours), Look::Full, cx)?;
            if self.is_rewritten(&state) {
                create_private_dirs(&self.archive)?;
                return self.inner.set_aside(world, slot, ours, &self.archive, cx);
            }
        }
        self.inner.revert(world, slot, evidence, cx)
    }

    fn unstage(
        &self,
        world: &mut S::World,
        slot: &Slot,
        evidence: &S::Evidence,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.inner.unstage(world, slot, evidence, cx)
    }

    fn aside(&self, slot: &Slot, folder: &Path) -> Option<String> {
        self.inner.aside(slot, folder)
    }

    fn set_aside(
        &self,
        world: &mut S::World,
        slot: &Slot,
        evidence: &S::Evidence,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.inner.set_aside(world, slot, evidence, folder, cx)
    }

    fn reversible(&self) -> bool {
        self.inner.reversible()
    }

    fn stashes(&self, slot: &Slot, evidence: &S::Evidence) -> Vec<PathBuf> {
        self.inner.stashes(slot, evidence)
    }
}

/// What undone steps have kept of a sidecar: the engine puts the number of the step before its name.
pub(crate) fn kept(archive: &Path, sidecar: &Path) -> Vec<Finding> {
    let Some(name) = sidecar.file_name().and_then(OsStr::to_str) else { return Vec::new() };
    let is_kept = |found: &PathBuf| {
        let found = found.file_name().and_then(OsStr::to_str).unwrap_or_default();
        found.split_once('-').is_some_and(|(step, rest)| {
            step.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && rest == name
        })
    };
    let found = std::fs::read_dir(archive).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = found.filter(is_kept).collect();
    found.sort();
    let finding = |found: &PathBuf| {
        let message = format!(
            "the application has rewritten the sidecar since; what it made of it is kept: {}",
            found.display()
        );
        Finding::note("kept-sidecar", message)
    };
    found.iter().map(finding).collect()
}
