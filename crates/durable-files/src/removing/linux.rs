//! Goes on past what is not ours to remove, and does not enter what is mounted.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, chmod, openat, openat2, statat, unlinkat,
};
use rustix::io::Errno;

use super::Stays;
use crate::Meter;

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl From<Errno> for Stays {
    fn from(error: Errno) -> Self {
        Self::Because(match error {
            Errno::XDEV => io::Error::new(io::ErrorKind::CrossesDevices, "something is mounted in it"),
            error => error.into(),
        })
    }
}

/// Removes whatever has this name.
pub(super) fn remove(root: &Path, meter: &mut dyn Meter) -> Result<(), Stays> {
    let Some(name) = root.file_name() else { return Err(Errno::INVAL.into()) };
    let around = root.parent().filter(|around| !around.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match openat(CWD, around, OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::PATH, Mode::empty()) {
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(around) => {
            let name = rustix::path::Arg::into_c_str(name)?;
            Removing { meter }.entry(around.as_fd(), &name, FileType::Unknown)
        }
    }
}

struct Removing<'a> {
    meter: &'a mut dyn Meter,
}

impl Removing<'_> {
    /// Goes on past what stays; the first of it is what is told.
    fn contents(&mut self, folder: BorrowedFd<'_>) -> Result<(), Stays> {
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

    fn entry(&mut self, folder: BorrowedFd<'_>, name: &CStr, kind: FileType) -> Result<(), Stays> {
        if self.meter.passed(0).is_break() {
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

/// Opens a folder, also one of ours that lets nobody in, or nothing out.
fn open(folder: BorrowedFd<'_>, name: &CStr, found: &Stat) -> Result<OwnedFd, Errno> {
    if !Mode::from_raw_mode(found.st_mode).contains(Mode::RWXU) {
        let closed = within(folder, name, OFlags::PATH)?;
        let _ = chmod(format!("/proc/self/fd/{}", closed.as_raw_fd()), Mode::RWXU); // not ours, perhaps
    }
    within(folder, name, OFlags::empty())
}

/// Opens what is a folder there by now, and neither a link nor the root of a mount.
fn within(folder: BorrowedFd<'_>, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    match openat2(folder, name, FOLDER | flags, Mode::empty(), ResolveFlags::NO_XDEV) {
        // Kernels before 5.6 do not have it, and some sandboxes do not let it through.
        Err(Errno::NOSYS | Errno::PERM) => within_by_mount_id(folder, name, flags),
        opened => opened,
    }
}

/// A folder that is mounted at a second place has the device of the first: only its mount tells them apart.
pub(super) fn within_by_mount_id(
    folder: BorrowedFd<'_>,
    name: &CStr,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    let opened = openat(folder, name, FOLDER | flags, Mode::empty())?;
    match (mount_of(folder), mount_of(opened.as_fd())) {
        (Some(around), Some(mount)) if around == mount => Ok(opened),
        _ => Err(Errno::XDEV),
    }
}

fn mount_of(opened: BorrowedFd<'_>) -> Option<String> {
    let told = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", opened.as_raw_fd())).ok()?;
    told.lines().find(|line| line.starts_with("mnt_id:")).map(str::to_owned)
}
