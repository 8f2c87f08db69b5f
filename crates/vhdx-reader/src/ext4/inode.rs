//! An inode: what an entry is, and the root of where its data are.

use crate::bytes::{joined, u16_le, u32_le};
use crate::error::TreeError;
use crate::tree::{Kind, Modified};

use super::checksum;
use super::superblock::Superblock;

const ENCRYPTED: u32 = 0x800;
const INDEXED: u32 = 0x1000;
const EXTENTS: u32 = 0x8_0000;
const INLINE_DATA: u32 = 0x1000_0000;
/// What the first inodes ended with; newer ones go on.
const OLD_SIZE: usize = 128;

/// A decoded inode.
#[derive(Debug, Clone)]
pub(crate) struct Inode {
    pub(crate) number: u32,
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) links: u16,
    pub(crate) modified: Modified,
    pub(super) block: [u8; 60],
    /// What the checksums of this inode's blocks begin with.
    pub(super) seed: Option<u32>,
    flags: u32,
}

impl Inode {
    /// `bytes` are as long as the superblock says, at least 128.
    pub(super) fn parse(superblock: &Superblock, number: u32, bytes: &[u8]) -> Result<Self, TreeError> {
        let seed = superblock.checksum_seed.map(|seed| {
            checksum(checksum(seed, &number.to_le_bytes()), bytes.get(0x64..0x68).unwrap_or_default())
        });
        if let Some(seed) = seed {
            check(number, seed, bytes)?;
        }
        let mode = u16_le(bytes, 0);
        let Some(kind) = Kind::of_mode(mode) else {
            let what = format!("the mode of inode {number}");
            return Err(TreeError::corrupt(what, "the type of a file", format!("{mode:#o}")));
        };
        let inode = Self {
            number,
            kind,
            size: joined(u32_le(bytes, 0x6C), u32_le(bytes, 4)),
            mode: mode & 0o7777,
            uid: joined_halves(u16_le(bytes, 0x78), u16_le(bytes, 2)),
            gid: joined_halves(u16_le(bytes, 0x7A), u16_le(bytes, 0x18)),
            links: u16_le(bytes, 0x1A),
            modified: modified(bytes),
            block: bytes.get(0x28..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; 60]),
            seed,
            flags: u32_le(bytes, 0x20),
        };
        if inode.size.div_ceil(superblock.block_size) > 1 << 32 {
            let what = format!("the size of inode {number}");
            return Err(TreeError::corrupt(what, "at most 4294967296 blocks", inode.size));
        }
        Ok(inode)
    }

    pub(super) fn has_extents(&self) -> bool {
        self.flags & EXTENTS != 0
    }

    /// Whether some blocks of this directory hold an index of the others.
    pub(super) fn is_indexed(&self) -> bool {
        self.flags & INDEXED != 0
    }

    /// That its data are in blocks and to be understood.
    pub(crate) fn check_readable(&self) -> Result<(), TreeError> {
        let known = [(ENCRYPTED, "encrypt"), (INLINE_DATA, "inline_data")];
        match known.iter().find(|(flag, _)| self.flags & flag != 0) {
            None => Ok(()),
            Some((_, name)) => Err(TreeError::Unsupported {
                what: format!("inode {}", self.number),
                features: (*name).to_owned(),
            }),
        }
    }
}

fn check(number: u32, seed: u32, bytes: &[u8]) -> Result<(), TreeError> {
    const LOW: usize = 0x7C;
    const HIGH: usize = 0x82;
    let has_high = bytes.len() > OLD_SIZE && usize::from(u16_le(bytes, OLD_SIZE)) + OLD_SIZE >= HIGH + 2;
    let mut blank = bytes.to_vec();
    blank[LOW..LOW + 2].fill(0);
    if has_high {
        blank[HIGH..HIGH + 2].fill(0);
    }
    let mask = if has_high { u32::MAX } else { 0xFFFF };
    let high = if has_high { u16_le(bytes, HIGH) } else { 0 };
    let (expected, found) = (checksum(seed, &blank) & mask, joined_halves(high, u16_le(bytes, LOW)));
    if expected == found {
        return Ok(());
    }
    let what = format!("the checksum of inode {number}");
    Err(TreeError::corrupt(what, format!("{expected:#010x}"), format!("{found:#010x}")))
}

fn joined_halves(high: u16, low: u16) -> u32 {
    u32::from(high) << 16 | u32::from(low)
}

/// Seconds are signed and 32 bits wide; in larger inodes, two more bits carry them beyond 2038.
fn modified(bytes: &[u8]) -> Modified {
    const EXTRA: usize = 0x88;
    let seconds = i64::from(u32_le(bytes, 0x10).cast_signed());
    let has_extra = bytes.len() > OLD_SIZE && usize::from(u16_le(bytes, OLD_SIZE)) + OLD_SIZE >= EXTRA + 4;
    let extra = if has_extra { u32_le(bytes, EXTRA) } else { 0 };
    // A time is no reason to lose a file: what is no nanosecond is none.
    let nanoseconds = Some(extra >> 2).filter(|it| *it < 1_000_000_000).unwrap_or(0);
    Modified { seconds: seconds + (i64::from(extra & 3) << 32), nanoseconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modified_of(seconds: u32, extra: u32) -> (i64, u32) {
        let mut bytes = [0; 256];
        bytes[0x10..0x14].copy_from_slice(&seconds.to_le_bytes());
        bytes[0x80] = 32;
        bytes[0x88..0x8C].copy_from_slice(&extra.to_le_bytes());
        let modified = modified(&bytes);
        (modified.seconds, modified.nanoseconds)
    }

    #[test]
    fn times_before_1970_and_after_2038_are_kept() {
        assert_eq!(modified_of(1_700_000_000, 5 << 2), (1_700_000_000, 5));
        assert_eq!(modified_of(0xFFFF_FFFF, 0), (-1, 0));
        assert_eq!(modified_of(0x8000_0000, 1), (1 << 31, 0));
        assert_eq!(modified_of(7, 0xFFFF_FFFC), (7, 0));
    }
}
