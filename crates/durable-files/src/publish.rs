//! The one step in which a staged file takes its place.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::is_not_found;
#[cfg(windows)]
use crate::verbatim;
use crate::windows::patiently;
use crate::{FileError, InContext, create_private_dirs};

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
    match patiently(|| rename_no_replace(staged, target)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(PublishError::Occupied(target.to_path_buf()))
        }
        Err(error) => Err(FileError::new("move into place", target, error).into()),
    }
}

/// The same into a folder that several share and whoever empties it removes: it is made, for its owner alone, as often as
/// it is gone again.
pub fn publish_new_in_shared_dir(staged: &Path, target: &Path) -> Result<(), PublishError> {
    const TRIES: usize = 100;
    let mut tries = 0;
    loop {
        if let Some(folder) = target.parent() {
            create_private_dirs(folder)?;
        }
        tries += 1;
        match publish_new(staged, target) {
            Err(PublishError::File(error)) if is_not_found(&error.source) && tries < TRIES => {}
            published => return published,
        }
    }
}

/// Exchanges two names in one step: what stood at `a` stands at `b`, and the other way round. Where the system cannot do
/// that, nothing is changed, and [`is_unsupported`] says so of the error.
pub fn exchange(a: &Path, b: &Path) -> Result<(), FileError> {
    exchange_names(a, b).doing("exchange names with", b)
}

/// Whether an error says that the system, or this file system, cannot do such a thing at all.
pub fn is_unsupported(error: &FileError) -> bool {
    use std::io::ErrorKind::{InvalidInput, Unsupported};
    matches!(error.source.kind(), InvalidInput | Unsupported)
}

/// Puts `new` in the place of `target`, the old file of which then has the name of the new: by [`exchange`], or where
/// there is none by hard links, through the name `spare`. `target` is the old thing or the new at any moment. Killed in
/// the middle, the new file stands at `spare` and the old one may have the name `new` beside its own.
pub fn exchange_through(new: &Path, target: &Path, spare: &Path) -> Result<(), FileError> {
    match exchange(new, target) {
        Err(error) if is_unsupported(&error) => exchange_by_links(new, target, spare),
        done => done,
    }
}

fn exchange_by_links(new: &Path, target: &Path, spare: &Path) -> Result<(), FileError> {
    publish_over(new, spare)?;
    if let Err(error) = link_file(target, new) {
        publish_over(spare, new)?;
        return Err(error);
    }
    publish_over(spare, target)
}

/// Renames `staged` to `target`, and replaces what may be there.
pub fn publish_over(staged: &Path, target: &Path) -> Result<(), FileError> {
    patiently(|| std::fs::rename(staged, target)).doing("move into the place of", target)
}

/// Gives a file a second name, at which nothing may stand.
pub fn link_file(file: &Path, name: &Path) -> Result<(), FileError> {
    patiently(|| std::fs::hard_link(file, name)).doing("give a second name to", file)
}

/// Whether two names are known to be of one file.
#[cfg(unix)]
pub fn is_one_file(a: &Path, b: &Path) -> Result<bool, FileError> {
    use std::os::unix::fs::MetadataExt;
    let of = |path: &Path| match std::fs::symlink_metadata(path) {
        Err(error) if is_not_found(&error) => Ok(None),
        found => found.doing("look at", path).map(|found| Some((found.dev(), found.ino()))),
    };
    Ok(of(a)?.is_some_and(|a| of(b).is_ok_and(|b| b == Some(a))))
}

/// Whether two names are known to be of one file: safe code cannot tell here.
#[cfg(not(unix))]
pub fn is_one_file(_a: &Path, _b: &Path) -> Result<bool, FileError> {
    Ok(false)
}

/// Removes a file; that it is not there is no error. Answers whether it was.
pub fn remove_file_if_there(path: &Path) -> Result<bool, FileError> {
    match patiently(|| std::fs::remove_file(path)) {
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
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if is_folder(staged) => {
            rename_folder(staged, target)
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => link_then_unlink(staged, target),
        done => Ok(done?),
    }
}

/// The system's own call refuses an existing name.
#[cfg(windows)]
fn rename_no_replace(staged: &Path, target: &Path) -> io::Result<()> {
    let mut staged = tempfile::TempPath::try_from_path(verbatim(staged))?;
    staged.disable_cleanup(true); // it stays if it cannot be moved
    Ok(staged.persist_noclobber(verbatim(target))?)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple", windows)))]
fn rename_no_replace(staged: &Path, target: &Path) -> io::Result<()> {
    if is_folder(staged) { rename_folder(staged, target) } else { link_then_unlink(staged, target) }
}

#[cfg(not(windows))]
fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_dir())
}

