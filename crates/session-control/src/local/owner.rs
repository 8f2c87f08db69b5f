//! Whose a file or folder is. What root makes for somebody is given to him.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, fchown, lchown};
use std::path::Path;

use durable_files::{FileError, InContext};
use rustix::process::geteuid;

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
            lchown(path, Some(self.uid), Some(self.gid)).doing("give away", path)?;
        }
        Ok(())
    }

    /// The same of what is open, whatever its name leads to by now.
    pub(super) fn give_opened(self, opened: impl AsFd) -> io::Result<()> {
        if geteuid().is_root() {
            fchown(opened, Some(self.uid), Some(self.gid))?;
        }
        Ok(())
    }
}
