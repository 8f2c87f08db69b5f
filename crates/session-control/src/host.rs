//! Where sessions live: this machine, or an agent. Both are worked with in the same way.

use std::time::Instant;

use remote_transfer::TransportError;
use session_model::Finding;

use crate::{AgentError, Holder, Pong, Session, SessionError, SessionId, Watch, Wishes};

/// A host of sessions.
///
/// One is this machine, the others are agents, ours or original ones, which are helped to behave the same
/// (formats/convocate.md §19).
///
/// A call blocks until the host has answered: seconds as a rule, two minutes where a container is started, hours for a
/// copy. Never call it on the thread that draws a screen.
pub trait SessionHost: Send {
    /// What it is called: an agent's id, or `local`.
    fn id(&self) -> &str;

    /// Whether it is there, and what it is.
    fn ping(&mut self) -> Result<Pong, HostError>;

    /// By when every later call has to return, since its caller gives up then: what it waits for is cut short. A host
    /// with times of its own need not heed it.
    fn end_by(&mut self, _deadline: Instant) {}

    /// From now on this one too sees what every call copies, and may say stop. A host whose link knows who may want to stop
    /// need not heed it.
    fn heed(&mut self, _watch: Watch) {}

    /// Every session it has, in the order of their ids. An engine that does not say what runs hides none of them; that it
    /// does not is told in [`findings`](Self::findings).
    fn list(&mut self) -> Result<Vec<Session>, HostError>;

    /// One session.
    fn get(&mut self, id: &SessionId) -> Result<Session, HostError>;

    /// A new session, which does not run yet.
    fn create(&mut self, wishes: &Wishes) -> Result<Session, HostError>;

    /// Replaces what is said of a session. A container that runs goes on as it was started.
    fn edit(&mut self, id: &SessionId, wishes: &Wishes) -> Result<Session, HostError>;

    /// A new session with the files of this one: its protocol too, but neither its port nor its DNS name.
    fn duplicate(&mut self, id: &SessionId, name: &str) -> Result<Session, HostError>;

    /// Stops the session and removes it for good: container, folder, lock file.
    ///
    /// It is done once the session is on no list any more: files that this user may not remove are told of in
    /// [`findings`](Self::findings).
    fn delete(&mut self, id: &SessionId) -> Result<(), HostError>;

    /// Stops its container.
    fn kill(&mut self, id: &SessionId) -> Result<(), HostError>;

    /// Detaches everybody; it goes on running.
    fn background(&mut self, id: &SessionId) -> Result<(), HostError>;

    /// Starts its container, with nobody attached.
    fn restart(&mut self, id: &SessionId) -> Result<(), HostError>;

    /// Removes its lock file, if nobody holds it, or `holder` says that it may be taken from whoever does.
    fn unlock(&mut self, id: &SessionId, holder: Holder) -> Result<(), HostError>;

    /// What else there was to say with its last answer: told once.
    fn findings(&mut self) -> Vec<Finding> {
        Vec::new()
    }
}

/// Why a host has not done what was asked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It says no, or could not.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// It was not reached, not understood, or says no from afar.
    #[error(transparent)]
    Agent(#[from] AgentError),
}

impl HostError {
    /// A short name of it that does not change, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Session(error) => error.code(),
            Self::Agent(AgentError::Refused { code, .. }) => code,
            Self::Agent(AgentError::AtWork { .. }) => "still-at-work",
            Self::Agent(AgentError::Stopped { .. } | AgentError::Link(TransportError::Stopped)) => "stopped",
            Self::Agent(AgentError::NotAnId { .. }) => "not-an-id",
            Self::Agent(AgentError::HalfDone { .. }) => "half-done",
            Self::Agent(_) => "agent-unreachable",
        }
    }
}
