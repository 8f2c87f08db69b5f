//! The one step in which a staged file takes its place.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::is_not_found;
use crate::{FileError, InContext};

/// Why a staged file did not take its place.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Something stands there by now; nothing was changed.
    #[error("expected nothing at {}, found something there", .0.display())]
    Occupied(PathBuf),
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Renames `staged` to `target`, which must not exist: the kernel checks and renames in one step.
///
/// Durable only after [`crate::sync_dir`] of the target's folder, so that many can share one sync.
pub fn publish_new(staged: &Path, target: &Path) -> Result<(), PublishError> {
    match rename_no_replace(staged, target) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(PublishError::Occupied(target.to_path_buf()))
        }
        Err(error) => Err(FileError::new("move into place", target, error).into()),
    }
}

/// Exchanges two names in one step: what stood at `a` stands at `b`, and the other way round. Where the system cannot do
/// that, nothing is changed.
pub fn exchange(a: &Path, b: &Path) -> Result<(), FileError> {
    exchange_names(a, b).doing("exchange names with", b)
}

/// Removes a file; that it is not there is no error. Answers whether it was.
pub fn remove_file_if_there(path: &Path) -> Result<bool, FileError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if is_not_found(&error) => Ok(false),
        Err(error) => Err(error).doing("remove", path),
    }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange_names(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange_names(_a: &Path, _b: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn rename_no_replace(staged: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, staged, CWD, target, RenameFlags::NOREPLACE) {
        // Some file systems know no flags (NFS, older FUSE): a hard link refuses an existing name just as well.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !staged.is_dir() => {
            link_then_unlink(staged, target)
        }
        done => Ok(done?),
    }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn rename_no_replace(staged: &Path, target: &Path) -> io::Result<()> {
    link_then_unlink(staged, target)
}

fn link_then_unlink(staged: &Path, target: &Path) -> io::Result<()> {
    std::fs::hard_link(staged, target)?;
    std::fs::remove_file(staged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishing_never_replaces_what_somebody_else_put_there() {
        let folder = tempfile::tempdir().unwrap();
        let (staged, target) = (folder.path().join("staged"), folder.path().join("target"));
        std::fs::write(&staged, "ours").unwrap();
        std::fs::write(&target, "theirs").unwrap();
        assert!(matches!(publish_new(&staged, &target), Err(PublishError::Occupied(_))));
        assert!(link_then_unlink(&staged, &target).is_err());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "theirs");
        std::fs::remove_file(&target).unwrap();
        link_then_unlink(&staged, &target).unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "ours");
        assert!(!staged.exists());
    }
}
