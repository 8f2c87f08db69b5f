//! Writing below a folder through open handles, following no link and replacing nothing.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use durable_files::{FileError, InContext};
use rustix::fs::{
    AtFlags, Mode, OFlags, Timespec, Timestamps, fchmod, futimens, linkat, mkdirat, openat, symlinkat,
    unlinkat, utimensat,
};
use rustix::io::Errno;

use super::{NANOSECONDS, UnpackError};
use crate::display;
use crate::manifest::{Entry, Kind};
use crate::walk::{FOLDER, Seen, Tree};

/// A folder that is ours alone, and empty in the beginning.
pub(super) struct Beneath {
    tree: Tree,
}

impl Beneath {
    pub(super) fn open(folder: &Path) -> Result<Self, FileError> {
        let tree = Tree::open(folder)?;
        if tree.is_empty()? {
            return Ok(Self { tree });
        }
        Err(FileError::new("unpack into", folder, io::Error::from(io::ErrorKind::DirectoryNotEmpty)))
    }

    fn at(&self, path: &[u8]) -> PathBuf {
        self.tree.path().join(display(path))
    }

    /// Whether names that differ in case alone, or in how a letter is composed, are one name here: tried, not guessed.
    pub(super) fn folds(&self) -> Result<bool, FileError> {
        for (name, same) in [("a", "A"), ("\u{e9}", "e\u{301}")] {
            drop(self.file(name.as_bytes(), false)?);
            let (folder, _) = self.tree.parent(b"")?;
            let folds = rustix::fs::statat(&folder, same, AtFlags::SYMLINK_NOFOLLOW).is_ok();
            unlinkat(&folder, name, AtFlags::empty()).doing("remove", self.at(name.as_bytes()))?;
            if folds {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn folder(&self, path: &[u8]) -> Result<(), FileError> {
        let (folder, name) = self.tree.parent(path)?;
        mkdirat(folder, name, Mode::RWXU).doing("make the folder", self.at(path))
    }

    pub(super) fn symlink(&self, path: &[u8], text: &[u8], mtime: i64) -> Result<(), FileError> {
        let (folder, name) = self.tree.parent(path)?;
        symlinkat(text, &folder, name).doing("make the link", self.at(path))?;
        utimensat(folder, name, &times(mtime), AtFlags::SYMLINK_NOFOLLOW)
            .doing("set the time of", self.at(path))
    }

    pub(super) fn hard_link(&self, path: &[u8], to: &[u8]) -> Result<(), FileError> {
        let ((from, old), (folder, name)) = (self.tree.parent(to)?, self.tree.parent(path)?);
        linkat(from, old, folder, name, AtFlags::empty()).doing("make the further name", self.at(path))
    }

    pub(super) fn file(&self, path: &[u8], keeps_holes: bool) -> Result<Growing, FileError> {
        const NEW: OFlags = OFlags::WRONLY
            .union(OFlags::CREATE)
            .union(OFlags::EXCL)
            .union(OFlags::NOFOLLOW)
            .union(OFlags::CLOEXEC);
        let (folder, name) = self.tree.parent(path)?;
        let file = openat(folder, name, NEW, Mode::RUSR | Mode::WUSR).doing("write", self.at(path))?;
        Ok(Growing { file: File::from(file), path: self.at(path), len: 0, keeps_holes })
    }

    /// The root as it is.
    pub(super) fn itself(&self) -> Result<Entry, FileError> {
        let (folder, _) = self.tree.parent(b"")?;
        let stat = rustix::fs::fstat(folder).doing("look at", self.tree.path())?;
        Ok(Entry {
            path: Vec::new(),
            mode: stat.st_mode & 0o1777,
            mtime: Seen::of(&stat).mtime(),
            kind: Kind::Folder,
        })
    }

    /// Gives a folder its mode and time.
    pub(super) fn dress(&self, path: &[u8], mode: u32, mtime: i64) -> Result<(), FileError> {
        let (folder, name) = self.tree.parent(path)?;
        let folder = if name.is_empty() {
            folder
        } else {
            openat(folder, name, FOLDER, Mode::empty()).doing("open", self.at(path))?
        };
        dress(&folder, mode, mtime).doing("set mode and time of", self.at(path))
    }
}

fn dress(file: &OwnedFd, mode: u32, mtime: i64) -> Result<(), Errno> {
    fchmod(file, Mode::from_raw_mode(mode as _))?;
    futimens(file, &times(mtime))
}

fn times(mtime: i64) -> Timestamps {
    let time =
        Timespec { tv_sec: mtime.div_euclid(NANOSECONDS), tv_nsec: mtime.rem_euclid(NANOSECONDS) as _ };
    Timestamps { last_access: time, last_modification: time }
}

/// A file that is being written.
pub(super) struct Growing {
    file: File,
    path: PathBuf,
    len: u64,
    keeps_holes: bool,
}

impl Growing {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        if !self.keeps_holes || bytes.iter().any(|&byte| byte != 0) {
            self.file.write_all_at(bytes, self.len).doing("write", &self.path)?;
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn finish(self, mode: u32, mtime: i64) -> Result<(), UnpackError> {
        self.file.set_len(self.len).doing("write", &self.path)?;
        Ok(dress(&self.file.into(), mode, mtime).doing("set mode and time of", &self.path)?)
    }
}
