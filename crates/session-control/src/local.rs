//! Sessions on this machine: folders in a base, and containers of an engine.

mod base;
mod below;
mod copying;
mod document;
mod folder;
mod litter;
mod locking;
mod making;
mod owner;
mod remarks;
mod room;
mod run;
mod survey;
mod watch;
mod wishes;

use std::path::PathBuf;
use std::time::Instant;

use session_model::{Finding, Timestamp};

pub use watch::Watch;

use crate::{Containers, Holder, HostError, LOCAL, Pong, Profile, Session, SessionHost, SessionId, Wishes};

/// The settings of a [`LocalHost`].
#[derive(Debug, Clone)]
pub struct Local {
    /// What this host is called: an agent's id, or `local`.
    pub id: String,
    /// The folder of all sessions.
    pub base: PathBuf,
    /// What things are called here.
    pub profile: Profile,
    /// The engine.
    pub containers: Containers,
    /// What containers are made of.
    pub image: String,
    /// The program that a session runs, seen by its container.
    pub claude: PathBuf,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// Whoever waits while something is copied or removed, or while the engine is asked.
    pub watch: Watch,
}

impl Local {
    /// The sessions of this base, with an engine, an image and a program at their usual places.
    pub fn new(base: impl Into<PathBuf>, profile: Profile) -> Self {
        Self {
            id: LOCAL.to_owned(),
            base: base.into(),
            profile,
            containers: Containers::default(),
            image: profile.image.to_owned(),
            claude: "/usr/local/bin/claude".into(),
            now: Timestamp::now,
            watch: Watch::default(),
        }
    }
}

/// This machine as a host of sessions.
#[derive(Debug)]
pub struct LocalHost {
    local: Local,
    findings: Vec<Finding>,
}

impl LocalHost {
    /// A host with these settings.
    pub fn new(mut local: Local) -> Self {
        local.containers.watch = local.watch.clone();
        Self { local, findings: Vec::new() }
    }

    /// Its settings.
    pub fn local(&self) -> &Local {
        &self.local
    }

    fn path_of(&self, id: &SessionId) -> PathBuf {
        self.local.base.join(id.as_str())
    }
}

impl SessionHost for LocalHost {
    fn id(&self) -> &str {
        &self.local.id
    }

    fn ping(&mut self) -> Result<Pong, HostError> {
        Ok(Pong::ours(&self.local.id, env!("CARGO_PKG_VERSION"), (self.local.now)()))
    }

    fn end_by(&mut self, deadline: Instant) {
        self.local.containers.until = Some(deadline);
    }

    fn heed(&mut self, watch: Watch) {
        self.local.watch = self.local.watch.clone().and(watch);
        self.local.containers.watch = self.local.watch.clone();
    }

    fn list(&mut self) -> Result<Vec<Session>, HostError> {
        let (sessions, findings) = self.survey()?;
        self.findings = findings;
        Ok(sessions)
    }

    fn get(&mut self, id: &SessionId) -> Result<Session, HostError> {
        Ok(self.look_at(id)?)
    }

    fn create(&mut self, wishes: &Wishes) -> Result<Session, HostError> {
        let (session, findings) = self.make(wishes)?;
        self.findings = findings;
        Ok(session)
    }

    fn edit(&mut self, id: &SessionId, wishes: &Wishes) -> Result<Session, HostError> {
        let (session, findings) = self.replace(id, wishes)?;
        self.findings = findings;
        Ok(session)
    }

    fn duplicate(&mut self, id: &SessionId, name: &str) -> Result<Session, HostError> {
        let (session, findings) = self.copy(id, name)?;
        self.findings = findings;
        Ok(session)
    }

    fn delete(&mut self, id: &SessionId) -> Result<(), HostError> {
        self.findings = self.remove(id)?;
        Ok(())
    }

    fn kill(&mut self, id: &SessionId) -> Result<(), HostError> {
        Ok(self.kill_container(id)?)
    }

    fn background(&mut self, id: &SessionId) -> Result<(), HostError> {
        Ok(self.detach_all(id)?)
    }

    fn restart(&mut self, id: &SessionId) -> Result<(), HostError> {
        self.findings = self.start(id)?;
        Ok(())
    }

    fn unlock(&mut self, id: &SessionId, holder: Holder) -> Result<(), HostError> {
        Ok(self.override_lock(id, holder)?)
    }

    fn findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }
}
