//! What sessions there are, and how they stand.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use legacy_readers::convocate::{self, Content};
use session_model::{Anomaly, SessionJson};

use super::{Local, LocalHost};
use crate::{Lock, Profile, Session, SessionError, SessionId};

/// What stands for a time that a document does not tell.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

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
}

impl LocalHost {
    /// All of them that can be read, in the order of their ids.
    pub(super) fn survey(&self) -> Result<Vec<Session>, SessionError> {
        let found = self.found()?;
        let names = self.running()?;
        Ok(found.iter().map(|found| self.told(found, &names)).collect())
    }

    pub(super) fn look_at(&self, id: &SessionId) -> Result<Session, SessionError> {
        let found = self.find(id)?;
        Ok(self.told(&found, &self.running()?))
    }

    /// All that can be read, without asking the engine.
    pub(super) fn found(&self) -> Result<Vec<Found>, SessionError> {
        let base = &self.local.base;
        let survey = convocate::read(base).map_err(|source| SessionError::Io {
            doing: "list the sessions in",
            path: base.clone(),
            source,
        })?;
        let read = survey.found.into_iter().filter_map(|session| {
            let Content::Read { document, .. } = session.content else { return None };
            let id = session.uuid.parse().ok()?;
            Some(Found { id, document, lock: session.lock.map(Lock::from) })
        });
        Ok(read.collect())
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
            Content::Quarantined(anomaly) => {
                Err(SessionError::Unparsable { path: path.join("session.json"), reason: reason(&anomaly) })
            }
        }
    }

    /// The names of the containers that run. An engine that does not say so is not one without containers.
    pub(super) fn running(&self) -> Result<BTreeSet<String>, SessionError> {
        self.local.containers.names().map_err(SessionError::CheckRunning)
    }

    /// The container of a session among those that run: whatever release has started it.
    pub(super) fn container_of<'n>(&self, id: &SessionId, names: &'n BTreeSet<String>) -> Option<&'n str> {
        let profiles = [self.local.profile].into_iter().chain(Profile::ALL);
        profiles.into_iter().find_map(|profile| names.get(&profile.container(id))).map(String::as_str)
    }

    fn told(&self, found: &Found, names: &BTreeSet<String>) -> Session {
        let container = self.container_of(&found.id, names);
        let Local { containers, profile, now, .. } = &self.local;
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
            lock_stale: found.lock.as_ref().map(|lock| lock.is_stale(now())),
        }
    }
}

/// What is wrong with a document, and where in it.
fn reason(anomaly: &Anomaly) -> String {
    let place = anomaly.place.as_ref();
    match place.and_then(|place| Some((place.line?, place.column?))) {
        Some((line, column)) => format!("line {line}, column {column}: {}", anomaly.message),
        None => anomaly.message.clone(),
    }
}
