//! The folder of all sessions: had by one operation at a time, and kept free of what a killed one has left.
//!
//! What is being made or removed lies beside the sessions under a name that is no session's, and whoever is at it holds
//! the lock of that folder. So a folder with such a name that nobody holds is litter. What of it we may not remove is set
//! apart under a further name, so that nobody tries again who cannot: only root does.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_files::{
    DirLock, FileError, InContext, Stays, publish_new, remove_tree, remove_tree_if_there, sync_dir,
};
use remote_transfer::quote;
use rustix::process::geteuid;
use session_model::{Finding, is_session_id};

use super::folder::Folder;
use super::watch::Watch;
use crate::error::unmounting;
use crate::mounts::mounted_in;
use crate::{SessionError, SessionId};

/// How long one operation waits for another, which is short unless it is a migration.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one waits that has begun: it would leave by half what it is about.
const UNDER_WAY: Duration = Duration::from_mins(1);
/// What the names begin with of folders that are no sessions yet, or no more.
const CREATING: &str = ".creating-";
const CLONING: &str = ".cloning-";
const DELETED: &str = ".deleted-";
/// What the names end with of those that we may not remove.
const LEFT: &str = ".left";

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
        let may_go = |path: &PathBuf| geteuid().is_root() || !is_left(path);
        let folders = litter_in(&self.path).filter(may_go);
        Litter(folders.filter_map(|path| DirLock::take(&path).ok()).collect())
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
        let free = (0..).map(|n: u64| self.path.join(format!("{DELETED}{id}-{n}")));
        let is_free = |path: &Path| path.symlink_metadata().is_err();
        let aside = free.into_iter().find(|path| is_free(path) && is_free(&left(path)));
        let aside = aside.expect("because some number has not been used");
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

/// What is said of that which could not be removed, and of what a killed operation has left.
pub(super) fn left_behind(base: &Path) -> Vec<Finding> {
    let told = |path: PathBuf| {
        if is_left(&path) {
            let message = format!("of a session that was removed files have stayed: {}", by_hand(&path));
            return Some(Finding::warning("left-behind", message));
        }
        let message = format!(
            "{} was left when something ended early: it goes with the next new, clone or delete",
            path.display()
        );
        is_litter(base, &path).then(|| Finding::note("interrupted", message))
    };
    litter_in(base).filter_map(told).collect()
}

/// Whether nobody is at work in it. Whoever has just made it has the base until it is locked.
fn is_litter(base: &Path, path: &Path) -> bool {
    DirLock::is_free(path) && DirLock::is_free(base) && DirLock::is_free(path)
}

/// All folders in a base that are no sessions yet, or no more.
fn litter_in(base: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_staging));
    ours.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

/// Its name once it is known that we may not remove it.
fn left(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(LEFT);
    name.into()
}

fn is_left(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(LEFT.as_bytes())
}

/// The command that removes it, or with which that begins: it would empty what is mounted there.
fn by_hand(path: &Path) -> String {
    if let Some(at) = mounted_in(path) {
        return unmounting(&at);
    }
    format!(
        "sudo rm -rf --one-file-system -- {}",
        String::from_utf8_lossy(&quote(path.as_os_str().as_bytes()))
    )
}

fn is_staging(name: &str) -> bool {
    let rest = [CREATING, CLONING, DELETED].iter().find_map(|prefix| name.strip_prefix(prefix));
    rest.and_then(|rest| rest.get(..36)).is_some_and(is_session_id)
}

/// Folders that nobody needs, and nobody else removes.
#[must_use]
pub(super) struct Litter(Vec<DirLock>);

impl Litter {
    /// Removes what can be of them, and tells what stays.
    pub(super) fn remove(self, watch: &Watch) -> Vec<Finding> {
        self.0.into_iter().filter_map(|folder| clear_away(&folder, watch)).collect()
    }

    /// The same for whoever came by, whose affair it is not.
    pub(super) fn sweep(self, watch: &Watch) {
        drop(self.remove(watch));
    }
}

fn clear_away(folder: &DirLock, watch: &Watch) -> Option<Finding> {
    let path = folder.dir();
    match remove_tree(path, &mut watch.clone()).err()? {
        Stays::Stopped => {
            let message = format!(
                "stopped: the rest of its files is in {} until a session is made, copied or removed again",
                path.display()
            );
            Some(Finding::warning("stopped", message))
        }
        Stays::Because(why) => {
            let apart = left(path);
            let is_forbidden = why.kind() == io::ErrorKind::PermissionDenied;
            let is_apart = is_forbidden && (is_left(path) || publish_new(path, &apart).is_ok());
            let stands = if is_apart && !is_left(path) { &apart } else { path };
            let message = format!("not all of its files could be removed ({why}): {}", by_hand(stands));
            Some(Finding::warning("left-behind", message))
        }
    }
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

    /// The same of what is open, whatever its name leads to by now.
    pub(super) fn give_opened(self, opened: impl AsFd) -> io::Result<()> {
        if geteuid().is_root() {
            std::os::unix::fs::fchown(opened, Some(self.uid), Some(self.gid))?;
        }
        Ok(())
    }
}
