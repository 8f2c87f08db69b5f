//! A session's lock file, taken for as long as a run works on it.

use std::fs;
use std::path::{Path, PathBuf};

use migration_engine::steps::Files;
use migration_engine::{Cause, StepError, World};
use session_control::{Held, HeldError, Lock};

/// The lock of a lane's session, and the files beside it.
#[derive(Debug, Default)]
pub struct Locks {
    pub(crate) files: Files,
    /// The session that is to be held.
    wanted: Option<PathBuf>,
    held: Option<Held>,
}

impl Locks {
    /// The lock of a session is taken now, or, if the plan begins with setting this stale one aside, right after that.
    pub(crate) fn of(session: &Path, stale: Option<&[u8]>) -> Result<Self, StepError> {
        let mut locks = Self { wanted: Some(session.to_owned()), ..Self::default() };
        if stale.is_none() || fs::read(Lock::path_of(session)).ok().as_deref() != stale {
            locks.take()?;
        }
        Ok(locks)
    }

    fn take(&mut self) -> Result<(), StepError> {
        if let (Some(session), None) = (&self.wanted, &self.held) {
            self.held = Some(Held::take(session).map_err(|error| not_taken(session, &error))?);
        }
        Ok(())
    }

    /// Gives the lock back for good.
    pub(crate) fn release(&mut self) {
        self.wanted = None;
        self.held = None;
    }
}

impl World for Locks {
    fn persist(&mut self) -> Result<(), StepError> {
        self.files.persist()
    }

    /// Makes what was published durable, and takes the lock if a stale one was in its way until now.
    fn settle(&mut self) -> Result<(), StepError> {
        self.files.settle()?;
        self.take()
    }

    fn abandon(&mut self) {
        self.files.abandon();
    }
}

fn not_taken(session: &Path, error: &HeldError) -> StepError {
    let message = match error {
        HeldError::By(owner) => {
            format!("cannot take the lock {}: {owner} has it", Lock::path_of(session).display())
        }
        HeldError::Closed => format!("cannot take the lock {}: {error}", Lock::path_of(session).display()),
        HeldError::File(error) => error.to_string(),
    };
    Cause::new("locked", message).world()
}
