//! A session's container: started, stopped, and left by everybody. None of this has an undo.

use std::ffi::OsString;
use std::path::{self, Path, PathBuf};

use durable_files::InContext;
use session_model::Finding;

use super::base::Base;
use super::folder::Folder;
use super::locking::unless_left;
use super::owner::Owner;
use super::survey::Found;
use super::{LocalHost, document};
use crate::containers::Complaint;
use crate::{SessionError, SessionId};

/// The slice in which all sessions share the machine's memory and processors.
const SLICE: &str = "convocate-sessions.slice";
/// The folder in the base with the settings that all sessions share.
const SETTINGS: &str = ".claude";
/// What an engine is at that was told to stop a container.
const STOPPING: &str = "stopping its container";
/// Where a container finds the engine.
const SOCKET: &str = "/var/run/docker.sock";

impl LocalHost {
    pub(super) fn kill_container(&self, id: &SessionId) -> Result<(), SessionError> {
        let name = self.name_of(id)?;
        if self.stop(id)? { Ok(()) } else { Err(SessionError::NotRunning { name }) }
    }

    /// Stops what runs of a session, and tells whether anything did.
    pub(super) fn stop(&self, id: &SessionId) -> Result<bool, SessionError> {
        let names = self.running()?;
        let Some(container) = self.container_of(id, &names) else { return Ok(false) };
        self.local.watch.check()?;
        let stopped = self.local.containers.stop(container);
        match (self.running(), stopped) {
            (Err(SessionError::Stopped), Ok(())) => Ok(true), // so the engine says, and nobody waits for more
            (Err(error), stopped) => {
                Err(not_awaited(error, STOPPING, stopped.err().and_then(|it| it.goes_on)))
            }
            // It may have ended by itself meanwhile; and one that goes on running was not stopped, whatever was said.
            (Ok(names), stopped) if names.contains(container) => {
                let complaint =
                    stopped.err().unwrap_or_else(|| format!("{container} goes on running").into());
                Err(self.not_done(complaint, SessionError::Stop, STOPPING))
            }
            _ => Ok(true),
        }
    }

    pub(super) fn detach_all(&self, id: &SessionId) -> Result<(), SessionError> {
        let name = self.name_of(id)?;
        let not_connected = || SessionError::NotConnected { name: name.clone() };
        let names = self.running()?;
        let container = self.container_of(id, &names).ok_or_else(not_connected)?;
        let (containers, profile) = (&self.local.containers, &self.local.profile);
        let unknown = |complaint: Complaint| self.unless_stopped(SessionError::Detach(complaint.said));
        if !containers.is_attached(container, profile).map_err(unknown)? {
            return Err(not_connected());
        }
        let detached = containers.detach(container, profile);
        detached.map_err(|complaint| self.not_done(complaint, SessionError::Detach, "detaching its people"))
    }

    pub(super) fn start(&self, id: &SessionId) -> Result<Vec<Finding>, SessionError> {
        let held = {
            let _base = Base::lock(&self.local.base)?;
            self.find(id)?;
            self.take(id)?
        };
        let found = self.find(id)?; // as it is now that it is ours
        let already = || SessionError::AlreadyRunning { name: found.name().to_owned() };
        if self.container_of(id, &self.running()?).is_some() {
            return Err(already());
        }
        let base = self.base_for_containers()?;
        self.must_have_claude()?;
        let owner = Owner::of(&base)?;
        share_settings(&base, owner)?;
        let words = self.run_command(&found, &base, owner);
        self.local.watch.check()?;
        let findings = self.touch(&found)?.into_iter().collect();
        self.local.watch.check()?; // that may have taken its time
        let (containers, starting) = (&self.local.containers, self.local.containers.starting);
        let started = containers.order(words, starting).map_err(|complaint| match self.running() {
            // Somebody else was quicker.
            Ok(names) if self.container_of(id, &names).is_some() => already(),
            _ => self.not_done(complaint, SessionError::Start, "starting its container"),
        });
        unless_left(held, started).map(|_| findings)
    }

    /// Why the engine has not done what it was told: nobody waits any more, or this.
    fn not_done(
        &self,
        complaint: Complaint,
        otherwise: fn(String) -> SessionError,
        doing: &'static str,
    ) -> SessionError {
        not_awaited(self.unless_stopped(otherwise(complaint.said)), doing, complaint.goes_on)
    }

    /// Notes that it is worked with now.
    fn touch(&self, found: &Found) -> Result<Option<Finding>, SessionError> {
        let now = (self.local.now)().to_string();
        document::replace(&self.path_of(&found.id), &found.document.with("last_accessed", Some(&now)))
    }

    /// The base as containers are given it: with its whole path.
    fn base_for_containers(&self) -> Result<PathBuf, SessionError> {
        let base = path::absolute(&self.local.base).doing("find", &self.local.base)?;
        if base.as_os_str().as_encoded_bytes().contains(&b':') {
            let complaint =
                format!("no container can be given {}: there is a colon in its path", base.display());
            return Err(SessionError::Start(complaint));
        }
        Ok(base)
    }

    fn must_have_claude(&self) -> Result<(), SessionError> {
        if self.local.claude.is_file() {
            return Ok(());
        }
        Err(SessionError::NoClaude { program: self.local.claude.clone() })
    }

