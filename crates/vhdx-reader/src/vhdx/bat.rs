//! The block allocation table: where on the image file each block of the disk is.

use std::sync::{Mutex, PoisonError};

use crate::bytes::{narrow, u64_le};
use crate::error::DiskError;

use super::metadata::Metadata;
use super::overlay::Patched;
use super::region::Region;

const ENTRY: u64 = 8;
const PAGE: u64 = 4096;

/// The table is read a page at a time, as it is needed: that of a large disk does not fit a small memory.
pub(super) struct Bat {
    offset: u64,
    length: u64,
    /// After how many blocks of payload an entry for a sector bitmap follows.
    ratio: u64,
    last: Mutex<Option<(u64, [u8; 4096])>>,
}

/// Where a block is.
pub(super) enum Place {
    Zeros,
    /// At this offset of the image file.
    At(u64),
}

impl Bat {
    pub(super) fn new(metadata: &Metadata, region: Region) -> Result<Self, DiskError> {
        let ratio = (u64::from(metadata.logical_sector) << 23) / u64::from(metadata.block_size);
        let blocks = metadata.disk_size.div_ceil(u64::from(metadata.block_size));
        let length = ENTRY * (blocks + (blocks - 1) / ratio);
        if length > region.length {
            let expected = format!("{length} bytes for {blocks} blocks");
            let what = "the block allocation table";
            return Err(DiskError::malformed(what, region.offset, expected, region.length));
        }
        Ok(Self { offset: region.offset, length, ratio, last: Mutex::new(None) })
    }

    pub(super) fn place(&self, file: &Patched, block: u64) -> Result<Place, DiskError> {
        let at = ENTRY * (block + block / self.ratio);
        let entry = self.entry(file, at)?;
        let offset = entry >> 20 << 20;
        let wrong = |expected: &str, found: String| {
            Err(DiskError::malformed(
                "an entry of the block allocation table",
                self.offset + at,
                expected,
                found,
            ))
        };
        match entry & 7 {
            0..=3 => Ok(Place::Zeros),
            6 if offset == 0 || offset >= file.size() => wrong(
                &format!("a block between the first MiB and the image's end at byte {}", file.size()),
                format!("one at byte {offset}"),
            ),
            6 => Ok(Place::At(offset)),
            7 => Err(DiskError::Differencing),
            state => wrong("a state of 0, 1, 2, 3 or 6", state.to_string()),
        }
    }

    fn entry(&self, file: &Patched, at: u64) -> Result<u64, DiskError> {
        let page = at - at % PAGE;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((there, bytes)) if *there == page => Ok(u64_le(bytes, narrow(at - page))),
            _ => {
                let mut bytes = [0; 4096];
                let length = narrow(PAGE.min(self.length - page));
                file.read("the block allocation table", self.offset + page, &mut bytes[..length])?;
                *last = Some((page, bytes));
                Ok(u64_le(&bytes, narrow(at - page)))
            }
        }
    }
}
