//! A session's container, stopped and left by its people. None of this has an undo.

use super::LocalHost;
use crate::{SessionError, SessionId};

impl LocalHost {
    pub(super) fn kill_container(&self, id: &SessionId) -> Result<(), SessionError> {
        let found = self.find(id)?;
        if self.stop(id)? { Ok(()) } else { Err(SessionError::NotRunning { name: found.name().to_owned() }) }
    }

    /// Stops what runs of a session, and tells whether anything did.
    pub(super) fn stop(&self, id: &SessionId) -> Result<bool, SessionError> {
        let names = self.running()?;
        let Some(container) = self.container_of(id, &names) else { return Ok(false) };
        let stopped = self.local.containers.stop(container);
        // It may have ended by itself meanwhile; and one that goes on running was not stopped, whatever was said.
        if self.running()?.contains(container) {
            let complaint = stopped.err().unwrap_or_else(|| format!("{container} goes on running"));
            return Err(SessionError::Stop(complaint));
        }
        Ok(true)
    }

    pub(super) fn detach_all(&self, id: &SessionId) -> Result<(), SessionError> {
        let found = self.find(id)?;
        let not_connected = || SessionError::NotConnected { name: found.name().to_owned() };
        let names = self.running()?;
        let container = self.container_of(id, &names).ok_or_else(not_connected)?;
        let (containers, profile) = (&self.local.containers, &self.local.profile);
        if !containers.is_attached(container, profile).map_err(SessionError::Detach)? {
            return Err(not_connected());
        }
        containers.detach(container, profile).map_err(SessionError::Detach)
    }
}
