//! A session's lock file, taken for as long as a run works on it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use durable_files::remove_file_if_there;
use migration_engine::steps::Files;
use migration_engine::{Cause, StepError, World};
use session_control::Process;

/// The lock of a lane's session, and the files beside it.
#[derive(Debug, Default)]
pub struct Locks {
    pub(crate) files: Files,
    /// The lock file that is to be held.
    wanted: Option<PathBuf>,
    held: Option<Held>,
}

impl Locks {
    /// The lock of a session is taken now, or, if the plan begins with setting this stale one aside, right after that.
    pub(crate) fn of(session: &Path, stale: Option<&[u8]>) -> Result<Self, StepError> {
        let path = lock_of(session);
        let mut locks = Self { wanted: Some(path.clone()), ..Self::default() };
        match fs::read(&path) {
            Ok(found) if stale == Some(found.as_slice()) => return Ok(locks),
            // Killed, a run leaves its lock behind: it speaks for nobody any more.
            Ok(found) if !is_alive(&found) => drop(remove_file_if_there(&path)?),
            _ => {}
        }
        locks.take()?;
        Ok(locks)
    }

    fn take(&mut self) -> Result<(), StepError> {
        if let (Some(path), None) = (&self.wanted, &self.held) {
            self.held = Some(Held::take(path)?);
        }
        Ok(())
    }

    /// Gives the lock back for good.
    pub(crate) fn release(&mut self) {
        self.wanted = None;
        self.held = None;
    }
}

impl World for Locks {
    fn persist(&mut self) -> Result<(), StepError> {
        self.files.persist()
    }

    /// Makes what was published durable, and takes the lock if a stale one was in its way until now.
    fn settle(&mut self) -> Result<(), StepError> {
        self.files.settle()?;
        self.take()
    }

    fn abandon(&mut self) {
        self.files.abandon();
    }
}

/// Where the lock of a session's folder is.
pub(crate) fn lock_of(session: &Path) -> PathBuf {
    let mut name = session.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    session.with_file_name(name)
}

fn is_alive(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default().trim();
    text.parse().is_ok_and(|process| Process::alive(process).is_some())
}

#[derive(Debug)]
struct Held {
    path: PathBuf,
    text: String,
}

impl Held {
    /// The file holds the id of this process and nothing else, as other tools expect.
    fn take(path: &Path) -> Result<Self, StepError> {
        let text = std::process::id().to_string();
        let taken = fs::OpenOptions::new().write(true).create_new(true).open(path);
        match taken.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => Ok(Self { path: path.to_owned(), text }),
            Err(error) => {
                let message = format!("cannot take the lock {}: {error}", path.display());
                Err(Cause::new("locked", message).world())
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if fs::read(&self.path).is_ok_and(|text| text == self.text.as_bytes()) {
            let _ = remove_file_if_there(&self.path);
        }
    }
}
