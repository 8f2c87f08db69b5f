//! What sessions there are, and how they stand.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread::ScopedJoinHandle;

use legacy_readers::convocate::{self, Content};
use session_model::{Anomaly, Finding, SessionJson};

use super::base::left_behind;
use super::{Local, LocalHost, document};
use crate::{Lock, Profile, Session, SessionError, SessionId, valid_protocol};

/// What stands for a time that a document does not tell.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// How many containers are asked at the same time who is attached.
const AT_ONCE: usize = 8;

/// A session as it lies on the disk.
pub(super) struct Found {
    pub(super) id: SessionId,
    pub(super) document: SessionJson,
    lock: Option<Lock>,
}

impl Found {
    /// What people call it.
    pub(super) fn name(&self) -> &str {
        &self.document.fields().name
    }

    /// The protocol that counts.
    pub(super) fn protocol(&self) -> String {
        let protocol = &self.document.fields().protocol;
        valid_protocol(protocol).map_or_else(|_| protocol.trim().to_ascii_lowercase(), str::to_owned)
    }
}

impl LocalHost {
    /// All of them that can be read, in the order of their ids, and what there is to say of the others.
    pub(super) fn survey(&self) -> Result<(Vec<Session>, Vec<Finding>), SessionError> {
        let (found, findings) = self.read()?;
        let names = self.running()?;
        // Each question to a container takes a tenth of a second, nearly all of it waiting.
        let ask = |some: &[Found]| some.iter().map(|found| self.told(found, &names)).collect::<Vec<_>>();
        let (stopped, running): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| self.container_of(&found.id, &names).is_none());
        let mut told = ask(&stopped);
        std::thread::scope(|scope| {
            let share = running.len().div_ceil(AT_ONCE).max(1);
            let asking: Vec<_> = running.chunks(share).map(|some| scope.spawn(|| ask(some))).collect();
            let joined =
                |one: ScopedJoinHandle<'_, _>| one.join().unwrap_or_else(|panic| resume_unwind(panic));
            told.extend(asking.into_iter().flat_map(joined));
        });
        told.sort_by(|one, other| one.uuid.cmp(&other.uuid));
        Ok((told, findings))
    }

    pub(super) fn look_at(&self, id: &SessionId) -> Result<Session, SessionError> {
        let found = self.find(id)?;
        Ok(self.told(&found, &self.running()?))
    }

    /// One that was made just now, and cannot run yet.
    pub(super) fn look_at_new(&self, id: &SessionId) -> Result<Session, SessionError> {
        Ok(self.told(&self.find(id)?, &BTreeSet::new()))
    }

    /// All that can be read, without asking the engine.
    pub(super) fn found(&self) -> Result<Vec<Found>, SessionError> {
        Ok(self.read()?.0)
    }

    /// The same, with what cannot be read.
    fn read(&self) -> Result<(Vec<Found>, Vec<Finding>), SessionError> {
        let base = &self.local.base;
        let survey = convocate::read(base).map_err(|source| SessionError::Io {
            doing: "list the sessions in",
            path: base.clone(),
            source,
        })?;
        let (mut found, mut findings) = (Vec::new(), Vec::new());
        for session in survey.found {
            let Ok(id) = session.uuid.parse() else { continue };
            match session.content {
                Content::Read { document, .. } => {
                    found.push(Found { id, document, lock: session.lock.map(Lock::from) });
                }
                Content::Quarantined(anomaly) => {
                    let error = unparsable(&session.path, &anomaly);
                    findings
                        .push(Finding::warning(error.code(), format!("session {id} is not listed: {error}")));
                }
            }
        }
        findings.extend(left_behind(base));
        Ok((found, findings))
    }

    /// What people call it; of one whose document is broken nobody knows more than its id.
    pub(super) fn name_of(&self, id: &SessionId) -> Result<String, SessionError> {
        match self.find(id) {
            Err(SessionError::Unparsable { .. }) => Ok(id.to_string()),
            found => found.map(|found| found.name().to_owned()),
        }
    }

    pub(super) fn find(&self, id: &SessionId) -> Result<Found, SessionError> {
        let path = self.path_of(id);
        let Some(session) = convocate::session(&self.local.base, id.to_string()) else {
            if fs::symlink_metadata(&path).is_err() {
                return Err(SessionError::Missing { id: id.to_string() });
            }
            let path = path.join("session.json");
            return Err(SessionError::Unreadable { path, source: io::ErrorKind::NotFound.into() });
        };
        match session.content {
            Content::Read { document, .. } => {
                Ok(Found { id: id.clone(), document, lock: session.lock.map(Lock::from) })
            }
            Content::Quarantined(anomaly) => Err(unparsable(&path, &anomaly)),
        }
    }

    /// The names of the containers that run. An engine that does not say so is not one without containers.
    pub(crate) fn running(&self) -> Result<BTreeSet<String>, SessionError> {
        self.local.containers.names().map_err(SessionError::CheckRunning)
    }

    /// The container of a session among those that run: whatever release has started it.
    pub(crate) fn container_of<'n>(&self, id: &SessionId, names: &'n BTreeSet<String>) -> Option<&'n str> {
        let profiles = [self.local.profile].into_iter().chain(Profile::ALL);
        profiles.into_iter().find_map(|profile| names.get(&profile.container(id))).map(String::as_str)
    }

    /// What there is to tell of it while these containers run.
    pub(super) fn told(&self, found: &Found, names: &BTreeSet<String>) -> Session {
        let container = self.container_of(&found.id, names);
        let Local { containers, profile, .. } = &self.local;
        // Where nobody can be attached, nobody is: a container that has just begun has no tmux yet.
        let attached = container.is_some_and(|name| containers.is_attached(name, profile).unwrap_or(false));
        let fields = found.document.fields();
        let time = |key| found.document.text(key).filter(|time| !time.is_empty());
        Session {
            uuid: found.id.to_string(),
            name: fields.name.clone(),
            created_at: time("created_at").unwrap_or_else(|| NO_TIME.to_owned()),
            last_accessed: time("last_accessed").unwrap_or_else(|| NO_TIME.to_owned()),
            port: fields.port,
            protocol: fields.protocol.clone(),
            dns_name: fields.dns_name.clone(),
            running: container.is_some(),
            attached,
            locked: Some(found.lock.is_some()),
            lock_pid: found.lock.as_ref().and_then(Lock::pid),
            lock_stale: found.lock.as_ref().map(Lock::is_stale),
        }
    }
}

/// What is wrong with a session's document, and where in it.
fn unparsable(session: &Path, anomaly: &Anomaly) -> SessionError {
    let place = anomaly.place.as_ref();
    let reason = match place.and_then(|place| Some((place.line?, place.column?))) {
        Some((line, column)) => format!("line {line}, column {column}: {}", anomaly.message),
        None => anomaly.message.clone(),
    };
    SessionError::Unparsable { path: session.join(document::NAME), reason }
}
