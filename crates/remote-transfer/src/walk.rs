//! What a folder holds, found through open handles: nothing that is moved or linked meanwhile leads out of it.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use durable_files::{FileError, InContext, Meter};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::manifest::{Entry, Kind, Manifest};

/// How deep folders may be nested.
pub const DEPTH: usize = 500;

/// A folder that was opened once; what is read of it is read through this handle.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
    path: std::path::PathBuf,
}

/// What a walk has found.
#[derive(Debug, Default)]
pub struct Walked {
    /// What can be sent. Files have no digests yet.
    pub manifest: Manifest,
    /// What cannot, or not as it is.
    pub remarks: Vec<Remark>,
    /// What its files take, in bytes: a hole takes nothing.
    pub takes: u64,
    /// For each regular file by path, what it looked like.
    pub(crate) seen: HashMap<Vec<u8>, Seen>,
}

/// Something about one path that does not arrive as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Where.
    pub path: Vec<u8>,
    /// What.
    pub about: About,
}

/// What there is to remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A socket or a FIFO: left out.
    Special(&'static str),
    /// A device: a tree with one is refused.
    Device,
    /// Another file system begins here: a tree with one is refused.
    MountPoint,
    /// It cannot be read: a tree with such an entry is refused.
    Unreadable(String),
    /// Nested too deep: a tree with such a folder is refused.
    TooDeep,
    /// The bits that set ids are cleared.
    SetsIds,
    /// The file has further names outside the tree: it is sent as a file of its own.
    LinkedFromOutside,
    /// Extended attributes, ACLs or capabilities are not carried.
    ExtendedAttributes,
    /// An absolute link: kept as it is; what it leads to is another host's.
    AbsoluteLink,
}

impl About {
    /// Whether a tree with this must not be sent.
    pub fn forbids(&self) -> bool {
        matches!(self, Self::Device | Self::MountPoint | Self::Unreadable(_) | Self::TooDeep)
    }
}

/// A regular file as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    dev: u64,
    ino: u64,
    size: i64,
    mtime: i64,
    ctime: i64,
}

impl Tree {
    /// Opens a folder; a link to one is refused.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let root = openat(rustix::fs::CWD, path, FOLDER, Mode::empty()).doing("open the folder", path)?;
        Ok(Self { root, path: path.to_owned() })
    }

    /// Where it was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that something below it is in, opened following no link on the way, and its name there: none for the
    /// root itself.
    pub(crate) fn parent<'p>(&self, path: &'p [u8]) -> Result<(OwnedFd, &'p [u8]), FileError> {
        let shown = || self.path.join(as_path(path));
        let (folders, name) = match path.iter().rposition(|&byte| byte == b'/') {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&path[..0], path),
        };
        let mut folder = self.root.try_clone().doing("open", &self.path)?;
        for part in folders.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
            folder = openat(&folder, part, FOLDER, Mode::empty()).doing("open", shown())?;
        }
        Ok((folder, name))
    }

    /// Opens a regular file below it, following no link on the way.
    pub(crate) fn open_file(&self, path: &[u8]) -> Result<File, FileError> {
        let (folder, name) = self.parent(path)?;
        // What was a file when it was seen may be a pipe now, which nobody must wait for.
        let file = openat(folder, name, FILE, Mode::empty()).doing("open", self.path.join(as_path(path)))?;
        Ok(File::from(file))
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> Result<bool, FileError> {
        Ok(names_in(self.root.as_fd()).doing("list", &self.path)?.is_empty())
    }

    /// Finds out what it holds. What cannot be sent is remarked upon, not an error.
    pub fn walk(&self, meter: &mut dyn Meter) -> Result<Walked, WalkError> {
        let stat = rustix::fs::fstat(&self.root).doing("look at", &self.path)?;
        let mut walk = Walk {
            dev: stat.st_dev,
            entries: Vec::new(),
            walked: Walked::default(),
            names: HashMap::new(),
            meter,
        };
        walk.add(Vec::new(), &stat, Kind::Folder);
        walk.folder(self.root.as_fd(), &[], 0)?;
        Ok(walk.finish())
    }
}

/// Why a walk ended early.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The [`Meter`] said stop.
    #[error("stopped")]
    Stopped,
    /// The root itself cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

pub(crate) const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

struct Walk<'a> {
    dev: u64,
    entries: Vec<Entry>,
    walked: Walked,
    /// Files of several names: the entries that are names of the same file, and how many names there are in all.
    names: HashMap<u64, (Vec<usize>, u64)>,
    meter: &'a mut dyn Meter,
}

