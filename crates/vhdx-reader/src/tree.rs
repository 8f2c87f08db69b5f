//! The files on a disk: open, look, list, read.

use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::content::Content;
use crate::disk::{Disk, Warning};
use crate::error::{DiskError, OpenError, TreeError};
use crate::ext4::{Filesystem, Inode, ROOT};
use crate::partition::Volume;
use crate::walk::{Skip, Walk};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are those of every Unix")]
pub enum Kind {
    File,
    Directory,
    Symlink,
    Fifo,
    CharacterDevice,
    BlockDevice,
    Socket,
}

impl Kind {
    pub(crate) fn of_mode(mode: u16) -> Option<Self> {
        match mode >> 12 {
            0o1 => Some(Self::Fifo),
            0o2 => Some(Self::CharacterDevice),
            0o4 => Some(Self::Directory),
            0o6 => Some(Self::BlockDevice),
            0o10 => Some(Self::File),
            0o12 => Some(Self::Symlink),
            0o14 => Some(Self::Socket),
            _ => None,
        }
    }

    /// In words, with an article.
    pub fn describe(self) -> &'static str {
        match self {
            Self::File => "a file",
            Self::Directory => "a directory",
            Self::Symlink => "a symlink",
            Self::Fifo => "a pipe",
            Self::CharacterDevice => "a character device",
            Self::BlockDevice => "a block device",
            Self::Socket => "a socket",
        }
    }
}

/// When the content last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Modified {
    /// Seconds since 1970, negative before.
    pub seconds: i64,
    /// Nanoseconds since that second, less than a thousand million.
    pub nanoseconds: u32,
}

impl Modified {
    /// None if the system's clock cannot say it.
    pub fn to_system_time(self) -> Option<SystemTime> {
        let seconds = Duration::from_secs(self.seconds.unsigned_abs());
        let second = if self.seconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(seconds)?
        } else {
            SystemTime::UNIX_EPOCH.checked_add(seconds)?
        };
        second.checked_add(Duration::from_nanos(self.nanoseconds.into()))
    }
}

/// A file, directory, symlink or special file, as it was when it was looked at.
#[derive(Debug, Clone)]
pub struct Entry {
    /// From the root on, with slashes between, none before and none behind. The root's own path is empty.
    pub path: Vec<u8>,
    inode: Inode,
}

impl Entry {
    /// What it is.
    pub fn kind(&self) -> Kind {
        self.inode.kind
    }

    /// Its last component.
    pub fn name(&self) -> &[u8] {
        self.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// Its length in bytes, holes included; for a symlink that of its target.
    pub fn size(&self) -> u64 {
        self.inode.size
    }

    /// When its content last changed.
    pub fn modified(&self) -> Modified {
        self.inode.modified
    }

    /// Its permission bits, with set-uid, set-gid and sticky.
    pub fn mode(&self) -> u16 {
        self.inode.mode
    }

    /// The number of its owner.
    pub fn uid(&self) -> u32 {
        self.inode.uid
    }

    /// The number of its group.
    pub fn gid(&self) -> u32 {
        self.inode.gid
    }

    /// The number of its inode: names with the same number are hard links of one file.
    pub fn inode(&self) -> u32 {
        self.inode.number
    }

    /// How many names the file has.
    pub fn links(&self) -> u16 {
        self.inode.links
    }
}

/// The files of an ext2, ext3 or ext4 on a disk: all of it, or a partition.
///
/// A filesystem that was not unmounted has its journal replayed in memory. Nothing is ever written, and no symlink is
/// ever followed.
pub struct Tree {
    filesystem: Filesystem,
    warnings: Vec<Warning>,
}

impl Tree {
    /// Finds the filesystem on `disk`.
    pub fn open(disk: Disk) -> Result<Self, TreeError> {
        let mut warnings = disk.warnings().to_owned();
        let (filesystem, more) = Filesystem::open(Volume::find(disk)?)?;
        warnings.extend(more);
        Ok(Self { filesystem, warnings })
    }

    /// [`Disk::open`] and [`Tree::open`] in one; what is wrong with either is said with the path.
    pub fn open_image(path: &Path) -> Result<Self, OpenTreeError> {
        let disk = Disk::open(path)?;
        Self::open(disk).map_err(|source| OpenTreeError::Tree { path: path.to_owned(), source })
    }

    /// What is worth telling about the image, its disk and its filesystem.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The filesystem's name, as its maker gave it.
    pub fn label(&self) -> &[u8] {
        self.filesystem.label()
    }

