//! The one place where this reader touches a disk: this machine's, or another's. It follows no symlink and waits for no
//! pipe.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use durable_files::verbatim;
use serde::Serialize;
use session_model::{Anomaly, Place, Timestamp};

use crate::files;

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symlink or a junction: never followed.
    Link,
    /// A pipe, a socket or a device: never opened.
    Special,
}

/// What is known of a name without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What stands there.
    pub kind: Kind,
    /// Its size in bytes; means nothing for anything but a file.
    pub bytes: u64,
    /// Its modification time.
    pub mtime: Timestamp,
}

/// The disk that a base lies on. No symlink is followed but by [`real`](Disk::real).
pub trait Disk {
    /// What a name stands for, not what it may point to.
    fn look(&self, path: &Path) -> io::Result<Standing>;

    /// The names in a folder, in any order, without itself and its parent.
    fn list(&self, folder: &Path) -> io::Result<Vec<(OsString, Kind)>>;

    /// The real path behind a name that is there: two names of one folder have one. Links are followed.
    fn real(&self, path: &Path) -> io::Result<PathBuf>;

    /// The whole of a regular file, unless it is larger than any is that this reader asks for.
    fn read(&self, file: &Path) -> io::Result<Vec<u8>>;
}

/// What this machine's file system has.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThisDisk;

impl Disk for ThisDisk {
    fn look(&self, path: &Path) -> io::Result<Standing> {
        look(path).map(|found| Standing {
            kind: kind(found.file_type()),
            bytes: found.len(),
            mtime: found.modified().map_or(Timestamp::UNIX_EPOCH, files::timestamp),
        })
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<(OsString, Kind)>> {
        let names = fs::read_dir(verbatim(folder))?;
        names.map(|entry| entry.and_then(|entry| Ok((entry.file_name(), kind(entry.file_type()?))))).collect()
    }

    fn real(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(verbatim(path))
    }

    fn read(&self, file: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        files::fill(&mut bytes, files::open_itself(file)?).map(|_| bytes)
    }
}

/// One name in a folder.
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) name: OsString,
    pub(super) kind: Kind,
}

fn look(path: &Path) -> io::Result<Metadata> {
    fs::symlink_metadata(verbatim(path))
}

/// What a folder holds, in the order of names.
pub(super) fn list(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<Entry>> {
    let names = disk.list(folder)?.into_iter();
    let mut entries: Vec<Entry> =
        names.map(|(name, kind)| Entry { path: folder.join(&name), name, kind }).collect();
    entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

/// The same; a folder that is not there holds nothing, and one that cannot be read is an anomaly.
pub(super) fn list_if_there(disk: &dyn Disk, folder: &Path, anomalies: &mut Vec<Anomaly>) -> Vec<Entry> {
    match list(disk, folder) {
        Ok(entries) => entries,
        Err(error) if files::is_absence(&error) => Vec::new(),
        Err(error) => {
            anomalies.push(unreadable(folder, &error));
            Vec::new()
        }
    }
}

fn kind(found: fs::FileType) -> Kind {
    match () {
        () if found.is_symlink() => Kind::Link,
        () if found.is_dir() => Kind::Folder,
        () if found.is_file() => Kind::File,
        () => Kind::Special,
    }
}

/// A file or folder that the system would not let us read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Anomaly {
    let mut anomaly = files::unreadable(path, error);
    if cfg!(windows) && error.kind() == io::ErrorKind::PermissionDenied {
        anomaly.message.push_str("; where Windows encrypts files (EFS) only their owner may");
    }
    anomaly
}

/// What stands under a name where a file is expected and that could not be read as one.
pub(super) fn unreadable_file(disk: &dyn Disk, path: &Path, error: &io::Error) -> Anomaly {
    match disk.look(path) {
        Ok(found) if found.kind != Kind::File => wrong_kind(path, "a file", found.kind),
        _ => unreadable(path, error),
    }
}

/// Something of another kind stands where a file or folder is expected.
pub(super) fn wrong_kind(path: &Path, expected: &str, found: Kind) -> Anomaly {
    let found = match found {
        Kind::File => "a file",
        Kind::Folder => "a folder",
        Kind::Link => "a symlink, which is not followed",
        Kind::Special => "a pipe, socket or device",
    };
    Anomaly::new("wrong-kind", format!("expected {expected}, found {found}")).at(Place::new(path))
}
