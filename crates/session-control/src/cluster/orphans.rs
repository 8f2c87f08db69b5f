//! Sessions that were left behind on a shell host, which runs no containers: they are looked at, and removed; all else
//! has to wait until they have been moved to an agent (formats/convocate.md §8).

use session_model::Finding;

use crate::{Holder, HostError, LocalHost, Pong, Session, SessionError, SessionHost, SessionId, Wishes};

/// The sessions in a folder, none of which can be worked with. What they are is on the disk: no engine is asked, so one
/// that does not answer hides none of them.
pub(super) struct Orphans {
    here: LocalHost,
    findings: Vec<Finding>,
}

impl Orphans {
    pub(super) fn of(here: LocalHost) -> Self {
        Self { here, findings: Vec::new() }
    }
}

impl SessionHost for Orphans {
    fn id(&self) -> &str {
        self.here.id()
    }

    fn ping(&mut self) -> Result<Pong, HostError> {
        self.here.ping()
    }

    fn list(&mut self) -> Result<Vec<Session>, HostError> {
        let (sessions, findings) = self.here.list_unasked()?;
        self.findings = findings;
        Ok(sessions)
    }

    fn get(&mut self, id: &SessionId) -> Result<Session, HostError> {
        Ok(self.here.get_unasked(id)?)
    }

    fn create(&mut self, _: &Wishes) -> Result<Session, HostError> {
        Err(SessionError::Orphan.into())
    }

    fn edit(&mut self, _: &SessionId, _: &Wishes) -> Result<Session, HostError> {
        Err(SessionError::Orphan.into())
    }

    fn duplicate(&mut self, _: &SessionId, _: &str) -> Result<Session, HostError> {
        Err(SessionError::Orphan.into())
    }

    fn delete(&mut self, id: &SessionId) -> Result<(), HostError> {
        self.here.delete(id)
    }

    fn kill(&mut self, _: &SessionId) -> Result<(), HostError> {
        Err(SessionError::Orphan.into())
    }

    fn background(&mut self, _: &SessionId) -> Result<(), HostError> {
        Err(SessionError::Orphan.into())
    }

    fn restart(&mut self, _: &SessionId) -> Result<(), HostError> {
        Err(SessionError::Orphan.into())
    }

    fn unlock(&mut self, id: &SessionId, holder: Holder) -> Result<(), HostError> {
        self.here.unlock(id, holder)
    }

    fn findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings).into_iter().chain(self.here.findings()).collect()
    }
}