    /// The disk that the filesystem is on.
    pub fn disk(&self) -> &Disk {
        self.filesystem.volume().disk()
    }

    /// The root directory.
    pub fn root(&self) -> Result<Entry, TreeError> {
        self.entry(Vec::new(), ROOT)
    }

    /// The entry at `path`, taken from the root, or none if there is no such entry. What is below a symlink is not
    /// there. Slashes before, behind and doubled make no difference.
    pub fn find(&self, path: &[u8]) -> Result<Option<Entry>, TreeError> {
        let mut entry = self.root()?;
        for component in path.split(|byte| *byte == b'/').filter(|component| !component.is_empty()) {
            if entry.kind() != Kind::Directory {
                return Ok(None);
            }
            let names = self.filesystem.names(&entry.inode)?;
            let Some(found) = names.into_iter().find(|it| it.name == component) else { return Ok(None) };
            entry = self.entry(joined(&entry.path, component), found.inode)?;
        }
        Ok(Some(entry))
    }

    /// What is in `directory`, in the order of the names' bytes. An entry that cannot be read is an error in its
    /// place, with its path, and the others are there.
    pub fn list(&self, directory: &Entry) -> Result<Vec<Listed>, TreeError> {
        let names = self.names(directory)?;
        let listed = |(name, inode): (Vec<u8>, u32)| {
            let path = joined(&directory.path, &name);
            Listed { path: path.clone(), entry: self.entry(path, inode) }
        };
        Ok(names.into_iter().map(listed).collect())
    }

    /// The bytes of `file`, to be read from its beginning on.
    pub fn read(&self, file: &Entry) -> Result<Content<'_>, TreeError> {
        expect(file, Kind::File)?;
        file.inode.check_readable()?;
        Ok(Content::new(&self.filesystem, file.inode.clone()))
    }

    /// What `symlink` points to, as it is written there.
    pub fn target(&self, symlink: &Entry) -> Result<Vec<u8>, TreeError> {
        expect(symlink, Kind::Symlink)?;
        symlink.inode.check_readable()?;
        self.filesystem.target(&symlink.inode)
    }

    /// All that is below `directory`, but for what `skip` names.
    pub fn walk(&self, directory: &Entry, skip: Skip) -> Result<Walk<'_>, TreeError> {
        Walk::new(self, directory, skip)
    }

    /// The names in `directory` with their inodes, in the order of their bytes.
    pub(crate) fn names(&self, directory: &Entry) -> Result<Vec<(Vec<u8>, u32)>, TreeError> {
        expect(directory, Kind::Directory)?;
        let mut names = self.filesystem.names(&directory.inode)?;
        names.sort_unstable();
        Ok(names.into_iter().map(|it| (it.name, it.inode)).collect())
    }

    pub(crate) fn entry(&self, path: Vec<u8>, inode: u32) -> Result<Entry, TreeError> {
        Ok(Entry { path, inode: self.filesystem.inode(inode)? })
    }
}

/// One line of a listing.
#[derive(Debug)]
pub struct Listed {
    /// From the root on.
    pub path: Vec<u8>,
    /// What is there, or why it cannot be told.
    pub entry: Result<Entry, TreeError>,
}

/// Why the files inside an image could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum OpenTreeError {
    /// The image is none, or cannot be read.
    #[error(transparent)]
    Disk(#[from] OpenError),
    /// There is no filesystem on its disk that can be read.
    #[error("looking for files in the disk image {}: {source}", path.display())]
    Tree {
        /// The image.
        path: std::path::PathBuf,
        /// What was wrong.
        #[source]
        source: TreeError,
    },
}

impl OpenTreeError {
    /// Whether another program holds the image.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Disk(OpenError { source: DiskError::Held, .. }))
    }
}

fn expect(entry: &Entry, kind: Kind) -> Result<(), TreeError> {
    if entry.kind() == kind {
        return Ok(());
    }
    let (expected, found) = (kind.describe(), entry.kind().describe());
    Err(TreeError::WrongKind { path: entry.path.clone(), expected, found })
}

pub(crate) fn joined(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let parts = [directory, name];
    parts[usize::from(directory.is_empty())..].join(&b'/')
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Tree");
        shown.field("label", &self.label().escape_ascii().to_string()).field("disk", self.disk());
        shown.finish_non_exhaustive()
    }
}
