//! A host that is asked over SSH: an agent of ours, or an original one that is helped to behave the same
//! (formats/convocate.md §19).

use remote_transfer::Transport;
use serde::de::{DeserializeOwned, IgnoredAny};
use session_model::Finding;

use crate::protocol::Request;
use crate::{
    AgentError, Holder, HostError, Pong, Session, SessionError, SessionHost, SessionId, Wishes, valid_name,
};

/// An agent, asked over SSH.
///
/// Each question is a channel of its own on one connection, is sent once, and has a time to be answered in. Nothing is
/// asked for an id that is none: there is no way to say one.
pub struct RemoteHost {
    id: String,
    link: Box<dyn Transport>,
    /// What it is, once that had to be known.
    about: Option<Pong>,
    findings: Vec<Finding>,
}

impl RemoteHost {
    /// The agent of this id, to be reached like this. Nothing is sent yet.
    pub fn new(id: String, link: Box<dyn Transport>) -> Self {
        Self { id, link, about: None, findings: Vec::new() }
    }

    fn ask<T: DeserializeOwned>(&mut self, request: &Request) -> Result<T, AgentError> {
        let (result, findings) = crate::agent::ask_all(&mut *self.link, request)?;
        self.findings = findings;
        Ok(result)
    }

    fn tell(&mut self, request: &Request) -> Result<(), AgentError> {
        self.ask::<IgnoredAny>(request).map(|_| ())
    }

    /// What it is: asked when it first matters, and remembered.
    fn about(&mut self) -> Result<&Pong, AgentError> {
        if self.about.is_none() {
            self.about = Some(self.ask(&Request::Ping)?);
        }
        Ok(self.about.get_or_insert_default())
    }

    /// An original deletes the folder under a container that runs, and none with a lock, even a stale one. What may
    /// refuse comes first: a session that stays is not stopped.
    fn delete_at_an_original(&mut self, id: &SessionId) -> Result<(), AgentError> {
        let _: Session = self.ask(&Request::Get(id.clone()))?;
        match self.tell(&Request::Override { id: id.clone(), holder: Holder::Nobody }) {
            Err(AgentError::Refused { code: "not-locked", .. }) => {}
            other => other?,
        }
        self.stop_at_an_original(id)?;
        self.tell(&Request::Delete(id.clone()))
    }

    /// An original says that a session does not run whenever its engine has not told it (formats/convocate.md §20.3), so
    /// it is told to stop it all the same. That there was nothing to stop counts if it still says so afterwards.
    fn stop_at_an_original(&mut self, id: &SessionId) -> Result<(), AgentError> {
        let killed = self.tell(&Request::Kill(id.clone()));
        let found_none = match &killed {
            Err(AgentError::Refused { code, message, .. }) => {
                *code == "not-running" || message == "exit status 1"
            }
            _ => false,
        };
        if found_none && !self.ask::<Session>(&Request::Get(id.clone()))?.running { Ok(()) } else { killed }
    }

    /// An original forgets the protocol of what it clones.
    fn duplicate_at_an_original(&mut self, source: &SessionId, name: &str) -> Result<Session, AgentError> {
        let of: Session = self.ask(&Request::Get(source.clone()))?;
        let made: Session = self.ask(&Request::Clone { source: source.clone(), name: name.to_owned() })?;
        if made.protocol == of.protocol {
            return Ok(made);
        }
        let Some(id) = made.id() else { return Ok(made) };
        let wishes = Wishes { name: made.name, protocol: of.protocol, ..Wishes::default() };
        self.ask(&Request::Edit(id, wishes)).map_err(|source| AgentError::HalfDone {
            op: "clone",
            peer: self.link.peer().to_owned(),
            done: format!("session {} was made, without its protocol", made.uuid),
            source: Box::new(source),
        })
    }
}

/// What an agent will be told: an original one looks at half of it only.
fn checked(wishes: &Wishes) -> Result<Wishes, SessionError> {
    Ok(wishes.checked()?)
}

impl SessionHost for RemoteHost {
    fn id(&self) -> &str {
        &self.id
    }

    fn ping(&mut self) -> Result<Pong, HostError> {
        let pong: Pong = self.ask(&Request::Ping)?;
        self.about = Some(pong.clone());
        Ok(pong)
    }

    fn list(&mut self) -> Result<Vec<Session>, HostError> {
        let (mut sessions, findings) = crate::agent::list_all(&mut *self.link)?;
        self.findings = findings;
        sessions.sort_by(|a, b| a.uuid.cmp(&b.uuid));
        Ok(sessions)
    }

    fn get(&mut self, id: &SessionId) -> Result<Session, HostError> {
        Ok(self.ask(&Request::Get(id.clone()))?)
    }

    fn create(&mut self, wishes: &Wishes) -> Result<Session, HostError> {
        Ok(self.ask(&Request::Create(checked(wishes)?))?)
    }

    fn edit(&mut self, id: &SessionId, wishes: &Wishes) -> Result<Session, HostError> {
        Ok(self.ask(&Request::Edit(id.clone(), checked(wishes)?))?)
    }

    fn duplicate(&mut self, id: &SessionId, name: &str) -> Result<Session, HostError> {
        let name = valid_name(name).map_err(SessionError::Invalid)?;
        if self.about()?.is_ours() {
            return Ok(self.ask(&Request::Clone { source: id.clone(), name: name.to_owned() })?);
        }
        Ok(self.duplicate_at_an_original(id, name)?)
    }

    fn delete(&mut self, id: &SessionId) -> Result<(), HostError> {
        if self.about()?.is_ours() {
            return Ok(self.tell(&Request::Delete(id.clone()))?);
        }
        Ok(self.delete_at_an_original(id)?)
    }

    fn kill(&mut self, id: &SessionId) -> Result<(), HostError> {
        Ok(self.tell(&Request::Kill(id.clone()))?)
    }

    fn background(&mut self, id: &SessionId) -> Result<(), HostError> {
        Ok(self.tell(&Request::Background(id.clone()))?)
    }

    fn restart(&mut self, id: &SessionId) -> Result<(), HostError> {
        Ok(self.tell(&Request::Restart(id.clone()))?)
    }

    fn unlock(&mut self, id: &SessionId, holder: Holder) -> Result<(), HostError> {
        let needs: &[&str] = match holder {
            Holder::Nobody => &[],
            Holder::Process(_) => &["force", "pid"],
            Holder::Anybody => &["force"],
        };
        // Of an agent that does not know such a wish, a lock is asked for that is nobody's.
        let understood =
            needs.is_empty() || needs.iter().all(|need| self.about().is_ok_and(|it| it.has(need)));
        let holder = if understood { holder } else { Holder::Nobody };
        Ok(self.tell(&Request::Override { id: id.clone(), holder })?)
    }

    fn findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }
}
