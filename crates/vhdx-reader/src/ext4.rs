//! ext2, ext3 and ext4, read by inode.
//!
//! The house's first choice was the crate `ext4-view`. It takes preallocated extents for written ones, overlooks revoked
//! and wrapped-around parts of the journal, and panics on some damaged directories; so it serves the tests, as a second
//! opinion, and this is what reads.

mod blocks;
mod directory;
mod extents;
mod features;
mod indirect;
mod inode;
mod journal;
mod superblock;

use std::collections::BTreeMap;

use crate::bytes::{joined, narrow, u32_le, wide};
use crate::disk::Warning;
use crate::error::TreeError;
use crate::partition::Volume;

use self::blocks::Blocks;
pub(crate) use self::directory::Name;
pub(crate) use self::inode::Inode;
use self::superblock::{Superblock, descriptor_checksum};

pub(crate) const ROOT: u32 = 2;
/// Linux follows no symlink with a longer target.
const LONGEST_TARGET: u64 = 4096;
/// How long a target can be to stand in the inode itself.
const FAST_TARGET: u64 = 60;

/// An opened filesystem.
pub(crate) struct Filesystem {
    superblock: Superblock,
    blocks: Blocks,
}

/// Blocks of a file that follow each other, from the one that was asked for on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// The first one's place, none for a hole.
    pub(crate) start: Option<u64>,
    /// How many there are, at least one.
    pub(crate) count: u64,
}

impl Filesystem {
    pub(crate) fn open(volume: Volume) -> Result<(Self, Vec<Warning>), TreeError> {
        let superblock = Superblock::read(&volume)?;
        let blocks = Blocks::new(volume, &superblock);
        let mut filesystem = Self { superblock, blocks };
        let mut warnings = Vec::new();
        if let Some(inode) = filesystem.superblock.journal {
            let replayed = journal::replay(&filesystem, inode)?;
            filesystem.blocks.replace(replayed.moved);
            if replayed.transactions > 0 {
                warnings.push(Warning::JournalReplayed { transactions: replayed.transactions });
            }
            warnings.extend(replayed.damaged.map(|transaction| Warning::JournalDamaged { transaction }));
        }
        Ok((filesystem, warnings))
    }

    pub(crate) fn label(&self) -> &[u8] {
        &self.superblock.label
    }

    pub(crate) fn volume(&self) -> &Volume {
        self.blocks.volume()
    }

    pub(crate) fn block_size(&self) -> u64 {
        self.superblock.block_size
    }

    /// Reads inode `number`.
    pub(crate) fn inode(&self, number: u32) -> Result<Inode, TreeError> {
        let sb = &self.superblock;
        let Some(index) = number.checked_sub(1).filter(|_| number <= sb.inodes) else {
            let expected = format!("from 1 to {}", sb.inodes);
            return Err(TreeError::corrupt("the number of an inode", expected, number));
        };
        let table = self.inode_table(index / sb.inodes_per_group)?;
        let offset = u64::from(index % sb.inodes_per_group) * u64::from(sb.inode_size);
        let block = self.blocks.get(table.saturating_add(offset / sb.block_size), "the inode table")?;
        let start = narrow(offset % sb.block_size);
        Inode::parse(sb, number, &block[start..start + usize::from(sb.inode_size)])
    }

    /// Where the inodes of a group stand. The descriptors follow the block that the superblock is in.
    fn inode_table(&self, group: u32) -> Result<u64, TreeError> {
        let sb = &self.superblock;
        let size = u64::from(sb.descriptor_size);
        let offset = (1024 / sb.block_size + 1) * sb.block_size + u64::from(group) * size;
        let block = self.blocks.get(offset / sb.block_size, "the group descriptors")?;
        let start = narrow(offset % sb.block_size);
        let descriptor = &block[start..start + narrow(size)];
        if let Some(seed) = sb.checksum_seed {
            let (expected, found) = descriptor_checksum(seed, group, descriptor);
            if expected != found {
                let what = format!("the checksum of group descriptor {group}");
                return Err(TreeError::corrupt(what, format!("{expected:#06x}"), format!("{found:#06x}")));
            }
        }
        let high = if size >= 64 { u32_le(descriptor, 0x28) } else { 0 };
        Ok(joined(high, u32_le(descriptor, 8)))
    }

    /// Where the data of `inode` goes on from its block `index`. Runs of holes may go beyond the file's end.
    pub(crate) fn run(&self, inode: &Inode, index: u64) -> Result<Run, TreeError> {
        let run = if inode.has_extents() {
            extents::run(self, inode, index)?
        } else {
            indirect::run(self, inode, index)?
        };
        if let Some(start) = run.start {
            let end = start.saturating_add(run.count);
            if start < u64::from(self.superblock.first_data_block).max(1) || end > self.superblock.blocks {
                let expected = format!("blocks before block {}", self.superblock.blocks);
                return Err(TreeError::corrupt(
                    format!("the data of inode {}", inode.number),
                    expected,
                    start,
                ));
            }
        }
        Ok(run)
    }

    /// Fills `into` from byte `offset` of a run of blocks that begins at `start`.
    pub(crate) fn read(&self, start: u64, offset: u64, into: &mut [u8]) -> Result<(), TreeError> {
        self.blocks.read(start * self.superblock.block_size + offset, into)
    }

    /// The entries of a directory in the order of the disk, without `.` and `..`.
    pub(crate) fn names(&self, inode: &Inode) -> Result<Vec<Name>, TreeError> {
        directory::names(self, inode)
    }

    /// What a symlink says, never followed.
    pub(crate) fn target(&self, inode: &Inode) -> Result<Vec<u8>, TreeError> {
        if inode.size == 0 || inode.size > LONGEST_TARGET {
            let what = format!("the target of symlink inode {}", inode.number);
            return Err(TreeError::corrupt(what, "1 to 4096 bytes", inode.size));
        }
        let mut target = vec![0; narrow(inode.size)];
        if inode.size < FAST_TARGET && !inode.has_extents() {
            target.copy_from_slice(&inode.block[..narrow(inode.size)]);
            return Ok(target);
        }
        let mut done = 0;
        while done < target.len() {
            let run = self.run(inode, wide(done) / self.block_size())?;
            let length = narrow(run.count.saturating_mul(self.block_size())).min(target.len() - done);
            if let Some(start) = run.start {
                self.read(start, 0, &mut target[done..done + length])?;
            }
            done += length;
        }
        Ok(target)
    }
}

/// Blocks that are to be read from the journal, by the place they belong to.
type Moved = BTreeMap<u64, Copied>;

/// Where the journal has a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Copied {
    block: u64,
    /// Its first four bytes are the journal's own magic number, which is written as zeros there.
    escaped: bool,
}

/// CRC-32C as ext4 keeps it: from a seed on, and not inverted at the end.
fn checksum(seed: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!seed, bytes)
}
