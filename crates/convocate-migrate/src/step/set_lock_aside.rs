//! A stale lock makes room for ours, and comes back with an undo.

use std::path::Path;

use durable_files::{PathText, Traits, publish_new, remove_file_if_there, write_file};
use migration_engine::{Cause, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use crate::lock::Locks;

/// Removes a lock file whose owner is gone. All there is to know of it stands in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetLockAside {
    /// The lock file.
    pub lock: PathText,
    /// What it holds.
    #[serde(with = "session_model::text_or_hex")]
    pub text: Vec<u8>,
    /// Its permission bits.
    pub mode: u32,
    /// Its modification time, in nanoseconds since 1970.
    pub mtime: i64,
}

/// A lock that was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WasSetAside {}

impl SetLockAside {
    fn is_there(&self) -> bool {
        std::fs::read(&self.lock).is_ok_and(|text| text == self.text)
    }
}

impl Step for SetLockAside {
    type World = Locks;
    type Evidence = WasSetAside;

    fn describe(&self) -> String {
        format!("set the stale lock {} aside", self.lock.display())
    }

    fn inspect(
        &self,
        world: &mut Locks,
        evidence: Option<&WasSetAside>,
        _look: Look,
        _cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        world.files.touch(&self.lock);
        Ok(match evidence {
            None if !self.is_there() => State::Conflict("the lock is not the one that was seen".into()),
            // Our own lock may stand there now, or that of a run which an undo belongs to.
            Some(_) if !self.is_there() => State::Done,
            _ => State::Pending,
        })
    }

    fn stage(&self, _world: &mut Locks, _slot: &Slot, _cx: &Cx<'_>) -> Result<WasSetAside, StepError> {
        Ok(WasSetAside {})
    }

    fn publish(&self, world: &mut Locks, _slot: &Slot, _evidence: &WasSetAside) -> Result<(), StepError> {
        if !self.is_there() {
            let message = format!("{} is somebody else's now", self.lock.display());
            return Err(Cause::source_changed(message).item());
        }
        remove_file_if_there(&self.lock)?;
        world.files.touch(&self.lock);
        Ok(())
    }

    fn revert(
        &self,
        world: &mut Locks,
        slot: &Slot,
        evidence: Option<&WasSetAside>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let lock: &Path = &self.lock;
        world.release();
        if evidence.is_none() || lock.symlink_metadata().is_ok() {
            return Ok(());
        }
        let staged = slot.beside(lock, "tmp");
        let traits = Traits { mode: self.mode, ..Traits::PRIVATE.with_mtime(self.mtime) };
        remove_file_if_there(&staged)?;
        write_file(&self.text, &staged, traits)?;
        publish_new(&staged, lock)?;
        world.files.touch(lock);
        Ok(())
    }
}
