//! Directories, read from end to end: the index that some have only speeds up looking for one name.

use std::fmt::Display;

use crate::bytes::{u16_le, u32_le};
use crate::error::TreeError;

use super::inode::Inode;
use super::{Filesystem, checksum};

const HEADER: usize = 8;
/// The last entry of a block that carries a checksum: it has no inode and no name, and this type.
const TAIL: u16 = 12;
const TAIL_TYPE: u8 = 0xDE;
/// No directory of a session comes near.
const MOST_NAMES: usize = 1 << 20;

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) name: Vec<u8>,
    pub(crate) inode: u32,
}

pub(super) fn names(filesystem: &Filesystem, inode: &Inode) -> Result<Vec<Name>, TreeError> {
    inode.check_readable()?;
    let block_size = filesystem.block_size();
    let blocks = inode.size.div_ceil(block_size);
    if blocks > filesystem.superblock.blocks {
        let what = format!("the size of directory inode {}", inode.number);
        return Err(TreeError::corrupt(what, "less than the filesystem's", inode.size));
    }
    let (mut names, mut index) = (Vec::new(), 0);
    while index < blocks {
        let run = filesystem.run(inode, index)?;
        let start = run.start.ok_or_else(|| wrong(inode, "no holes", format!("one at block {index}")))?;
        for nth in 0..run.count.min(blocks - index) {
            let block = filesystem.blocks.get(start + nth, "a directory")?;
            Block { inode, bytes: &block, is_first: index + nth == 0 }.names(&mut names)?;
        }
        index += run.count;
    }
    Ok(names)
}

struct Block<'a> {
    inode: &'a Inode,
    bytes: &'a [u8],
    is_first: bool,
}

impl Block<'_> {
    fn names(&self, names: &mut Vec<Name>) -> Result<(), TreeError> {
        self.check()?;
        let mut at = 0;
        while at < self.bytes.len() {
            let length = self.length(at);
            let entry =
                self.bytes.get(at..at + length).filter(|_| length >= HEADER && length.is_multiple_of(4));
            let entry = entry.ok_or_else(|| {
                wrong(self.inode, "entries that fill a block", format!("one of {length} bytes at byte {at}"))
            })?;
            at += length;
            if u32_le(entry, 0) != 0 {
                self.take(entry, names)?;
            }
        }
        Ok(())
    }

    fn take(&self, entry: &[u8], names: &mut Vec<Name>) -> Result<(), TreeError> {
        let name = entry.get(HEADER..HEADER + usize::from(entry[6])).filter(|name| is_name(name));
        let name = name.ok_or_else(|| {
            wrong(self.inode, "a name without slash and zero byte", format!("{} bytes", entry[6]))
        })?;
        if name == b"." || name == b".." {
            return Ok(());
        }
        if names.len() >= MOST_NAMES {
            let what = format!("the entries of directory inode {}", self.inode.number);
            return Err(TreeError::TooMany { what, limit: MOST_NAMES as u64 });
        }
        names.push(Name { name: name.to_owned(), inode: u32_le(entry, 0) });
        Ok(())
    }

    /// The length of the entry at `at`. A block of 64 KiB is one more than 16 bits can say, and has its own spelling.
    fn length(&self, at: usize) -> usize {
        match usize::from(u16_le(self.bytes, at + 4)) {
            0 | 0xFFFF if self.bytes.len() == 1 << 16 => 1 << 16,
            length if self.bytes.len() == 1 << 16 => (length & !3) | (length & 3) << 16,
            length => length,
        }
    }

    /// Blocks of the index hold no names and have checksums of another shape.
    fn check(&self) -> Result<(), TreeError> {
        let index = self.is_first || u32_le(self.bytes, 0) == 0 && self.length(0) == self.bytes.len();
        let Some(seed) = self.inode.seed.filter(|_| !(self.inode.is_indexed() && index)) else {
            return Ok(());
        };
        let at = self.bytes.len() - usize::from(TAIL);
        let tail = &self.bytes[at..];
        if u32_le(tail, 0) != 0 || u16_le(tail, 4) != TAIL || tail[7] != TAIL_TYPE {
            return Err(wrong(self.inode, "a checksum", "none"));
        }
        let (expected, found) = (checksum(seed, &self.bytes[..at]), u32_le(tail, 8));
        if expected != found {
            return Err(wrong(self.inode, format!("checksum {expected:#010x}"), format!("{found:#010x}")));
        }
        Ok(())
    }
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && !name.contains(&b'/') && !name.contains(&0)
}

fn wrong(inode: &Inode, expected: impl Into<String>, found: impl Display) -> TreeError {
    TreeError::corrupt(format!("a block of directory inode {}", inode.number), expected, found)
}
