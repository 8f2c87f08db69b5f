//! The VHDX container: where on the image file each block of the virtual disk is.

mod bat;
mod guid;
mod header;
mod log;
mod metadata;
mod overlay;
mod region;

use crate::bytes::{narrow, wide};
use crate::disk::Warning;
use crate::error::DiskError;
use crate::image::ReadAt;

use self::bat::{Bat, Place};
pub use self::guid::Guid;
use self::header::Header;
use self::metadata::Metadata;
use self::overlay::Patched;
use self::region::Regions;

/// What an image file of this format begins with.
pub(crate) const SIGNATURE: &[u8; 8] = b"vhdxfile";

const MIB: u64 = 1 << 20;

/// An opened VHDX.
pub(crate) struct Vhdx {
    file: Patched,
    bat: Bat,
    metadata: Metadata,
}

impl Vhdx {
    pub(crate) fn open(image: Box<dyn ReadAt>) -> Result<(Self, Vec<Warning>), DiskError> {
        let header = Header::current(&image)?;
        let (file, warnings) = match header.log()? {
            None => (Patched::unchanged(image), Vec::new()),
            Some(log) => {
                let (overlay, entries) = log.replay(&image)?;
                (Patched::new(image, overlay), vec![Warning::LogReplayed { entries }])
            }
        };
        let regions = Regions::read(&file)?;
        let metadata = Metadata::read(&file, regions.metadata)?;
        let bat = Bat::new(&metadata, regions.bat)?;
        Ok((Self { file, bat, metadata }, warnings))
    }

    pub(crate) fn size(&self) -> u64 {
        self.metadata.disk_size
    }

    pub(crate) fn logical_sector(&self) -> u32 {
        self.metadata.logical_sector
    }

    /// Fills `into` from the virtual disk; the caller has checked that it ends within.
    pub(crate) fn read(&self, mut offset: u64, mut into: &mut [u8]) -> Result<(), DiskError> {
        let block_size = u64::from(self.metadata.block_size);
        while !into.is_empty() {
            let within = offset % block_size;
            let length = wide(into.len()).min(block_size - within);
            let (now, later) = into.split_at_mut(narrow(length));
            match self.bat.place(&self.file, offset / block_size)? {
                Place::Zeros => now.fill(0),
                Place::At(start) => self.file.read("a block of the disk", start + within, now)?,
            }
            offset += length;
            into = later;
        }
        Ok(())
    }
}
