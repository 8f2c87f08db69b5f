//! What a run of `convocate-migrate` does, and the handles it does it with.

use migration_engine::compose_steps;
use migration_engine::steps::{Files, Retire};
use migration_engine::{StepError, World};
use remote_transfer::{DeliverTree, Remote};

use crate::lock::Locks;
use crate::step::{Purge, SetLockAside};

compose_steps! {
    /// One effect.
    pub enum Effect, Trace in Handles {
        /// Sets a stale lock aside.
        Unlock(SetLockAside) with locks,
        /// Puts a session onto the agent.
        Deliver(DeliverTree) with remote,
        /// Moves the source aside.
        Retire(Retire) with files,
        /// Deletes the source.
        Purge(Purge) with files,
    }
}

/// The live handles of a lane: the agent, this host's files, and the session's lock.
pub struct Handles {
    pub(crate) remote: Remote,
    pub(crate) files: Files,
    pub(crate) locks: Locks,
}

impl World for Handles {
    fn persist(&mut self) -> Result<(), StepError> {
        self.locks.persist()?;
        self.remote.persist()?;
        self.files.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.locks.settle()?;
        self.remote.settle()?;
        self.files.settle()
    }

    fn abandon(&mut self) {
        self.locks.abandon();
        self.remote.abandon();
        self.files.abandon();
    }
}