    /// The command that starts its container, in the order in which the original has it.
    fn run_command(&self, found: &Found, base: &Path, owner: Owner) -> Vec<OsString> {
        let (profile, id) = (&self.local.profile, &found.id);
        let mut words: Vec<OsString> = ["run", "--rm", "--detach", "--name"].map(Into::into).into();
        words.push(profile.container(id).into());
        words.extend(["--hostname".into(), format!("{}{}", profile.hostname_prefix, id.short()).into()]);
        words.extend(["-w", profile.home, "--cgroup-parent", SLICE].map(OsString::from));
        words.extend(self.volumes(id, base).into_iter().flat_map(|volume| ["-v".into(), volume]));
        let port = found.document.fields().port;
        if port > 0 {
            words.extend(["-p".into(), format!("{port}:{port}/{}", found.protocol()).into()]);
        }
        for (name, value) in [("UID", owner.uid), ("GID", owner.gid)] {
            words.extend(["-e".into(), format!("{}_{name}={value}", profile.environment).into()]);
        }
        words.push(self.local.image.clone().into());
        words
    }

    /// What of this machine its container sees.
    fn volumes(&self, id: &SessionId, base: &Path) -> Vec<OsString> {
        let (local, home) = (&self.local, self.local.profile.home);
        let session = [
            (base.join(id.as_str()), home.to_owned()),
            (base.join(SETTINGS), format!("{home}/.claude-shared:ro")),
        ];
        let perhaps = [
            (local.containers.socket.clone(), SOCKET.to_owned()),
            (base.join(".ssh"), format!("{home}/.ssh:ro")),
            (base.join(".gitconfig"), format!("{home}/.gitconfig:ro")),
        ];
        let perhaps = perhaps.into_iter().filter(|(here, _)| here.exists());
        let claude = (local.claude.clone(), "/usr/local/bin/claude:ro".to_owned());
        let all = session.into_iter().chain(perhaps).chain([claude]);
        all.map(|(here, there)| volume(&here, &there)).collect()
    }
}

/// Makes the folder of settings that all sessions share, unless it is there: an engine would make it, and root's.
fn share_settings(base: &Path, owner: Owner) -> Result<(), SessionError> {
    let settings = base.join(SETTINGS);
    if settings.exists() {
        return Ok(());
    }
    let made = Folder::make(&settings)?;
    made.told(owner.give(made.path()))
}

/// That somebody has said stop, when the engine had been told to do this.
fn not_awaited(error: SessionError, doing: &'static str, by: Option<u32>) -> SessionError {
    if matches!(error, SessionError::Stopped) { SessionError::NotAwaited { doing, by } } else { error }
}

fn volume(here: &Path, there: &str) -> OsString {
    let mut volume = here.as_os_str().to_owned();
    volume.push(":");
    volume.push(there);
    volume
}

#[cfg(test)]
mod tests {
    use crate::{Local, LocalHost, Profile, SessionHost, Wishes};

    #[test]
    fn a_container_is_started_with_the_words_that_an_original_agent_has_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().display().to_string();
        let claude = folder.path().join("claude");
        for name in ["claude", "socket", ".ssh", ".gitconfig"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let mut local = Local::new(folder.path(), Profile::CONVOCATE_0_0_6);
        local.containers.program = "/no/such/docker".into();
        local.containers.socket = folder.path().join("socket");
        local.claude.clone_from(&claude);
        let mut host = LocalHost::new(local.clone());
        let wishes = Wishes { name: "a".into(), port: 53, protocol: "udp".into(), ..Wishes::default() };
        let id = host.create(&wishes).unwrap().id().unwrap();
        let owner = super::Owner::of(folder.path()).unwrap();
        super::share_settings(folder.path(), owner).unwrap();
        assert!(folder.path().join(".claude").is_dir(), "an engine would make it, and root's");
        let said = |local: Local| {
            let host = LocalHost::new(local);
            let words = host.run_command(&host.find(&id).unwrap(), folder.path(), owner);
            let words: Vec<_> = words.into_iter().map(|word| word.into_string().unwrap()).collect();
            words.join(" ").replace(&base, "BASE").replace(id.as_str(), "UUID").replace(id.short(), "SHORT")
        };
        let (uid, gid) = (owner.uid, owner.gid);
        let expected = format!(
            "run --rm --detach --name convocate-session-UUID --hostname convocate-SHORT -w /home/convocate \
             --cgroup-parent convocate-sessions.slice -v BASE/UUID:/home/convocate \
             -v BASE/.claude:/home/convocate/.claude-shared:ro -v BASE/socket:/var/run/docker.sock \
             -v BASE/.ssh:/home/convocate/.ssh:ro -v BASE/.gitconfig:/home/convocate/.gitconfig:ro \
             -v BASE/claude:/usr/local/bin/claude:ro -p 53:53/udp \
             -e CONVOCATE_UID={uid} -e CONVOCATE_GID={gid} convocate:v0.0.6"
        );
        assert_eq!(said(Local { image: "convocate:v0.0.6".into(), ..local.clone() }), expected);

        // What is not there is not seen, and an engine is not asked to make it.
        for name in ["socket", ".ssh", ".gitconfig"] {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        host.edit(&id, &Wishes { port: 0, ..wishes }).unwrap();
        let least = format!(
            "-v BASE/UUID:/home/convocate -v BASE/.claude:/home/convocate/.claude-shared:ro \
             -v BASE/claude:/usr/local/bin/claude:ro -e CONVOCATE_UID={uid} -e CONVOCATE_GID={gid} convocate:latest"
        );
        assert!(said(local.clone()).ends_with(&least), "{}", said(local));
    }
}
