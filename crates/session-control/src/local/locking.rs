//! A session's lock: had by whoever changes the session, and taken away from whoever left it behind.

use std::fs;

use legacy_readers::convocate;

use super::LocalHost;
use super::base::Base;
use crate::{Held, HeldError, Holder, Lock, SessionError, SessionId};

impl LocalHost {
    /// Has a session to itself. Whoever asks has the base.
    pub(super) fn take(&self, id: &SessionId) -> Result<Held, SessionError> {
        Held::take(&self.path_of(id)).map_err(|error| match error {
            HeldError::By(owner) => SessionError::Locked { id: id.to_string(), owner: Some(owner) },
            HeldError::Closed => SessionError::Locked { id: id.to_string(), owner: None },
            HeldError::File(error) => error.into(),
        })
    }

    pub(super) fn override_lock(&self, id: &SessionId, holder: Holder) -> Result<(), SessionError> {
        let _base = Base::lock(&self.local.base)?;
        let Some(lock) = Lock::of(&self.path_of(id)) else {
            self.must_be_a_session(id)?;
            return Err(SessionError::NotLocked { id: id.to_string() });
        };
        let id = id.to_string();
        match lock.owner() {
            _ if lock.yields_to(holder) && lock.remove()? => Ok(()),
            Some(owner) => Err(SessionError::InUse { id, owner: owner.clone() }),
            None => Err(SessionError::Locked { id, owner: None }),
        }
    }

    /// Refuses what only looks like a session. One whose document is broken is one all the same.
    pub(super) fn must_be_a_session(&self, id: &SessionId) -> Result<(), SessionError> {
        let path = self.path_of(id);
        match convocate::session(&self.local.base, id.to_string()) {
            Some(_) if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) => Ok(()),
            _ => self.find(id).map(drop),
        }
    }
}

/// What has come of an order that the engine was given for a session of ours, which is given back if it failed. If the
/// engine only is not waited for any more, the session is left to whoever goes on with it.
pub(super) fn unless_left<T>(held: Held, done: Result<T, SessionError>) -> Result<(T, Held), SessionError> {
    match done {
        Ok(done) => Ok((done, held)),
        Err(error) => {
            if let SessionError::NotAwaited { by: Some(pid), .. } = error {
                let _ = held.leave_to(pid); // what else went wrong is told, and it stays ours until we end
            }
            Err(error)
        }
    }
}
