//! The folder of all sessions: had by one operation at a time, and kept free of what a killed one has left.
//!
//! What is being made or removed lies beside the sessions under a name that is no session's, and whoever is at it holds
//! the lock of that folder. So a folder with such a name that nobody holds is litter.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use durable_files::{
    DirLock, FileError, InContext, LockError, create_private_dir, publish_new, remove_tree_if_there, sync_dir,
};
use rustix::process::geteuid;
use session_model::is_session_id;

use crate::{SessionError, SessionId};

/// How long one operation waits for another, which is short unless it is a migration.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the names begin with of folders that are no sessions yet, or no more.
const CREATING: &str = ".creating-";
const CLONING: &str = ".cloning-";
const DELETED: &str = ".deleted-";

/// The folder of all sessions, while nobody else may change which there are.
pub(super) struct Base {
    path: PathBuf,
    _lock: DirLock,
}

impl Base {
    pub(super) fn lock(path: &Path) -> Result<Self, SessionError> {
        let begun = Instant::now();
        loop {
            match DirLock::take(path) {
                Ok(lock) => return Ok(Self { path: path.to_owned(), _lock: lock }),
                Err(LockError::File(error)) => return Err(error.into()),
                Err(LockError::Held(base)) if begun.elapsed() > PATIENCE => {
                    return Err(SessionError::Busy { base });
                }
                Err(LockError::Held(_)) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Claims everything that a killed operation has left.
    pub(super) fn litter(&self) -> Litter {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_staging));
        let folders = ours.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        Litter(folders.filter_map(|entry| DirLock::take(&entry.path()).ok()).collect())
    }

    /// Where a session is made.
    pub(super) fn creating(&self, id: &SessionId) -> Result<Staging, SessionError> {
        self.staging(format!("{CREATING}{id}"))
    }

    /// Where a session is copied to.
    pub(super) fn cloning(&self, id: &SessionId) -> Result<Staging, SessionError> {
        self.staging(format!("{CLONING}{id}"))
    }

    fn staging(&self, name: String) -> Result<Staging, SessionError> {
        let path = self.path.join(name);
        create_private_dir(&path)?;
        let lock = match DirLock::take(&path) {
            Ok(lock) => lock,
            Err(LockError::File(error)) => return Err(error.into()),
            Err(LockError::Held(base)) => return Err(SessionError::Busy { base }),
        };
        Ok(Staging { base: self.path.clone(), lock, path: Some(path) })
    }

    /// Takes a session off the list: what was its folder is litter then, which is still to be removed.
    pub(super) fn withdraw(&self, id: &SessionId) -> Result<Litter, SessionError> {
        let free = (0..).map(|n: u64| self.path.join(format!("{DELETED}{id}-{n}")));
        let aside = free.into_iter().find(|path| path.symlink_metadata().is_err());
        let aside = aside.expect("because some number has not been used");
        let session = self.path.join(id.as_str());
        let lock = match DirLock::take(&session) {
            Ok(lock) => lock,
            Err(LockError::File(error)) => return Err(error.into()),
            Err(LockError::Held(base)) => return Err(SessionError::Busy { base }),
        };
        publish_new(&session, &aside)?;
        sync_dir(&self.path)?;
        Ok(Litter(lock.renamed(&aside).into_iter().collect()))
    }
}

fn is_staging(name: &str) -> bool {
    let rest = [CREATING, CLONING, DELETED].iter().find_map(|prefix| name.strip_prefix(prefix));
    rest.and_then(|rest| rest.get(..36)).is_some_and(is_session_id)
}

/// Folders that nobody needs, and nobody else removes.
#[must_use]
pub(super) struct Litter(Vec<DirLock>);

impl Litter {
    /// Removes them. None is followed out of itself.
    pub(super) fn remove(self) -> Result<(), FileError> {
        self.0.iter().try_for_each(|folder| remove_tree_if_there(folder.dir()))
    }

    /// Removes what can be: that somebody else's cannot is not the affair of whoever came by.
    pub(super) fn sweep(self) {
        for folder in self.0 {
            let _ = remove_tree_if_there(folder.dir());
        }
    }
}

/// A session that is being made. Unless it is published it goes when it is dropped.
pub(super) struct Staging {
    base: PathBuf,
    lock: DirLock,
    path: Option<PathBuf>,
}

impl Staging {
    pub(super) fn path(&self) -> &Path {
        self.lock.dir()
    }

    /// Shows it, whole and durable.
    pub(super) fn publish(mut self, id: &SessionId) -> Result<(), SessionError> {
        publish_new(self.path(), &self.base.join(id.as_str()))?;
        self.path = None;
        Ok(sync_dir(&self.base)?)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = remove_tree_if_there(path);
        }
    }
}

/// Whose something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Owner {
    /// Whose a file or folder is.
    pub(super) fn of(path: &Path) -> Result<Self, FileError> {
        let found = fs::symlink_metadata(path).doing("look at", path)?;
        Ok(Self { uid: found.uid(), gid: found.gid() })
    }

    /// Gives it something, itself, if we may: anybody but root has what he makes for himself.
    pub(super) fn give(self, path: &Path) -> Result<(), FileError> {
        if geteuid().is_root() {
            std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid)).doing("give away", path)?;
        }
        Ok(())
    }
}
