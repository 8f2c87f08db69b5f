//! What can be wrong with an image, said with the place, what was expected there and what was found.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

use crate::vhdx::Guid;

/// Why an image file could not be opened as a disk.
#[derive(Debug, thiserror::Error)]
#[error("opening the disk image {}: {source}", path.display())]
pub struct OpenError {
    /// The image.
    pub path: PathBuf,
    /// What was wrong with it.
    #[source]
    pub source: DiskError,
}

/// Why the disk inside an image could not be opened or read. Offsets are bytes, of the image file unless said otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The image file could not be opened.
    #[error("{0}")]
    Open(#[source] io::Error),
    /// Another program holds the image file and shares it with nobody.
    #[error("another program holds the file: quit the one whose virtual machine uses it, then try again")]
    Held,
    /// The operating system failed to read.
    #[error("reading {length} bytes at byte {offset} of the image: {source}")]
    Read {
        /// Where the reading began.
        offset: u64,
        /// How many bytes were wanted.
        length: u64,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The image ends before something that must be in it.
    #[error("{what} reaches to byte {expected}, but the image ends at byte {found}: the copy is truncated")]
    Truncated {
        /// What does not fit.
        what: &'static str,
        /// How long the image must be at least.
        expected: u64,
        /// How long it is.
        found: u64,
    },
    /// A structure of the VHDX format does not hold what it must.
    #[error("{what} at byte {offset} of the image: expected {expected}, found {found}")]
    Malformed {
        /// The structure or field.
        what: &'static str,
        /// Where it stands.
        offset: u64,
        /// What a sound image has there.
        expected: String,
        /// What this one has.
        found: String,
    },
    /// The image needs something that this reader does not know.
    #[error("the image requires the {what} {guid}, which this reader does not know")]
    UnknownRequired {
        /// "region" or "metadata item".
        what: &'static str,
        /// Its identity.
        guid: Guid,
    },
    /// The image holds only what differs from another image.
    #[error(
        "this is a differencing disk: its content is complete only together with its parent, which is not read"
    )]
    Differencing,
    /// A read beyond the end of the virtual disk.
    #[error("{length} bytes at byte {offset} of the disk lie beyond its end at byte {end}")]
    BeyondEnd {
        /// Where the reading began, in bytes of the disk.
        offset: u64,
        /// How many bytes were wanted.
        length: u64,
        /// How long the disk is.
        end: u64,
    },
}

impl DiskError {
    pub(crate) fn malformed(
        what: &'static str,
        offset: u64,
        expected: impl Into<String>,
        found: impl Display,
    ) -> Self {
        Self::Malformed { what, offset, expected: expected.into(), found: found.to_string() }
    }

    /// What a failure to open a file means; a sharing violation has its own answer.
    pub(crate) fn of_opening(error: io::Error) -> Self {
        const SHARING_VIOLATION: i32 = 32;
        const LOCK_VIOLATION: i32 = 33;
        match error.raw_os_error() {
            Some(SHARING_VIOLATION | LOCK_VIOLATION) if cfg!(windows) => Self::Held,
            _ => Self::Open(error),
        }
    }
}

/// Why the files on a disk could not be found or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The disk below failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no ext2, ext3 or ext4 on the disk.
    #[error("expected an ext4 filesystem on the whole disk or in one of its partitions, found {found}")]
    NoFilesystem {
        /// What there was.
        found: String,
    },
    /// The filesystem uses something that this reader does not know.
    #[error("{what} uses features that this reader does not know: {features}")]
    Unsupported {
        /// The filesystem, its journal, or an inode.
        what: String,
        /// The features' names, as `dumpe2fs` spells them.
        features: String,
    },
    /// A structure of the filesystem does not hold what it must.
    #[error("{what}: expected {expected}, found {found}")]
    Corrupt {
        /// The structure, with the number of its inode or block.
        what: String,
        /// What a sound filesystem has there.
        expected: String,
        /// What this one has.
        found: String,
    },
    /// The operation is for another kind of entry.
    #[error("/{} is {found}, not {expected}", path.escape_ascii())]
    WrongKind {
        /// The entry, from the root.
        path: Vec<u8>,
        /// What the operation is for.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// The tree is larger than any that this reader is made for.
    #[error("{what}: at most {limit} are read")]
    TooMany {
        /// Of what there are too many, and where.
        what: String,
        /// The limit.
        limit: u64,
    },
}

impl TreeError {
    pub(crate) fn corrupt(what: impl Into<String>, expected: impl Into<String>, found: impl Display) -> Self {
        Self::Corrupt { what: what.into(), expected: expected.into(), found: found.to_string() }
    }
}
