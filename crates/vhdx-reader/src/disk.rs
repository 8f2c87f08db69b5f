//! The disk inside an image, whatever the image's format.

use std::fmt;
use std::path::Path;

use crate::bytes::wide;
use crate::error::{DiskError, OpenError};
use crate::image::{ImageFile, ReadAt};
use crate::vhdx::{SIGNATURE, Vhdx};

/// What is worth telling about an image that is read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The VHDX had not been closed: what its log holds is read as if it were in its place. If the virtual machine runs
    /// now, or ran while the image was copied, the image may be torn.
    LogReplayed {
        /// How many entries the log has.
        entries: u64,
    },
    /// The filesystem had not been unmounted: what its journal holds is read as if it were in its place.
    JournalReplayed {
        /// How many transactions the journal has.
        transactions: u64,
    },
    /// A transaction of the journal was committed, but does not read as it was written: it and all later ones are left
    /// out. What is read may be older than what had been written, or torn.
    JournalDamaged {
        /// The number of the transaction.
        transaction: u32,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LogReplayed { entries } => write!(
                f,
                "the image was not closed cleanly: {entries} log entries were replayed in memory; \
                 if the virtual machine was running, the copy may be torn"
            ),
            Self::JournalReplayed { transactions } => write!(
                f,
                "the filesystem was not unmounted: {transactions} journal transactions were replayed in memory"
            ),
            Self::JournalDamaged { transaction } => write!(
                f,
                "the journal is damaged in transaction {transaction}: that one and all later ones are left out, \
                 and files may be older than they were or torn"
            ),
        }
    }
}

/// A disk that can be read and not written: a VHDX, dynamic or fixed, or a raw image.
///
/// A VHDX that was not closed has its log replayed in memory; the image stays as it is.
pub struct Disk {
    format: Format,
    warnings: Vec<Warning>,
}

enum Format {
    Raw(Box<dyn ReadAt>),
    Vhdx(Box<Vhdx>),
}

impl Disk {
    /// Opens an image file. Only its content tells the format, never its name.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        ImageFile::open(path)
            .map_err(DiskError::of_opening)
            .and_then(|image| Self::of_image(Box::new(image)))
            .map_err(|source| OpenError { path: path.to_owned(), source })
    }

    /// The disk inside an image that is somewhere else than in a file.
    pub fn of_image(image: Box<dyn ReadAt>) -> Result<Self, DiskError> {
        let mut signature = [0; 8];
        let length = signature.len().min(usize::try_from(image.size()).unwrap_or(usize::MAX));
        image.read_exact_at(0, &mut signature[..length]).map_err(|source| DiskError::Read {
            offset: 0,
            length: wide(length),
            source,
        })?;
        if &signature == SIGNATURE {
            let (vhdx, warnings) = Vhdx::open(image)?;
            Ok(Self { format: Format::Vhdx(Box::new(vhdx)), warnings })
        } else {
            Ok(Self { format: Format::Raw(image), warnings: Vec::new() })
        }
    }

    /// The size of the disk in bytes.
    pub fn size(&self) -> u64 {
        match &self.format {
            Format::Raw(image) => image.size(),
            Format::Vhdx(vhdx) => vhdx.size(),
        }
    }

    /// The size of a logical sector in bytes, if the format says so.
    pub fn logical_sector(&self) -> Option<u32> {
        match &self.format {
            Format::Raw(_) => None,
            Format::Vhdx(vhdx) => Some(vhdx.logical_sector()),
        }
    }

    /// What opening it has shown.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Fills `into` with the bytes of the disk from `offset` on.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let length = wide(into.len());
        if offset.checked_add(length).is_none_or(|end| end > self.size()) {
            return Err(DiskError::BeyondEnd { offset, length, end: self.size() });
        }
        match &self.format {
            Format::Raw(image) => {
                image.read_exact_at(offset, into).map_err(|source| DiskError::Read { offset, length, source })
            }
            Format::Vhdx(vhdx) => vhdx.read(offset, into),
        }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.format {
            Format::Raw(_) => "raw",
            Format::Vhdx(_) => "VHDX",
        };
        let mut shown = f.debug_struct("Disk");
        shown.field("format", &format).field("size", &self.size()).field("warnings", &self.warnings);
        shown.finish_non_exhaustive()
    }
}
