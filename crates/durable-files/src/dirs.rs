//! Folders: made privately, removed only when empty, made durable.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::is_not_found;
use crate::{FileError, InContext};

/// The folders on the way to `path` (itself included) that do not exist, outermost first.
pub fn missing_dirs(path: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> = path
        .ancestors()
        .take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists())
        .map(Path::to_path_buf)
        .collect();
    missing.reverse();
    missing
}

/// Creates the folder and its missing parents, each readable by its owner alone (0700), and makes each durable in its
/// parent.
pub fn create_private_dirs(path: &Path) -> Result<(), FileError> {
    for dir in missing_dirs(path) {
        match create_private_dir(&dir) {
            Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        if let Some(parent) = dir.parent() {
            sync_dir(parent)?;
        }
    }
    Ok(())
}

/// Of folders that did not exist when somebody looked, none may be a link by now: what is written below it would go
/// wherever the link leads.
pub fn must_be_no_links<P: AsRef<Path>>(dirs: &[P]) -> Result<(), FileError> {
    let is_link = |dir: &&P| dir.as_ref().symlink_metadata().is_ok_and(|found| found.is_symlink());
    let Some(link) = dirs.iter().find(is_link) else { return Ok(()) };
    let found = io::Error::new(io::ErrorKind::NotADirectory, "a link was put there since");
    Err(found).doing("create the folder", link.as_ref())
}

/// Creates one folder, readable by its owner alone, where nothing may stand.
pub fn create_private_dir(dir: &Path) -> Result<(), FileError> {
    create_private(dir).doing("create the folder", dir)
}

/// Removes the folders (given outermost first) that are empty, innermost first; one that is not empty, not there, not a
/// folder any more (moved elsewhere, a link in its place) or a mount point stays as it is.
pub fn remove_empty_dirs<P: AsRef<Path>>(dirs: &[P]) -> Result<(), FileError> {
    for dir in dirs.iter().rev().map(AsRef::as_ref) {
        match std::fs::remove_dir(dir) {
            Err(error) if !stays(&error) => return Err(error).doing("remove the empty folder", dir),
            _ => {}
        }
    }
    Ok(())
}

fn stays(error: &io::Error) -> bool {
    is_not_found(error)
        || matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::ResourceBusy)
}

/// Makes the names in a folder durable; a folder that is gone has none.
pub fn sync_dir(dir: &Path) -> Result<(), FileError> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    if cfg!(windows) {
        return Ok(()); // no handle to a directory in safe code: see Limitations
    }
    match std::fs::File::open(dir).and_then(|file| file.sync_all()) {
        Err(error) if is_not_found(&error) => Ok(()),
        done => done.doing("make durable the folder", dir),
    }
}

#[cfg(unix)]
fn create_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn create_private(dir: &Path) -> io::Result<()> {
    std::fs::create_dir(dir)
}
