//! Content made durable: file by file, or everything on a file system at once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};

use crate::error::is_not_found;
use crate::{FileError, InContext};

/// From how many files on one file system a single sync of all of it is quicker than one for each.
const MANY: usize = 64;

/// Files whose content is not durable yet, to be made so together.
#[derive(Debug, Default)]
pub struct Unsynced {
    disks: BTreeMap<u64, Disk>,
}

/// What is to be made durable on one file system.
#[derive(Debug)]
struct Disk {
    /// The first of it, held open: whatever fails to be written from here on is told to this handle.
    first: File,
    files: Vec<PathBuf>,
    trees: Vec<PathBuf>,
}

impl Unsynced {
    /// Remembers a file that was written.
    pub fn add(&mut self, file: PathBuf) -> Result<(), FileError> {
        self.disk_of(&file)?.files.push(file);
        Ok(())
    }

    /// Remembers a folder, with all that has been or will be written into it.
    pub fn add_tree(&mut self, root: PathBuf) -> Result<(), FileError> {
        self.disk_of(&root)?.trees.push(root);
        Ok(())
    }

    /// Makes the content of all of them durable. One that is gone by now has none.
    pub fn sync(&mut self) -> Result<(), FileError> {
        std::mem::take(&mut self.disks).into_values().try_for_each(Disk::sync)
    }

    fn disk_of(&mut self, path: &Path) -> Result<&mut Disk, FileError> {
        let found = std::fs::symlink_metadata(path).doing("look at", path)?;
        Ok(match self.disks.entry(disk_of(&found)) {
            Entry::Occupied(disk) => disk.into_mut(),
            Entry::Vacant(disk) => {
                disk.insert(Disk { first: open_to_sync(path)?, files: Vec::new(), trees: Vec::new() })
            }
        })
    }
}

impl Disk {
    fn sync(self) -> Result<(), FileError> {
        let is_much = self.files.len() >= MANY || !self.trees.is_empty();
        if is_much && sync_disk(&self.first, self.trees.first().unwrap_or_else(|| &self.files[0]))? {
            return Ok(());
        }
        self.files.iter().try_for_each(|file| sync_if_there(file))?;
        self.trees.iter().try_for_each(|tree| sync_tree(tree))
    }
}

fn sync_if_there(file: &Path) -> Result<(), FileError> {
    match open_to_sync(file).and_then(|opened| opened.sync_all().doing("make durable", file)) {
        Err(error) if error.is_not_found() => Ok(()),
        synced => synced,
    }
}

/// Makes a folder durable with all that is in it, file by file: for a small one on a disk that others keep busy.
pub fn sync_tree(dir: &Path) -> Result<(), FileError> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if is_not_found(&error) => return Ok(()),
        entries => entries.doing("look into", dir)?,
    };
    for entry in entries {
        let entry = entry.doing("look into", dir)?;
        let kind = entry.file_type().doing("look at", entry.path())?;
        if kind.is_dir() {
            sync_tree(&entry.path())?;
        } else if kind.is_file() {
            sync_if_there(&entry.path())?;
        }
    }
    crate::sync_dir(dir)
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
    crate::copy::open_without_following(path).doing("open", path)
}

/// Only what is open for writing can be synced here, and a folder only with the flag for it.
#[cfg(windows)]
fn open_to_sync(path: &Path) -> Result<File, FileError> {
    use std::os::windows::fs::OpenOptionsExt;
    const BACKUP_SEMANTICS: u32 = 0x0200_0000;
    File::options().write(true).custom_flags(BACKUP_SEMANTICS).open(path).doing("open", path)
}

#[cfg(unix)]
fn disk_of(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::dev(metadata)
}

#[cfg(not(unix))]
fn disk_of(_metadata: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_made_durable_and_one_that_is_gone_is_not_missed() {
        let folder = tempfile::tempdir().unwrap();
        let [tree, gone] = ["tree", "gone"].map(|name| folder.path().join(name));
        let mut unsynced = Unsynced::default();
        for root in [&tree, &gone] {
            std::fs::create_dir_all(root.join("deep")).unwrap();
            unsynced.add_tree(root.clone()).unwrap();
            std::fs::write(root.join("deep/file"), "months of conversation").unwrap();
        }
        std::fs::remove_dir_all(&gone).unwrap();
        unsynced.sync().unwrap();
        sync_tree(&tree).and_then(|()| sync_tree(&gone)).unwrap(); // where there is no sync of everything
    }
}
