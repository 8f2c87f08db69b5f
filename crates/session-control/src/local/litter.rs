//! Folders beside the sessions, under names that no session has: of those that are not there yet, or no more.
//!
//! Whoever makes or removes a session holds the lock of its folder. So one that nobody holds is litter, which a killed
//! operation has left. What of it we may not remove is set apart under a further name, so that nobody tries again who
//! cannot: only root does.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use durable_files::{DirLock, Stays, publish_new, remove_tree};
use remote_transfer::quote;
use rustix::process::geteuid;
use session_model::{Finding, is_session_id};

use super::watch::Watch;
use crate::SessionId;
use crate::error::unmounting;
use crate::mounts::mounted_in;

/// What the names begin with of folders that are no sessions yet, or no more.
pub(super) const CREATING: &str = ".creating-";
pub(super) const CLONING: &str = ".cloning-";
const DELETED: &str = ".deleted-";
/// What the names end with of those that we may not remove.
const LEFT: &str = ".left";

/// What is said of that which could not be removed, and of what a killed operation has left.
pub(super) fn findings(base: &Path) -> Vec<Finding> {
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

/// A name for what was a session's folder, by which it is litter.
pub(super) fn name_aside(base: &Path, id: &SessionId) -> PathBuf {
    let mut names = (0..).map(|n: u64| base.join(format!("{DELETED}{id}-{n}")));
    let is_free = |path: &Path| path.symlink_metadata().is_err();
    let free = names.find(|path| is_free(path) && is_free(&left(path)));
    free.expect("because some number has not been used")
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
pub(super) struct Litter(pub(super) Vec<DirLock>);

impl Litter {
    /// All that killed operations have left in this base and we may remove, for whoever has the base.
    pub(super) fn claim(base: &Path) -> Self {
        let may_go = |path: &PathBuf| geteuid().is_root() || !is_left(path);
        Self(litter_in(base).filter(may_go).filter_map(|path| DirLock::take(&path).ok()).collect())
    }

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
