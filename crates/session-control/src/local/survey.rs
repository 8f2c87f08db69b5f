//! What sessions there are, and how they stand.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use legacy_readers::convocate::{self, Content};
use rustix::fs::Access;
use rustix::io::Errno;
use session_model::{Anomaly, Finding, SessionJson};

use super::{Local, LocalHost, document, litter};
use crate::{Lock, Profile, Session, SessionError, SessionId, Unknown, valid_protocol};

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
    /// One that has been given this document just now.
    pub(super) fn unlocked(id: SessionId, document: SessionJson) -> Self {
        Self { id, document, lock: None }
    }

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
    /// All of them that can be read, in the order of their ids, and what there is to say of the others. An engine that
    /// does not say what runs hides none.
    pub(super) fn survey(&self) -> Result<(Vec<Session>, Vec<Finding>), SessionError> {
        let (found, mut findings) = self.read()?;
        if found.is_empty() {
            return Ok((Vec::new(), findings)); // there is nothing to ask an engine about
        }
        let names = self.running();
        findings.extend(names.as_ref().err().map(not_known));
        Ok((self.all_told(&found, names.ok().as_ref()), findings))
    }

    /// All of them, without a question to an engine.
    pub(crate) fn list_unasked(&self) -> Result<(Vec<Session>, Vec<Finding>), SessionError> {
        let (found, findings) = self.read()?;
        Ok((self.all_told(&found, None), findings))
    }

    /// One of them, without a question to an engine.
    pub(crate) fn get_unasked(&self, id: &SessionId) -> Result<Session, SessionError> {
        Ok(self.told(&self.find(id)?, None))
    }

    pub(super) fn look_at(&self, id: &SessionId) -> Result<Session, SessionError> {
        let found = self.find(id)?;
        Ok(self.told(&found, self.running().ok().as_ref()))
    }

    /// One that was made just now, and cannot run yet.
    pub(super) fn told_of_new(&self, id: SessionId, document: SessionJson) -> Session {
        self.told(&Found::unlocked(id, document), Some(&BTreeSet::new()))
    }

    /// Each question to a container takes a tenth of a second, nearly all of it waiting; one that hangs holds up no other.
    fn all_told(&self, found: &[Found], names: Option<&BTreeSet<String>>) -> Vec<Session> {
        let next = Mutex::new(found.iter());
        let take = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
        let some = || std::iter::from_fn(take).map(|found| self.told(found, names)).collect::<Vec<_>>();
        let mut told: Vec<_> = thread::scope(|scope| {
            let asking = names.map_or(0, BTreeSet::len).min(AT_ONCE);
            let asking: Vec<_> = (0..asking).map(|_| scope.spawn(some)).collect();
            let ours = some();
            let theirs =
                asking.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)));
            theirs.flatten().chain(ours).collect()
        });
        told.sort_by(|one, other| one.uuid.cmp(&other.uuid));
        told
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
                    let error = broken(&session.path, &anomaly);
                    findings
                        .push(Finding::warning(error.code(), format!("session {id} is not listed: {error}")));
                }
            }
        }
        findings.extend(litter::findings(base));
        Ok((found, findings))
    }

    /// What people call it; of one whose document is broken nobody knows more than its id.
    pub(super) fn name_of(&self, id: &SessionId) -> Result<String, SessionError> {
        self.must_be_a_session(id)?;
        Ok(self.find(id).map_or_else(|_| id.to_string(), |found| found.name().to_owned()))
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
            Content::Quarantined(anomaly) => Err(broken(&path, &anomaly)),
        }
    }

    /// The names of the containers that run. An engine that does not say so is not one without containers.
    pub(crate) fn running(&self) -> Result<BTreeSet<String>, SessionError> {
        let names = self.local.containers.names();
        names.map_err(|error| self.unless_stopped(SessionError::CheckRunning(error)))
    }

    /// Why an engine has not answered: nobody waits any more, or this.
    pub(super) fn unless_stopped(&self, otherwise: SessionError) -> SessionError {
        self.local.watch.check().err().unwrap_or(otherwise)
    }

    /// The container of a session among those that run: whatever release has started it.
    pub(crate) fn container_of<'n>(&self, id: &SessionId, names: &'n BTreeSet<String>) -> Option<&'n str> {
        let profiles = [self.local.profile].into_iter().chain(Profile::ALL);
        profiles.into_iter().find_map(|profile| names.get(&profile.container(id))).map(String::as_str)
    }

    /// What there is to tell of it while these containers run, or while nobody knows which.
    pub(super) fn told(&self, found: &Found, names: Option<&BTreeSet<String>>) -> Session {
        let container = names.and_then(|names| self.container_of(&found.id, names));
        let Local { containers, profile, .. } = &self.local;
        let attached = container.map_or(Some(false), |name| containers.attachment(name, profile));
        let unknown = match names {
            None => Some(Unknown::Running),
            Some(_) => attached.is_none().then_some(Unknown::Attached),
        };
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
            attached: attached.unwrap_or_default(),
            unknown,
            locked: Some(found.lock.is_some()),
            lock_pid: found.lock.as_ref().and_then(Lock::pid),
            lock_stale: found.lock.as_ref().map(|lock| lock.is_stale((self.local.now)())),
        }
    }
}

/// What is wrong with a session's document, and where in it.
fn broken(session: &Path, anomaly: &Anomaly) -> SessionError {
    let path = session.join(document::NAME);
    if rustix::fs::access(&path, Access::READ_OK) == Err(Errno::ACCESS) {
        return SessionError::Unreadable { path, source: Errno::ACCESS.into() };
    }
    let place = anomaly.place.as_ref();
    let reason = match place.and_then(|place| Some((place.line?, place.column?))) {
        Some((line, column)) => format!("line {line}, column {column}: {}", anomaly.message),
        None => anomaly.message.clone(),
    };
    SessionError::Unparsable { path, reason }
}

/// What there is to say if an engine does not tell what runs.
fn not_known(error: &SessionError) -> Finding {
    Finding::warning(error.code(), format!("nobody knows which sessions run: {error}; docker ps tells more"))
}
