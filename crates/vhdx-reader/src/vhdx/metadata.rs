//! The metadata items: how large the disk, its blocks and its sectors are.

use crate::bytes::{narrow, u16_le, u32_le, u64_le};
use crate::error::DiskError;

use super::overlay::Patched;
use super::region::Region;
use super::{Guid, MIB};

const TABLE: u64 = 64 << 10;
const MOST_ENTRIES: u16 = 2047;
const LARGEST_DISK: u64 = 64 << 40;

const FILE_PARAMETERS: Guid = Guid::new(0xCAA1_6737, 0xFA36, 0x4D43, 0xB3B6_33F0_AA44_E76B);
const DISK_SIZE: Guid = Guid::new(0x2FA5_4224, 0xCD1B, 0x4876, 0xB211_5DBE_D83B_F4B8);
const LOGICAL_SECTOR: Guid = Guid::new(0x8141_BF1D, 0xA96F, 0x4709, 0xBA47_F233_A8FA_AB5F);
const PHYSICAL_SECTOR: Guid = Guid::new(0xCDA3_48C7, 0x445D, 0x4471, 0x9CC9_E988_5251_C556);
const DISK_ID: Guid = Guid::new(0xBECA_12AB, 0xB2E6, 0x4523, 0x93EF_C309_E000_C746);
const PARENT_LOCATOR: Guid = Guid::new(0xA8D3_5F2D, 0xB30B, 0x454D, 0xABF7_D3D8_4834_AB0C);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) block_size: u32,
    pub(super) disk_size: u64,
    pub(super) logical_sector: u32,
}

/// Where the first bytes of an item stand, and what they are.
#[derive(Clone, Copy)]
struct Item {
    offset: u64,
    bytes: [u8; 8],
}

#[derive(Default)]
struct Items {
    parameters: Option<Item>,
    disk_size: Option<Item>,
    logical_sector: Option<Item>,
}

impl Metadata {
    pub(super) fn read(file: &Patched, region: Region) -> Result<Self, DiskError> {
        let items = Items::read(file, region)?;
        let missing =
            |what| move || DiskError::malformed("the metadata table", region.offset, what, "no such item");
        let parameters = items.parameters.ok_or_else(missing("the file parameters"))?;
        let disk_size = items.disk_size.ok_or_else(missing("the size of the disk"))?;
        let sector = items.logical_sector.ok_or_else(missing("the size of a logical sector"))?;
        if u32_le(&parameters.bytes, 4) & 2 != 0 {
            return Err(DiskError::Differencing);
        }
        let found = Self {
            block_size: u32_le(&parameters.bytes, 0),
            disk_size: u64_le(&disk_size.bytes, 0),
            logical_sector: u32_le(&sector.bytes, 0),
        };
        if !found.block_size.is_power_of_two() || !(MIB..=256 * MIB).contains(&u64::from(found.block_size)) {
            let expected = "a power of two from 1 to 256 MiB";
            return Err(DiskError::malformed(
                "the block size",
                parameters.offset,
                expected,
                found.block_size,
            ));
        }
        if found.logical_sector != 512 && found.logical_sector != 4096 {
            let (what, expected) = ("the size of a logical sector", "512 or 4096");
            return Err(DiskError::malformed(what, sector.offset, expected, found.logical_sector));
        }
        if !(1..=LARGEST_DISK).contains(&found.disk_size) {
            let (what, expected) = ("the size of the disk", "at most 64 TiB, and something");
            return Err(DiskError::malformed(what, disk_size.offset, expected, found.disk_size));
        }
        Ok(found)
    }
}

impl Items {
    fn read(file: &Patched, region: Region) -> Result<Self, DiskError> {
        let mut table = vec![0; narrow(TABLE)];
        file.read("the metadata table", region.offset, &mut table)?;
        if !table.starts_with(b"metadata") {
            let found = table[..8].escape_ascii();
            return Err(DiskError::malformed("the metadata table", region.offset, "\"metadata\"", found));
        }
        let count = u16_le(&table, 10);
        if count > MOST_ENTRIES {
            let what = "the number of metadata items";
            return Err(DiskError::malformed(what, region.offset + 10, "at most 2047", count));
        }
        let mut items = Self::default();
        for (entry, at) in
            table[32..].chunks_exact(32).take(usize::from(count)).zip((region.offset + 32..).step_by(32))
        {
            let place = match Guid::at(entry, 0) {
                FILE_PARAMETERS => &mut items.parameters,
                DISK_SIZE => &mut items.disk_size,
                LOGICAL_SECTOR => &mut items.logical_sector,
                PARENT_LOCATOR => return Err(DiskError::Differencing),
                PHYSICAL_SECTOR | DISK_ID => continue,
                guid if u32_le(entry, 24) & 4 != 0 => {
                    return Err(DiskError::UnknownRequired { what: "metadata item", guid });
                }
                _ => continue,
            };
            *place = Some(Item::read(file, region, at, entry)?);
        }
        Ok(items)
    }
}

impl Item {
    /// All items that matter are 4 or 8 bytes long.
    fn read(file: &Patched, region: Region, at: u64, entry: &[u8]) -> Result<Self, DiskError> {
        let (offset, length) = (u64::from(u32_le(entry, 16)), u64::from(u32_le(entry, 20)));
        if offset < TABLE || offset + length > region.length || !(length == 4 || length == 8) {
            let expected = format!("4 or 8 bytes from byte 65536 to {} of its region", region.length);
            let found = format!("{length} bytes from byte {offset}");
            return Err(DiskError::malformed("the place of a metadata item", at + 16, expected, found));
        }
        let offset = region.offset + offset;
        let mut bytes = [0; 8];
        file.read("a metadata item", offset, &mut bytes[..narrow(length)])?;
        Ok(Self { offset, bytes })
    }
}
