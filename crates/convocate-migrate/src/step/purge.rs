//! A source is deleted for good, once what came of it has been confirmed.

use std::path::PathBuf;

use durable_files::{
    Fingerprint, PathText, publish_new_in_shared_dir, remove_empty_dirs, remove_tree_if_there,
};
use migration_engine::steps::Files;
use migration_engine::{Cause, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

/// Takes a folder out of sight in one rename, then deletes it. There is no way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purge {
    /// What is deleted.
    pub source: PathText,
    /// What it looked like when the plan was made.
    pub expect: Fingerprint,
    /// The folder in which it is out of sight, made if need be, and gone again if nothing else is in it.
    pub by_way_of: PathText,
}

/// A source that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    /// The name it had for its last moments.
    pub aside: PathText,
}

impl Purge {
    fn aside(&self, slot: &Slot) -> PathBuf {
        let mut name = self.source.file_name().unwrap_or_default().to_owned();
        name.push(format!("-{}", slot.run()));
        self.by_way_of.join(name)
    }

    fn is_as_expected(&self) -> bool {
        Fingerprint::of_file(&self.source).is_ok_and(|found| found.same_file(&self.expect))
    }
}

impl Step for Purge {
    type World = Files;
    type Evidence = Purged;

    fn describe(&self) -> String {
        format!("delete {}", self.source.display())
    }

    fn inspect(
        &self,
        _world: &mut Files,
        evidence: Option<&Purged>,
        _look: Look,
        _cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let is_aside = evidence.is_some_and(|purged| purged.aside.symlink_metadata().is_ok());
        Ok(match evidence {
            _ if is_aside || self.is_as_expected() => State::Pending,
            Some(_) => State::Done,
            None if self.source.symlink_metadata().is_err() => {
                return Err(Cause::source_gone(format!("cannot {}: it is gone", self.describe())).item());
            }
            None => State::Conflict("it is not what it was when the plan was made".into()),
        })
    }

    fn stage(&self, _world: &mut Files, slot: &Slot, _cx: &Cx<'_>) -> Result<Purged, StepError> {
        Ok(Purged { aside: self.aside(slot).into() })
    }

    fn publish(&self, world: &mut Files, _slot: &Slot, evidence: &Purged) -> Result<(), StepError> {
        if evidence.aside.symlink_metadata().is_err() {
            if !self.is_as_expected() {
                let message = format!("{} changed after the plan was made", self.source.display());
                return Err(Cause::source_changed(message).item());
            }
            publish_new_in_shared_dir(&self.source, &evidence.aside)?;
        }
        remove_tree_if_there(&evidence.aside)?;
        remove_empty_dirs(std::slice::from_ref(&self.by_way_of))?;
        world.touch(&self.source);
        Ok(())
    }

    fn revert(
        &self,
        _world: &mut Files,
        _slot: &Slot,
        _evidence: Option<&Purged>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        Ok(())
    }

    fn reversible(&self) -> bool {
        false
    }
}
