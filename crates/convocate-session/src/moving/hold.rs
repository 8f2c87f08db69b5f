//! A session's lock at the end where the session is, for as long as a run works on it.
//!
//! A lock file holds the id of a process, by which whoever finds it tells whether its owner is still at work; of a process on
//! another host that would be a lie, or by chance the id of somebody else's. So the lock is held by a process over there:
//! a shell that waits on our link for nothing but its end. It lives as long as we are connected, and removes the lock when
//! it is told to or when the link is gone, were we killed. Only if it is killed itself, or its host has not noticed yet that
//! the link is lost, does the file stay: then it is stale, or the next attempt of the same run ends that shell, which it
//! knows by the run's id among its arguments.

use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use convocate_migrate::parts::Lockable;
use durable_files::Quiet;
use migration_engine::{Cause, StepError};
use remote_transfer::{Duplex, Remote, RemoteCommand, Transport, TransportError};

/// How long an answer may take: a link that is lost is noticed before.
const PATIENCE: Duration = Duration::from_mins(1);

/// A lock that a run has if it wants it, for as long as this is not dropped.
pub(super) struct Lock {
    pub(super) remote: Remote,
    pub(super) wanted: Wanted,
    /// Whether it is to be held.
    pub(super) locks: bool,
    pub(super) held: Option<Held>,
}

/// What it takes to hold a lock.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) base: Vec<u8>,
    /// Which session's.
    pub(super) uuid: String,
    pub(super) run: String,
    /// A stale lock that is to be set aside by a step of the run, by device and inode.
    pub(super) stale: Option<String>,
    pub(super) as_root: bool,
}

/// That it is held.
#[derive(Debug)]
pub(super) struct Held {
    release: Option<Sender<()>>,
    holder: Option<JoinHandle<()>>,
    /// The process over there.
    process: String,
}

impl Lock {
    /// Takes it where it is wanted, unless it is had, or a stale one is to be set aside before.
    pub(super) fn take(&mut self) -> Result<(), StepError> {
        if self.locks && self.held.is_none() {
            let link = self.remote.far().link().another();
            self.held = self.wanted.take(link)?;
        }
        Ok(())
    }

    /// Takes it though a stale one is there, which goes. Answers whether it was not had until now.
    pub(super) fn take_over(&mut self) -> Result<bool, StepError> {
        let had = self.held.is_some();
        self.wanted.stale = None;
        self.take()?;
        Ok(!had && self.held.is_some())
    }

    /// Gives it back for good.
    pub(super) fn release(&mut self) {
        self.locks = false;
        self.held = None;
    }

    /// The id of the process over there that has it.
    pub(super) fn process(&self) -> &str {
        self.held.as_ref().map_or("", |held| &held.process)
    }
}

/// The name of a session's lock file.
pub(super) fn lock_of(uuid: &str) -> String {
    Lockable::name(uuid)
}

impl Wanted {
    /// A script of ours, run as whoever has the sessions.
    pub(super) fn command(&self, script: &str, words: &[&[u8]]) -> RemoteCommand {
        if self.as_root { RemoteCommand::sudo(script, words) } else { RemoteCommand::sh(script, words) }
    }

    /// Takes it, unless the stale one is still there.
    pub(super) fn take(&self, link: Box<dyn Transport>) -> Result<Option<Held>, StepError> {
        let (lock, stale) = (lock_of(&self.uuid), self.stale.as_deref().unwrap_or_default());
        let words = [&self.base, lock.as_bytes(), self.run.as_bytes(), stale.as_bytes()];
        let (command, peer) = (self.command(include_str!("hold.sh"), &words), link.peer().to_owned());
        let ((said, hears), (release, waits)) = (channel(), channel());
        let holder = std::thread::spawn(move || hold(link, &command, &said, &waits));
        let mut held = Held { release: Some(release), holder: Some(holder), process: String::new() };
        let not_taken = |code: &str, why: &str| {
            Err(Cause::new(code, format!("cannot take the lock {lock} on {peer}: {why}")).world())
        };
        match hears.recv_timeout(PATIENCE) {
            Ok(Ok(answer)) => match answer.split_once(' ') {
                Some(("taken", process)) => {
                    process.clone_into(&mut held.process);
                    Ok(Some(held))
                }
                None if answer == "stale" => Ok(None),
                None if answer == "full" => not_taken("no-room", "there is no room for it"),
                Some(("held", _)) => not_taken("locked", &answer),
                _ => not_taken("far-end", &answer),
            },
            Ok(Err(error)) => Err(Cause::new("far-end", error.to_string()).world()),
            Err(_) => not_taken("far-end", "nothing is heard"),
        }
    }
}

