//! Sessions that were left behind on a shell host, which runs no containers: they are looked at, and removed; all else
//! has to wait until they have been moved to an agent (formats/convocate.md §8).

use session_model::Finding;

use crate::{Holder, HostError, Pong, Session, SessionError, SessionHost, SessionId, Wishes};

/// The sessions in a folder, none of which can be worked with.
pub(super) struct Orphans(pub(super) Box<dyn SessionHost>);

impl SessionHost for Orphans {
    fn id(&self) -> &str {
        self.0.id()
    }

    fn ping(&mut self) -> Result<Pong, HostError> {
        self.0.ping()
    }

    fn list(&mut self) -> Result<Vec<Session>, HostError> {
        self.0.list()
    }

    fn get(&mut self, id: &SessionId) -> Result<Session, HostError> {
        self.0.get(id)
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
        self.0.delete(id)
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
        self.0.unlock(id, holder)
    }

    fn findings(&mut self) -> Vec<Finding> {
        self.0.findings()
    }
}
