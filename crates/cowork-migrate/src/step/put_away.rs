//! What stood where a session goes, moved out of the application's sight.

use std::path::{Path, PathBuf};

use durable_files::{
    Fingerprint, PathText, create_private_dirs, must_be_no_links, publish_new, remove_empty_dirs,
};
use migration_engine::steps::FileWorld;
use migration_engine::{Cause, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use crate::content::Sources;

/// Moves a sidecar or a session's folder out of the profile, to a place on the same disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutAway {
    /// What is moved.
    pub source: PathText,
    /// What it looked like when the plan was made.
    pub expect: Fingerprint,
    /// Where it goes; nothing may be there.
    pub target: PathText,
    /// The folders on the way there that did not exist, outermost first.
    pub new_dirs: Vec<PathText>,
}

/// Something that was put away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WasPutAway {}

impl PutAway {
    /// The step for what stands there now.
    pub(crate) fn plan(source: &Path, target: &Path) -> Result<Self, StepError> {
        let new_dirs = target.parent().map(durable_files::missing_dirs).unwrap_or_default();
        let new_dirs = new_dirs.into_iter().map(PathText::from).collect();
        let expect = Fingerprint::of_file(source)?;
        Ok(Self { source: source.into(), expect, target: target.into(), new_dirs })
    }

    fn touch(&self, world: &mut Sources) {
        world.files().touch(&self.source);
        world.files().touch(&self.target);
        self.new_dirs.iter().for_each(|dir| world.files().touch(dir));
    }

    fn is_at(&self, path: &Path) -> bool {
        Fingerprint::of_file(path).is_ok_and(|found| found.same_file(&self.expect))
    }

    fn changed(&self) -> StepError {
        Cause::source_changed(format!("{} changed after the plan was made", self.source.display())).item()
    }
}

impl Step for PutAway {
    type World = Sources;
    type Evidence = WasPutAway;

    fn describe(&self) -> String {
        format!("move {} to {}", self.source.display(), self.target.display())
    }

    fn inspect(
        &self,
        world: &mut Sources,
        evidence: Option<&WasPutAway>,
        _look: Look,
        _cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        if evidence.is_some() {
            self.touch(world); // killed after publishing, a run may have left the names to the page cache
        }
        let is_there = self.target.symlink_metadata().is_ok();
        Ok(match () {
            () if evidence.is_some() && self.is_at(&self.target) => State::Done,
            () if is_there && evidence.is_some() => State::Conflict("what was moved has changed".into()),
            () if is_there => State::Conflict(format!("{} is in the way", self.target.display())),
            () if self.is_at(&self.source) => State::Pending,
            () => State::Conflict("it changed after the plan was made".into()),
        })
    }

    fn stage(&self, world: &mut Sources, _slot: &Slot, _cx: &Cx<'_>) -> Result<WasPutAway, StepError> {
        if !self.is_at(&self.source) {
            return Err(self.changed());
        }
        must_be_no_links(&self.new_dirs)?;
        if let Some(parent) = self.target.parent() {
            create_private_dirs(parent)?;
        }
        self.touch(world);
        Ok(WasPutAway {})
    }

    fn publish(&self, world: &mut Sources, _slot: &Slot, _evidence: &WasPutAway) -> Result<(), StepError> {
        publish_new(&self.source, &self.target)?;
        self.touch(world);
        if self.is_at(&self.target) {
            return Ok(());
        }
        publish_new(&self.target, &self.source)?;
        Err(self.changed())
    }

    fn revert(
        &self,
        world: &mut Sources,
        _slot: &Slot,
        evidence: Option<&WasPutAway>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.touch(world);
        if evidence.is_some() && self.is_at(&self.target) {
            publish_new(&self.target, &self.source)?;
        }
        Ok(remove_empty_dirs(&self.new_dirs)?)
    }

    fn stashes(&self, _slot: &Slot, _evidence: &WasPutAway) -> Vec<PathBuf> {
        vec![self.target.to_path_buf()]
    }
}