/// A plain rename puts a folder in no other place than that of an empty folder: all that could be replaced is one that
/// somebody makes between the look and the rename.
#[cfg(not(windows))]
fn rename_folder(staged: &Path, target: &Path) -> io::Result<()> {
    match target.symlink_metadata() {
        Err(error) if is_not_found(&error) => std::fs::rename(staged, target),
        Err(error) => Err(error),
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

/// Killed in between, the file has both names: then the next call finishes it.
#[cfg(not(windows))]
fn link_then_unlink(staged: &Path, target: &Path) -> io::Result<()> {
    match std::fs::hard_link(staged, target) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if !is_one_file(staged, target).unwrap_or(false) {
                return Err(error);
            }
        }
        linked => linked?,
    }
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
        #[cfg(not(windows))]
        assert!(link_then_unlink(&staged, &target).is_err());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "theirs");
        std::fs::remove_file(&target).unwrap();
        publish_new(&staged, &target).unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "ours");
        assert!(!staged.exists());
    }

    #[test]
    fn what_several_move_into_one_folder_arrives_though_each_removes_it_when_it_is_empty() {
        let place = tempfile::tempdir().unwrap();
        let shared = place.path().join("shared");
        std::thread::scope(|scope| {
            for name in ["a", "b"] {
                let (here, there) = (place.path().join(name), shared.join(name));
                std::fs::write(&here, name).unwrap();
                let shared = &shared;
                scope.spawn(move || {
                    for _ in 0..500 {
                        publish_new_in_shared_dir(&here, &there).unwrap();
                        publish_new(&there, &here).unwrap();
                        crate::remove_empty_dirs(std::slice::from_ref(shared)).unwrap();
                    }
                });
            }
        });
        assert!(!shared.exists());
        let nothing = place.path().join("nothing");
        assert!(publish_new_in_shared_dir(&nothing, &shared.join("nothing")).is_err());
    }

    #[cfg(not(windows))]
    #[test]
    fn a_folder_never_takes_the_place_of_another_where_the_system_cannot_refuse() {
        let folder = tempfile::tempdir().unwrap();
        let (staged, target) = (folder.path().join("staged"), folder.path().join("target"));
        std::fs::create_dir(&staged).unwrap();
        std::fs::create_dir(&target).unwrap();
        assert!(rename_folder(&staged, &target).is_err(), "an empty folder is somebody's, too");
        std::fs::remove_dir(&target).unwrap();
        rename_folder(&staged, &target).unwrap();
        assert!(target.is_dir() && !staged.exists());
    }

    #[test]
    fn names_are_exchanged_by_links_where_the_system_cannot_do_it() {
        let folder = tempfile::tempdir().unwrap();
        let [new, target, spare] = ["new", "target", "spare"].map(|name| folder.path().join(name));
        std::fs::write(&new, "ours").unwrap();
        assert!(exchange_by_links(&new, &target, &spare).is_err(), "there is nothing to exchange it with");
        assert_eq!(std::fs::read_to_string(&new).unwrap(), "ours");
        std::fs::write(&target, "theirs").unwrap();
        exchange_by_links(&new, &target, &spare).unwrap();
        let [new, target] = [&new, &target].map(|path| std::fs::read_to_string(path).unwrap());
        assert_eq!((new.as_str(), target.as_str(), spare.exists()), ("theirs", "ours", false));
    }

    #[cfg(unix)]
    #[test]
    fn a_move_by_links_that_was_killed_halfway_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let (staged, target) = (folder.path().join("staged"), folder.path().join("target"));
        std::fs::write(&staged, "ours").unwrap();
        for killed in [false, true] {
            if killed {
                std::fs::hard_link(&target, &staged).unwrap();
            }
            link_then_unlink(&staged, &target).unwrap();
            assert_eq!(std::fs::read_to_string(&target).unwrap(), "ours");
            assert!(!staged.exists());
        }
    }
}
