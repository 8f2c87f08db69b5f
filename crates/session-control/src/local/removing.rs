//! A folder removed as far as it can be: what is not ours to remove keeps nothing else from going.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, chmod, fstat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::watch::Watch;

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Why something is still there.
#[derive(Debug)]
pub(super) enum Stays {
    /// Somebody said stop.
    Stopped,
    /// The system said so, of the first thing that it was asked for.
    Because(io::Error),
}

impl From<Errno> for Stays {
    fn from(error: Errno) -> Self {
        Self::Because(error.into())
    }
}

/// Removes a folder with all that is in it and can be removed, also below folders that their modes protect.
///
/// No link is followed, and what is another file system is not entered: somebody else's files would go.
pub(super) fn remove(folder: &Path, watch: &Watch) -> Result<(), Stays> {
    let opened = openat(CWD, folder, FOLDER, Mode::empty());
    let (emptied, opened) = match opened {
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => (Err(error.into()), None),
        Ok(opened) => {
            let device = fstat(&opened)?.st_dev;
            (Removing { device, watch }.contents(opened.as_fd()), Some(opened))
        }
    };
    drop(opened);
    gone(unlinkat(CWD, folder, AtFlags::REMOVEDIR)).or_else(|stays| emptied.and(Err(stays)))
}

struct Removing<'a> {
    device: u64,
    watch: &'a Watch,
}

impl Removing<'_> {
    /// Goes on past what stays; the first of it is what is told.
    fn contents(&self, folder: BorrowedFd<'_>) -> Result<(), Stays> {
        // One that is ours and lets nobody in, or nothing out.
        let _ = rustix::fs::fchmod(folder, Mode::RWXU);
        let entries: Vec<_> = Dir::read_from(folder)?
            .filter_map(Result::ok)
            .map(|entry| (entry.file_name().to_owned(), entry.file_type()))
            .filter(|(name, _)| !matches!(name.to_bytes(), b"." | b".."))
            .collect();
        let mut outcome = Ok(());
        for (name, kind) in entries {
            match self.entry(folder, &name, kind) {
                Err(Stays::Stopped) => return Err(Stays::Stopped),
                gone => outcome = outcome.and(gone),
            }
        }
        outcome
    }

    fn entry(&self, folder: BorrowedFd<'_>, name: &CStr, kind: FileType) -> Result<(), Stays> {
        if self.watch.says_stop() {
            return Err(Stays::Stopped);
        }
        if !matches!(kind, FileType::Directory | FileType::Unknown) {
            return gone(unlinkat(folder, name, AtFlags::empty()));
        }
        let found = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(()),
            found => found?,
        };
        if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
            return gone(unlinkat(folder, name, AtFlags::empty()));
        }
        if found.st_dev != self.device {
            return Err(Errno::XDEV.into());
        }
        let emptied = match open(folder, name, &found) {
            Ok(opened) => self.contents(opened.as_fd()),
            Err(error) => Err(error.into()),
        };
        // What cannot be looked into may be empty.
        gone(unlinkat(folder, name, AtFlags::REMOVEDIR)).or_else(|stays| emptied.and(Err(stays)))
    }
}

/// What somebody else has removed is gone as well.
fn gone(removed: Result<(), Errno>) -> Result<(), Stays> {
    match removed {
        Err(Errno::NOENT) => Ok(()),
        removed => Ok(removed?),
    }
}

/// Opens a folder, also one of ours that lets nobody in. No link that is put in its place meanwhile is followed.
fn open(folder: BorrowedFd<'_>, name: &CStr, found: &Stat) -> Result<OwnedFd, Errno> {
    match openat(folder, name, FOLDER, Mode::empty()) {
        Err(Errno::ACCESS) if found.st_uid == rustix::process::geteuid().as_raw() => {
            let closed = openat(folder, name, FOLDER | OFlags::PATH, Mode::empty())?;
            chmod(format!("/proc/self/fd/{}", closed.as_raw_fd()), Mode::RWXU)?;
            openat(folder, name, FOLDER, Mode::empty())
        }
        opened => opened,
    }
}