impl Walk<'_> {
    fn folder(&mut self, folder: BorrowedFd<'_>, path: &[u8], depth: usize) -> Result<(), WalkError> {
        if self.meter.passed(0).is_break() {
            return Err(WalkError::Stopped);
        }
        let names = match names_in(folder) {
            Ok(names) => names,
            Err(error) => {
                self.remark(path, About::Unreadable(said(error)));
                return Ok(());
            }
        };
        for name in names {
            let path = joined(path, name.to_bytes());
            match statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => self.entry(folder, &name, path, &stat, depth)?,
                Err(Errno::NOENT) => {} // removed meanwhile: it is not in the tree
                Err(error) => self.remark(&path, About::Unreadable(said(error))),
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &CStr,
        path: Vec<u8>,
        stat: &Stat,
        depth: usize,
    ) -> Result<(), WalkError> {
        if stat.st_dev != self.dev {
            self.remark(&path, About::MountPoint);
            return Ok(());
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if depth >= DEPTH => self.remark(&path, About::TooDeep),
            FileType::Directory => {
                self.attributes(folder, name, &path);
                self.add(path.clone(), stat, Kind::Folder);
                match openat(folder, name, FOLDER, Mode::empty()) {
                    Ok(inner) => self.folder(inner.as_fd(), &path, depth + 1)?,
                    Err(error) => self.remark(&path, About::Unreadable(said(error))),
                }
            }
            FileType::RegularFile => {
                self.attributes(folder, name, &path);
                self.file(path, stat);
            }
            FileType::Symlink => match readlinkat(folder, name, Vec::new()) {
                Ok(text) => self.symlink(path, stat, text.into_bytes()),
                Err(error) => self.remark(&path, About::Unreadable(said(error))),
            },
            FileType::Socket => self.remark(&path, About::Special("socket")),
            FileType::Fifo => self.remark(&path, About::Special("FIFO")),
            _ => self.remark(&path, About::Device),
        }
        Ok(())
    }

    fn file(&mut self, path: Vec<u8>, stat: &Stat) {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let mut is_first = true;
        if stat.st_nlink > 1 {
            let names = self.names.entry(stat.st_ino).or_default();
            is_first = names.0.is_empty();
            names.0.push(self.entries.len());
            names.1 = count(stat.st_nlink);
        }
        if is_first {
            self.walked.takes += taken(size, count(stat.st_blocks));
        }
        self.walked.seen.insert(path.clone(), Seen::of(stat));
        self.add(path, stat, Kind::File { size, digest: None });
    }

    fn symlink(&mut self, path: Vec<u8>, stat: &Stat, text: Vec<u8>) {
        if text.first() == Some(&b'/') {
            self.remark(&path, About::AbsoluteLink);
        }
        self.add(path, stat, Kind::Symlink { text });
    }

    fn add(&mut self, path: Vec<u8>, stat: &Stat, kind: Kind) {
        const SETS_IDS: u32 = 0o6000;
        let sets_ids = stat.st_mode & SETS_IDS != 0 && !matches!(kind, Kind::Symlink { .. });
        if sets_ids {
            self.remark(&path, About::SetsIds);
        }
        let mtime = nanoseconds(stat.st_mtime, stat.st_mtime_nsec);
        self.entries.push(Entry { path, mode: stat.st_mode & 0o1777, mtime, kind });
    }

    /// The names alone are asked for: whoever reads a tree need not be able to read what they say.
    fn attributes(&mut self, folder: BorrowedFd<'_>, name: &CStr, path: &[u8]) {
        let mut through = format!("/proc/self/fd/{}/", folder.as_raw_fd()).into_bytes();
        through.extend_from_slice(name.to_bytes());
        if rustix::fs::llistxattr(through, &mut [0u8; 0][..]).is_ok_and(|len| len > 0) {
            self.remark(path, About::ExtendedAttributes);
        }
    }

    fn remark(&mut self, path: &[u8], about: About) {
        self.walked.remarks.push(Remark { path: path.to_owned(), about });
    }

    /// Of the names of one file the first is the file, and the others lead to it.
    fn finish(mut self) -> Walked {
        for (mut names, links) in std::mem::take(&mut self.names).into_values() {
            names.sort_unstable_by(|&a, &b| self.entries[a].path.cmp(&self.entries[b].path));
            let first = self.entries[names[0]].path.clone();
            if links > names.len() as u64 {
                self.remark(&first, About::LinkedFromOutside);
            }
            for &further in &names[1..] {
                self.walked.seen.remove(&self.entries[further].path);
                self.entries[further].kind = Kind::HardLink { to: first.clone() };
            }
        }
        self.walked.remarks.sort_by(|a, b| a.path.cmp(&b.path));
        self.walked.manifest = Manifest::new(self.entries);
        self.walked
    }
}

impl Seen {
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: stat.st_size,
            mtime: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            ctime: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    /// When it was modified, in nanoseconds since 1970.
    pub(crate) fn mtime(&self) -> i64 {
        self.mtime
    }

    /// What an open file looks like now.
    pub(crate) fn now(file: &File) -> io::Result<Self> {
        Ok(Self::of(&rustix::fs::fstat(file)?))
    }
}

fn names_in(folder: BorrowedFd<'_>) -> rustix::io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

/// Of a type that is another one on each architecture.
fn count(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

/// What a file of this length takes wherever its holes are kept, as so many blocks of 512 bytes tell.
pub(crate) fn taken(len: u64, blocks: u64) -> u64 {
    len.min(blocks.saturating_mul(512))
}

fn nanoseconds(seconds: impl TryInto<i64>, nanoseconds: impl TryInto<i64>) -> i64 {
    let whole = seconds.try_into().unwrap_or(0).saturating_mul(1_000_000_000);
    whole.saturating_add(nanoseconds.try_into().unwrap_or(0))
}

fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_owned() } else { [folder, name].join(&b'/') }
}

fn said(error: Errno) -> String {
    io::Error::from(error).to_string()
}

fn as_path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}
