//! The superblock: the shape of everything else.

use crate::bytes::{joined, u16_le, u32_le};
use crate::error::TreeError;
use crate::partition::Volume;

use super::checksum;
use super::features::{CSUM_SEED, RECOVER, SIXTY_FOUR_BIT, unknown};

const AT: u64 = 1024;
const SIZE: usize = 1024;
const CHECKSUM_AT: usize = 0x3FC;
const MAGIC: u16 = 0xEF53;
/// Compatible: there is a journal.
const HAS_JOURNAL: u32 = 0x4;
/// Compatible for reading: metadata carries CRC-32C.
const METADATA_CSUM: u32 = 0x400;
const SMALLEST_INODE: u16 = 128;

#[derive(Debug)]
pub(super) struct Superblock {
    pub(super) block_size: u64,
    pub(super) blocks: u64,
    pub(super) first_data_block: u32,
    pub(super) inodes: u32,
    pub(super) inodes_per_group: u32,
    pub(super) inode_size: u16,
    pub(super) descriptor_size: u16,
    /// What checksums begin with, if metadata carries them.
    pub(super) checksum_seed: Option<u32>,
    /// The inode of a journal that must be replayed.
    pub(super) journal: Option<u32>,
    pub(super) label: Vec<u8>,
}

impl Superblock {
    pub(super) fn read(volume: &Volume) -> Result<Self, TreeError> {
        let mut bytes = [0; SIZE];
        volume.read(AT, &mut bytes)?;
        let incompatible = u32_le(&bytes, 0x60);
        check_magic_and_checksum(&bytes)?;
        if let Some(features) = unknown(incompatible) {
            return Err(TreeError::Unsupported { what: "the filesystem".to_owned(), features });
        }
        let wide = incompatible & SIXTY_FOUR_BIT != 0;
        let superblock = Self {
            block_size: block_size(&bytes)?,
            blocks: joined(if wide { u32_le(&bytes, 0x150) } else { 0 }, u32_le(&bytes, 4)),
            first_data_block: u32_le(&bytes, 0x14),
            inodes: u32_le(&bytes, 0),
            inodes_per_group: u32_le(&bytes, 0x28),
            inode_size: if u32_le(&bytes, 0x4C) == 0 { SMALLEST_INODE } else { u16_le(&bytes, 0x58) },
            descriptor_size: if wide { u16_le(&bytes, 0xFE) } else { 32 },
            checksum_seed: checksum_seed(&bytes, incompatible),
            journal: journal(&bytes, incompatible)?,
            label: bytes[0x78..0x88].split(|byte| *byte == 0).next().unwrap_or_default().to_owned(),
        };
        superblock.check(volume, u32_le(&bytes, 0x20))?;
        Ok(superblock)
    }

    /// That no later computation can leave the volume or divide by zero.
    fn check(&self, volume: &Volume, blocks_per_group: u32) -> Result<(), TreeError> {
        let wrong = |what: &str, expected: String, found: u64| {
            Err(TreeError::corrupt(format!("{what} in the superblock"), expected, found))
        };
        if self.blocks.checked_mul(self.block_size).is_none_or(|size| size > volume.size()) {
            let expected = format!("at most {}, the volume's", volume.size() / self.block_size);
            return wrong("the number of blocks", expected, self.blocks);
        }
        if u64::from(self.first_data_block) >= self.blocks {
            return wrong(
                "the first data block",
                format!("one of {}", self.blocks),
                self.first_data_block.into(),
            );
        }
        let fits = |size: u16, least: u16| {
            size >= least && size.is_power_of_two() && u64::from(size) <= self.block_size
        };
        if !fits(self.inode_size, SMALLEST_INODE) {
            return wrong(
                "the size of an inode",
                "a power of two from 128".to_owned(),
                self.inode_size.into(),
            );
        }
        if !fits(self.descriptor_size, 32) {
            let expected = "a power of two from 32".to_owned();
            return wrong("the size of a group descriptor", expected, self.descriptor_size.into());
        }
        if blocks_per_group == 0 {
            return wrong("the number of blocks in a group", "some".to_owned(), 0);
        }
        let groups = (self.blocks - u64::from(self.first_data_block)).div_ceil(blocks_per_group.into());
        let inodes = groups.saturating_mul(self.inodes_per_group.into());
        if self.inodes_per_group == 0 || u64::from(self.inodes) > inodes {
            return wrong("the number of inodes", format!("at most {inodes}"), self.inodes.into());
        }
        Ok(())
    }
}

fn check_magic_and_checksum(bytes: &[u8; SIZE]) -> Result<(), TreeError> {
    let magic = u16_le(bytes, 0x38);
    if magic != MAGIC {
        return Err(TreeError::corrupt("the superblock's magic number", "0xef53", format!("{magic:#x}")));
    }
    let (expected, found) = (checksum(!0, &bytes[..CHECKSUM_AT]), u32_le(bytes, CHECKSUM_AT));
    if u32_le(bytes, 0x64) & METADATA_CSUM != 0 && expected != found {
        let what = "the superblock's checksum";
        return Err(TreeError::corrupt(what, format!("{expected:#010x}"), format!("{found:#010x}")));
    }
    Ok(())
}

fn block_size(bytes: &[u8; SIZE]) -> Result<u64, TreeError> {
    match u32_le(bytes, 0x18) {
        log @ 0..=6 => Ok(1024 << log),
        log => {
            Err(TreeError::corrupt("the block size in the superblock", "1 to 64 KiB", format!("2^{log} KiB")))
        }
    }
}

fn checksum_seed(bytes: &[u8; SIZE], incompatible: u32) -> Option<u32> {
    let uuid = &bytes[0x68..0x78];
    let seed = if incompatible & CSUM_SEED != 0 { u32_le(bytes, 0x270) } else { checksum(!0, uuid) };
    (u32_le(bytes, 0x64) & METADATA_CSUM != 0).then_some(seed)
}

fn journal(bytes: &[u8; SIZE], incompatible: u32) -> Result<Option<u32>, TreeError> {
    if incompatible & RECOVER == 0 || u32_le(bytes, 0x5C) & HAS_JOURNAL == 0 {
        return Ok(None);
    }
    match u32_le(bytes, 0xE0) {
        0 => {
            let features = "a journal on another device".to_owned();
            Err(TreeError::Unsupported { what: "the filesystem".to_owned(), features })
        }
        inode => Ok(Some(inode)),
    }
}

/// What the checksum of a group descriptor should be, and what it is.
pub(super) fn descriptor_checksum(seed: u32, group: u32, descriptor: &[u8]) -> (u16, u16) {
    const AT: usize = 0x1E;
    let crc = checksum(checksum(seed, &group.to_le_bytes()), &descriptor[..AT]);
    let crc = checksum(checksum(crc, &[0; 2]), &descriptor[AT + 2..]);
    ((crc & 0xFFFF) as u16, u16_le(descriptor, AT))
}