fn hold(
    mut link: Box<dyn Transport>,
    command: &RemoteCommand,
    said: &Sender<Result<String, TransportError>>,
    waits: &Receiver<()>,
) {
    let mut quiet = Quiet;
    let mut talk = match link.converse(command, &mut quiet) {
        Ok(talk) => talk,
        Err(error) => return drop(said.send(Err(error))),
    };
    let answer = line(&mut *talk);
    let taken = answer.as_ref().is_ok_and(|answer| answer.starts_with("taken "));
    if said.send(answer).is_ok() && taken {
        let _ = waits.recv(); // which ends when nobody holds it any more
        // A link that is lost ends it too.
        let _ = talk.write_all(b"\n").and_then(|()| talk.flush()).map(|()| line(&mut *talk));
    }
}

/// The next line.
fn line(talk: &mut dyn Duplex) -> Result<String, TransportError> {
    let (mut said, mut byte) = (Vec::new(), [0]);
    loop {
        let read = talk.read(&mut byte).map_err(|error| match error.downcast::<TransportError>() {
            Ok(error) => error,
            Err(source) => TransportError::Local { doing: "take a lock".to_owned(), source },
        })?;
        if read == 0 || byte[0] == b'\n' || said.len() > 200 {
            return Ok(String::from_utf8_lossy(&said).escape_debug().to_string());
        }
        said.push(byte[0]);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.release.take());
        if let Some(holder) = self.holder.take() {
            let _ = holder.join(); // it has nothing to say any more
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use remote_transfer::{Target, TransportKind};

    use super::*;

    #[test]
    fn where_there_is_no_room_for_a_lock_that_is_said_and_none_is_left_behind() {
        let base = tempfile::tempdir().unwrap();
        let disk = testkit::disk::Disk::in_memory(base.path(), "size=64k");
        let _ = fs::write(base.path().join("fills it"), vec![7; 1 << 20]);
        let wanted = Wanted {
            base: base.path().as_os_str().as_encoded_bytes().to_vec(),
            uuid: "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f".into(),
            run: "one".into(),
            stale: None,
            as_root: false,
        };
        let Err(StepError::World(cause)) = wanted.take(TransportKind::Here.open(Target::new("here"))) else {
            panic!("there is no room")
        };
        assert!(cause.code == "no-room" && cause.message.contains("no room"), "{cause:?}");
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1, "an empty lock is left");
        drop(disk);
    }

    #[test]
    fn of_two_runs_that_want_one_session_the_first_keeps_it_and_its_own_next_attempt_gets_it() {
        let base = tempfile::tempdir().unwrap();
        let uuid = "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f";
        let take = |run: &str| {
            let base = base.path().as_os_str().as_encoded_bytes().to_vec();
            let wanted = Wanted { base, uuid: uuid.into(), run: run.into(), stale: None, as_root: false };
            wanted.take(TransportKind::Here.open(Target::new("here")))
        };
        let first = take("one").unwrap();
        let lock = base.path().join(lock_of(uuid));
        let owner = fs::read_to_string(&lock).unwrap();
        let Err(StepError::World(cause)) = take("two") else { panic!("both have it") };
        assert!(cause.message.contains(&format!("held by process {owner}")), "{}", cause.message);
        assert_eq!(fs::read_to_string(&lock).unwrap(), owner);
        let again = take("one").unwrap();
        assert_ne!(fs::read_to_string(&lock).unwrap(), owner);
        drop(first);
        assert!(lock.exists(), "the newer attempt has it");
        drop(again);
        assert!(!lock.exists());
    }
}
