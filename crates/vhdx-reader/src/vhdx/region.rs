//! The region tables: where the block allocation table and the metadata stand.

use crate::bytes::{crc32c_without, u32_le, u64_le};
use crate::error::DiskError;

use super::overlay::Patched;
use super::{Guid, MIB};

const PLACES: [u64; 2] = [192 << 10, 256 << 10];
const SIZE: usize = 64 << 10;
const MOST_ENTRIES: u32 = 2047;
const BAT: Guid = Guid::new(0x2DC2_7766, 0xF623, 0x4200, 0x9D64_115E_9BFD_4A08);
const METADATA: Guid = Guid::new(0x8B7C_A206, 0x4790, 0x4B9A, 0xB8FE_575F_050F_886E);

/// A part of the image file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) offset: u64,
    pub(super) length: u64,
}

pub(super) struct Regions {
    pub(super) bat: Region,
    pub(super) metadata: Region,
}

impl Regions {
    /// From the first table that is valid.
    pub(super) fn read(file: &Patched) -> Result<Self, DiskError> {
        let mut bytes = vec![0; SIZE];
        for place in PLACES {
            file.read("the region tables", place, &mut bytes)?;
            if bytes.starts_with(b"regi") && u32_le(&bytes, 4) == crc32c_without(&bytes, 4) {
                return Self::parse(file, place, &bytes);
            }
        }
        let none = "at bytes 196608 and 262144, neither with the signature \"regi\" and its checksum";
        Err(DiskError::malformed("the region tables", PLACES[0], "a valid one", none))
    }

    fn parse(file: &Patched, place: u64, bytes: &[u8]) -> Result<Self, DiskError> {
        let count = u32_le(bytes, 8);
        if count > MOST_ENTRIES {
            let what = "the number of entries in the region table";
            return Err(DiskError::malformed(what, place + 8, "at most 2047", count));
        }
        let (mut bat, mut metadata) = (None, None);
        for (entry, at) in bytes[16..].chunks_exact(32).take(count as usize).zip((place + 16..).step_by(32)) {
            let guid = Guid::at(entry, 0);
            let found = match guid {
                BAT => &mut bat,
                METADATA => &mut metadata,
                _ if u32_le(entry, 28) & 1 == 1 => {
                    return Err(DiskError::UnknownRequired { what: "region", guid });
                }
                _ => continue,
            };
            if found.replace(Region::parse(file, at, entry)?).is_some() {
                return Err(DiskError::malformed("the region table", at, "each region once", guid));
            }
        }
        let missing = |what| move || DiskError::malformed("the region table", place, what, "no entry for it");
        Ok(Self {
            bat: bat.ok_or_else(missing("the block allocation table"))?,
            metadata: metadata.ok_or_else(missing("the metadata region"))?,
        })
    }
}

impl Region {
    fn parse(file: &Patched, at: u64, entry: &[u8]) -> Result<Self, DiskError> {
        let region = Self { offset: u64_le(entry, 16), length: u64::from(u32_le(entry, 24)) };
        if region.offset < MIB || !region.offset.is_multiple_of(MIB) {
            let expected = "a multiple of 1 MiB";
            return Err(DiskError::malformed("the offset of a region", at + 16, expected, region.offset));
        }
        let end = region.offset.saturating_add(region.length);
        if end > file.size() {
            return Err(DiskError::Truncated { what: "a region", expected: end, found: file.size() });
        }
        Ok(region)
    }
}
