//! One run at a time on a target.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::{FileError, InContext};

/// An exclusive lock on an existing folder, held until dropped.
///
/// It lies on the folder itself: it creates nothing, and it keeps out every other process on this machine whatever its
/// user or state root. The kernel releases it when the holder dies.
#[derive(Debug)]
pub struct DirLock {
    dir: PathBuf,
    _file: File,
}

/// Why a folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("{} is locked by another run", .0.display())]
    Held(PathBuf),
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

impl DirLock {
    /// Takes the lock, or says at once that it is held.
    pub fn take(dir: &Path) -> Result<Self, LockError> {
        let file = File::open(dir).doing("open the folder", dir)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_path_buf(), _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held(dir.to_path_buf())),
            Err(TryLockError::Error(error)) => Err(FileError::new("lock", dir, error).into()),
        }
    }

    /// Whether somebody holds the lock on a folder. Two who ask at once do not take each other for its holder.
    pub fn is_held(dir: &Path) -> bool {
        File::open(dir).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The locked folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_never_hold_one_folder_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!DirLock::is_held(folder.path()));
        let held = DirLock::take(folder.path()).unwrap();
        assert!(DirLock::is_held(folder.path()));
        assert!(matches!(DirLock::take(folder.path()), Err(LockError::Held(_))));
        drop(held);
        DirLock::take(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
