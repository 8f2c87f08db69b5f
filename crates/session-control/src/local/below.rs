//! What lies below a folder, reached from folder to folder: no link is followed, whoever exchanges what meanwhile.

use std::ffi::{CStr, CString};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use durable_files::{FileError, InContext};
use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, Stat, openat, statat};
use rustix::io::Errno;

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// Opens the folder that a path leads to.
pub(super) fn open(path: &Path) -> Result<OwnedFd, FileError> {
    openat(CWD, path, FOLDER, Mode::empty()).doing("open the folder", path)
}

/// Opens the folder of this name, if it is one still.
pub(super) fn enter(folder: BorrowedFd<'_>, name: &CStr, path: &Path) -> Result<Option<OwnedFd>, FileError> {
    there(openat(folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())).doing("open the folder", path)
}

/// What has this name, if anything has it still.
pub(super) fn look(folder: BorrowedFd<'_>, name: &CStr, path: &Path) -> Result<Option<Stat>, FileError> {
    there(statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)).doing("look at", path)
}

/// All names in a folder, sorted.
pub(super) fn names(folder: BorrowedFd<'_>, path: &Path) -> Result<Vec<CString>, FileError> {
    let entries = Dir::read_from(folder).doing("look into", path)?;
    let names = entries.map(|entry| Ok(entry.doing("look into", path)?.file_name().to_owned()));
    let mut names: Vec<CString> = names.collect::<Result<_, FileError>>()?;
    names.retain(|name| !matches!(name.to_bytes(), b"." | b".."));
    names.sort();
    Ok(names)
}

/// What is gone, or has become a link, since its name was read is not there.
pub(super) fn there<T>(asked: Result<T, Errno>) -> Result<Option<T>, Errno> {
    match asked {
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => Ok(None),
        asked => asked.map(Some),
    }
}
