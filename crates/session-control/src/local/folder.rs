//! A folder reached by what was opened, whatever its name leads to by now.
//!
//! Root works in folders that are somebody else's, who may put a link in the place of anything there at any moment. What
//! root makes for himself below one that he has open, nobody else reaches before it is given away.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use durable_files::{CopyError, FileError, InContext, create_private_dir};
use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::process::geteuid;

use super::below;
use crate::SessionError;

/// A folder that is open.
pub(super) struct Folder {
    name: PathBuf,
    path: PathBuf,
    opened: OwnedFd,
}

impl Folder {
    /// Opens one, and no link to one.
    pub(super) fn open(name: &Path) -> Result<Self, FileError> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = openat(CWD, name, flags, Mode::empty()).doing("open the folder", name)?;
        // The dot is a name in the folder itself, so that nothing takes this for a link.
        let path = PathBuf::from(format!("/proc/self/fd/{}/.", opened.as_raw_fd()));
        Ok(Self { name: name.to_owned(), path, opened })
    }

    /// Makes one for us alone, where nothing may stand.
    pub(super) fn make(name: &Path) -> Result<Self, FileError> {
        create_private_dir(name)?;
        let made = Self::open(name)?;
        if geteuid().is_root() && !made.is_ours_and_empty()? {
            let found = io::Error::new(io::ErrorKind::AlreadyExists, "something was put in its place");
            return Err(FileError::new("create the folder", name, found));
        }
        Ok(made)
    }

    fn is_ours_and_empty(&self) -> Result<bool, FileError> {
        let owner = fstat(&self.opened).doing("look at", &self.name)?.st_uid;
        Ok(owner == geteuid().as_raw() && below::names(self.opened.as_fd(), &self.name)?.is_empty())
    }

    /// A path that leads to it as long as this is there.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What was done below that path, told by the name that people know.
    pub(super) fn told<T>(&self, done: Result<T, impl Into<SessionError>>) -> Result<T, SessionError> {
        done.map_err(|error| {
            let mut error = error.into();
            if let SessionError::Io { path, .. }
            | SessionError::Busy { base: path }
            | SessionError::Copy(CopyError::Damaged { path, .. } | CopyError::SourceChanged(path)) =
                &mut error
                && let Ok(below) = path.strip_prefix(&self.path)
            {
                *path = self.name.join(below);
            }
            error
        })
    }
}
