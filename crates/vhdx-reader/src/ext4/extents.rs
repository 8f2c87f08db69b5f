//! Where data are, as a tree of extents.

use std::fmt::Display;
use std::sync::Arc;

use crate::bytes::{joined, u16_le, u32_le};
use crate::error::TreeError;

use super::inode::Inode;
use super::{Filesystem, Run, checksum};

const ENTRY: usize = 12;
const MAGIC: u16 = 0xF30A;
const DEEPEST: u16 = 5;
/// The numbers of a file's blocks have 32 bits.
const END: u64 = 1 << 32;
/// A longer extent is allocated, but not written: it reads as zeros, and this much of its length is only a mark.
const WRITTEN: u16 = 0x8000;

/// One node: what it says about itself, and its entries in ascending order.
struct Node<'a> {
    entries: &'a [u8],
    depth: u16,
}

/// The run of `inode` from block `index` on.
pub(super) fn run(filesystem: &Filesystem, inode: &Inode, index: u64) -> Result<Run, TreeError> {
    let mut depth = None;
    let mut end = END;
    let mut block: Arc<[u8]> = inode.block.as_slice().into();
    loop {
        let node = Node::parse(inode, &block, depth)?;
        let position = node.position(index);
        if let Some(next) = node.first_block(position) {
            end = end.min(next);
        }
        let Some(entry) = position.checked_sub(1).and_then(|before| node.entry(before)) else {
            return hole(inode, index, end);
        };
        if node.depth == 0 {
            return extent(inode, index, entry, end);
        }
        depth = Some(node.depth - 1);
        block = child(filesystem, inode, entry)?;
    }
}

/// What a leaf's entry, the last one that does not begin after `index`, has for it.
fn extent(inode: &Inode, index: u64, entry: &[u8], end: u64) -> Result<Run, TreeError> {
    let mark = u16_le(entry, 4);
    let (length, written) = if mark > WRITTEN { (mark - WRITTEN, false) } else { (mark, true) };
    let within = index.saturating_sub(u32_le(entry, 0).into());
    match u64::from(length).checked_sub(within) {
        None | Some(0) => hole(inode, index, end),
        Some(count) if written => {
            let start = joined(u16_le(entry, 6).into(), u32_le(entry, 8));
            Ok(Run { start: Some(start + within), count })
        }
        Some(count) => Ok(Run { start: None, count }),
    }
}

fn hole(inode: &Inode, index: u64, end: u64) -> Result<Run, TreeError> {
    match end.checked_sub(index) {
        Some(count) if count > 0 => Ok(Run { start: None, count }),
        _ => Err(wrong(inode, "ascending blocks", format!("block {end} after block {index}"))),
    }
}

fn child(filesystem: &Filesystem, inode: &Inode, entry: &[u8]) -> Result<Arc<[u8]>, TreeError> {
    let place = joined(u16_le(entry, 8).into(), u32_le(entry, 4));
    let block = filesystem.blocks.get(place, &format!("an extent node of inode {}", inode.number))?;
    if let Some(seed) = inode.seed {
        let tail = ENTRY * (1 + usize::from(u16_le(&block, 4)));
        let expected = checksum(seed, block.get(..tail).unwrap_or_default());
        let found = u32_le(&block, tail);
        if expected != found {
            return Err(wrong(inode, format!("checksum {expected:#010x}"), format!("{found:#010x}")));
        }
    }
    Ok(block)
}

impl<'a> Node<'a> {
    /// `depth` is what the parent demands: it falls by one from node to node, so that no chain of them is endless.
    fn parse(inode: &Inode, bytes: &'a [u8], depth: Option<u16>) -> Result<Self, TreeError> {
        let (magic, count, own) = (u16_le(bytes, 0), u16_le(bytes, 2), u16_le(bytes, 6));
        if magic != MAGIC {
            return Err(wrong(inode, "magic number 0xf30a", format!("{magic:#06x}")));
        }
        if own > DEEPEST || depth.is_some_and(|depth| depth != own) {
            let expected = depth.map_or("depth 0 to 5".to_owned(), |depth| format!("depth {depth}"));
            return Err(wrong(inode, expected, own));
        }
        let entries = bytes.get(ENTRY..ENTRY * (1 + usize::from(count)));
        let entries =
            entries.ok_or_else(|| wrong(inode, format!("entries in {} bytes", bytes.len()), count))?;
        Ok(Self { entries, depth: own })
    }

    fn entry(&self, position: usize) -> Option<&'a [u8]> {
        self.entries.chunks_exact(ENTRY).nth(position)
    }

    /// The block of the file where an entry begins.
    fn first_block(&self, position: usize) -> Option<u64> {
        self.entry(position).map(|entry| u32_le(entry, 0).into())
    }

    /// How many entries begin at or before block `index`.
    fn position(&self, index: u64) -> usize {
        let (entries, _) = self.entries.as_chunks::<ENTRY>();
        entries.partition_point(|entry| u64::from(u32_le(entry, 0)) <= index)
    }
}

fn wrong(inode: &Inode, expected: impl Into<String>, found: impl Display) -> TreeError {
    TreeError::corrupt(format!("an extent node of inode {}", inode.number), expected, found)
}
