//! Content made durable: file by file, or everything on a file system at once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};

use crate::{FileError, InContext};

/// From how many files on one file system a single sync of all of it is quicker than one for each.
const MANY: usize = 64;

/// Files whose content is not durable yet, to be made so together.
#[derive(Debug, Default)]
pub struct Unsynced {
    disks: BTreeMap<u64, Disk>,
}

/// Such files on one file system.
#[derive(Debug)]
struct Disk {
    /// The first of them, held open: whatever fails to be written from here on is told to this handle.
    first: File,
    paths: Vec<PathBuf>,
}

impl Unsynced {
    /// Remembers a file that was written.
    pub fn add(&mut self, path: PathBuf) -> Result<(), FileError> {
        let found = std::fs::symlink_metadata(&path).doing("look at", &path)?;
        match self.disks.entry(disk_of(&found)) {
            Entry::Occupied(disk) => disk.into_mut().paths.push(path),
            Entry::Vacant(disk) => {
                let first = open_to_sync(&path)?;
                disk.insert(Disk { first, paths: vec![path] });
            }
        }
        Ok(())
    }

    /// Makes the content of all of them durable. One that is gone by now has none.
    pub fn sync(&mut self) -> Result<(), FileError> {
        std::mem::take(&mut self.disks).into_values().try_for_each(Disk::sync)
    }
}

impl Disk {
    fn sync(self) -> Result<(), FileError> {
        if self.paths.len() >= MANY && sync_disk(&self.first, &self.paths[0])? {
            return Ok(());
        }
        for path in &self.paths {
            match sync_file(path) {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Makes the content of one file durable.
pub(crate) fn sync_file(path: &Path) -> Result<(), FileError> {
    open_to_sync(path)?.sync_all().doing("make durable", path)
}

/// Syncs the whole file system that a file is on, if the system can.
#[cfg(target_os = "linux")]
fn sync_disk(file: &File, path: &Path) -> Result<bool, FileError> {
    rustix::fs::syncfs(file).doing("make durable the file system of", path)?;
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as where the system can")]
fn sync_disk(_file: &File, _path: &Path) -> Result<bool, FileError> {
    Ok(false)
}

#[cfg(not(windows))]
fn open_to_sync(path: &Path) -> Result<File, FileError> {
    crate::copy::open_regular(path)
}

/// Only what is open for writing can be synced here.
#[cfg(windows)]
fn open_to_sync(path: &Path) -> Result<File, FileError> {
    File::options().write(true).open(path).doing("open", path)
}

#[cfg(unix)]
fn disk_of(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::dev(metadata)
}

#[cfg(not(unix))]
fn disk_of(_metadata: &Metadata) -> u64 {
    0
}
