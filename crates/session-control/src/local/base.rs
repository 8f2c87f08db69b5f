//! The folder of all sessions, had by one operation at a time: sessions come to it, and go from it, whole.

use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_files::{DirLock, FileError, publish_new, remove_tree_if_there, sync_dir};
use session_model::Finding;

use super::folder::Folder;
use super::litter::{CLONING, CREATING, Litter, name_aside};
use crate::{SessionError, SessionId};

/// How long one operation waits for another, which is short unless it is a migration.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one waits that has begun: it would leave by half what it is about.
const UNDER_WAY: Duration = Duration::from_mins(1);

/// The folder of all sessions, while nobody else may change which there are.
pub(super) struct Base {
    path: PathBuf,
    _lock: DirLock,
}

impl Base {
    pub(super) fn lock(path: &Path) -> Result<Self, SessionError> {
        Ok(Self { path: path.to_owned(), _lock: DirLock::take_within(path, PATIENCE)? })
    }

    /// The same for whoever has begun with something already.
    pub(super) fn lock_again(path: &Path) -> Result<Self, SessionError> {
        Ok(Self { path: path.to_owned(), _lock: DirLock::take_within(path, UNDER_WAY)? })
    }

    /// Claims everything that a killed operation has left.
    pub(super) fn litter(&self) -> Litter {
        Litter::claim(&self.path)
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
        let folder = Folder::make(&path)?;
        let lock = folder.told(DirLock::take_within(folder.path(), PATIENCE))?; // a list may be looking at it
        Ok(Staging { base: self.path.clone(), folder, _lock: lock, path: Some(path) })
    }

    /// Has a session's folder for whoever will withdraw it.
    pub(super) fn claim(&self, id: &SessionId) -> Result<DirLock, SessionError> {
        Ok(DirLock::take(&self.path.join(id.as_str()))?)
    }

    /// Takes a session off the list: what was its folder is litter then, which is still to be removed.
    pub(super) fn withdraw(
        &self,
        id: &SessionId,
        folder: DirLock,
    ) -> Result<(Litter, Option<Finding>), SessionError> {
        let aside = name_aside(&self.path, id);
        publish_new(folder.dir(), &aside)?;
        Ok((Litter(folder.renamed(&aside).into_iter().collect()), settled(&self.path)))
    }
}

/// Makes what was done in a folder durable. It is done, whatever becomes of that.
pub(super) fn settled(folder: &Path) -> Option<Finding> {
    let told = |error: FileError| {
        Finding::warning("not-durable", format!("it is done, but a power cut may take it back: {error}"))
    };
    sync_dir(folder).err().map(told)
}

/// A session that is being made. Unless it is published it goes when it is dropped.
pub(super) struct Staging {
    base: PathBuf,
    folder: Folder,
    _lock: DirLock,
    path: Option<PathBuf>,
}

impl Staging {
    /// What it is made in.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Shows it, whole.
    pub(super) fn publish(mut self, id: &SessionId) -> Result<Option<Finding>, SessionError> {
        if let Some(path) = &self.path {
            publish_new(path, &self.base.join(id.as_str()))?;
        }
        self.path = None;
        Ok(settled(&self.base))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = remove_tree_if_there(path);
        }
    }
}
