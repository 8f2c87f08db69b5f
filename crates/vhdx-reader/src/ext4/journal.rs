//! The journal: what had been promised to be changed when the filesystem was last heard of.
//!
//! A circle of blocks, all numbers big-endian. A transaction is descriptor blocks, each followed by the blocks it tells
//! the places of, and blocks of *revocations* (what no earlier transaction may write any more, since the place has
//! become a file's data), and ends with a commit block. What lacks that never happened.

use std::collections::HashMap;
use std::sync::Arc;

use crate::bytes::{joined, narrow, u16_be, u32_be, u64_be, wide};
use crate::error::TreeError;

use super::inode::Inode;
use super::{Copied, Filesystem, Moved, checksum};

pub(super) const MAGIC: u32 = 0xC03B_3998;
const HEADER: usize = 12;
/// Four million blocks are more than the largest that mkfs makes.
const MOST_BLOCKS: u32 = 1 << 22;

const DESCRIPTOR: u32 = 1;
const COMMIT: u32 = 2;
const SUPERBLOCK_1: u32 = 3;
const SUPERBLOCK_2: u32 = 4;
const REVOCATIONS: u32 = 5;

const SIXTY_FOUR_BIT: u32 = 0x2;
const CHECKSUM_2: u32 = 0x8;
const CHECKSUM_3: u32 = 0x10;
/// Revocations, 64 bits, asynchronous commits, and the two kinds of checksums.
const KNOWN: u32 = 0x1 | SIXTY_FOUR_BIT | 0x4 | CHECKSUM_2 | CHECKSUM_3;
const FAST_COMMIT: u32 = 0x20;

const ESCAPED: u32 = 1;
const SAME_UUID: u32 = 2;
const LAST: u32 = 8;

/// What a replay comes to.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub(super) moved: Moved,
    pub(super) transactions: u64,
    /// The number of a transaction that was committed and does not read as written.
    pub(super) damaged: Option<u32>,
}

/// Reads the journal in inode `number`; nothing is replaced in `filesystem` while it is read.
pub(super) fn replay(filesystem: &Filesystem, number: u32) -> Result<Replayed, TreeError> {
    let inode = filesystem.inode(number)?;
    inode.check_readable()?;
    let Some(shape) = Shape::read(filesystem, &inode)? else {
        return Ok(Replayed::default());
    };
    let (next, sequence, left) = (shape.start, shape.sequence, shape.end - shape.first);
    let mut scan = Scan { filesystem, inode: &inode, shape, next, sequence, left, damaged: None };
    let mut transactions = Vec::new();
    while let Some(transaction) = scan.transaction()? {
        transactions.push(transaction);
    }
    let damaged = scan.damaged;
    Ok(Replayed { moved: applied(&transactions), transactions: wide(transactions.len()), damaged })
}

/// The last copy of each block, but for those that a later transaction, or the same, revokes.
fn applied(transactions: &[Transaction]) -> Moved {
    let mut revoked: HashMap<u64, usize> = HashMap::new();
    for (position, transaction) in transactions.iter().enumerate() {
        revoked.extend(transaction.revoked.iter().map(|place| (*place, position)));
    }
    let mut moved = Moved::new();
    for (position, transaction) in transactions.iter().enumerate() {
        let stands = |place: &u64| revoked.get(place).is_none_or(|last| *last < position);
        moved.extend(transaction.copies.iter().filter(|(place, _)| stands(place)).copied());
    }
    moved
}

#[derive(Default)]
struct Transaction {
    copies: Vec<(u64, Copied)>,
    revoked: Vec<u64>,
}

/// What the journal's superblock says.
struct Shape {
    /// The circle: blocks of the journal's inode from the first to before the end.
    first: u32,
    end: u32,
    start: u32,
    sequence: u32,
    features: u32,
    /// What checksums begin with, if there are any.
    seed: Option<u32>,
}

impl Shape {
    /// None if there is nothing to replay.
    fn read(filesystem: &Filesystem, inode: &Inode) -> Result<Option<Self>, TreeError> {
        let block = block(filesystem, inode, 0)?;
        let kind = u32_be(&block, 4);
        if u32_be(&block, 0) != MAGIC || !matches!(kind, SUPERBLOCK_1 | SUPERBLOCK_2) {
            let found = block[..8].escape_ascii();
            return Err(TreeError::corrupt("the journal's superblock", "its magic number and type", found));
        }
        let features = if kind == SUPERBLOCK_2 { u32_be(&block, 40) } else { 0 };
        if features & !KNOWN != 0 {
            let name = if features & FAST_COMMIT != 0 { "fast_commit" } else { "unknown ones" };
            let features = format!("{name} ({features:#x})");
            return Err(TreeError::Unsupported { what: "the journal".to_owned(), features });
        }
        let has_checksums = features & (CHECKSUM_2 | CHECKSUM_3) != 0;
        if has_checksums && u32_be(&block, 252) != checksum_without(!0, &block[..1024], 252) {
            let found = format!("{:#010x}", u32_be(&block, 252));
            return Err(TreeError::corrupt("the journal's superblock", "its checksum", found));
        }
        let shape = Self {
            first: u32_be(&block, 20),
            end: u32_be(&block, 16),
            start: u32_be(&block, 28),
            sequence: u32_be(&block, 24),
            features,
            seed: has_checksums.then(|| checksum(!0, &block[48..64])),
        };
        shape.check(filesystem, inode, u32_be(&block, 12))?;
        Ok((shape.start != 0).then_some(shape))
    }

    fn check(&self, filesystem: &Filesystem, inode: &Inode, block_size: u32) -> Result<(), TreeError> {
        if u64::from(block_size) != filesystem.block_size() {
            let expected = format!("{}, the filesystem's", filesystem.block_size());
            return Err(TreeError::corrupt("the journal's block size", expected, block_size));
        }
        let most = (inode.size / filesystem.block_size()).min(MOST_BLOCKS.into());
        if u64::from(self.end) > most || !(1..self.end).contains(&self.first) {
            let (expected, found) = (format!("within {most}"), format!("{} to {}", self.first, self.end));
            return Err(TreeError::corrupt("the journal's blocks", expected, found));
        }
        if self.start != 0 && !(self.first..self.end).contains(&self.start) {
            let expected = format!("from {} to before {}", self.first, self.end);
            return Err(TreeError::corrupt("the journal's first block in use", expected, self.start));
        }
        Ok(())
    }

    fn has(&self, feature: u32) -> bool {
        self.features & feature != 0
    }
}

struct Scan<'a> {
    filesystem: &'a Filesystem,
    inode: &'a Inode,
    shape: Shape,
    /// The block of the journal to be read next.
    next: u32,
    sequence: u32,
    /// How many blocks the circle has left: it is gone round once.
    left: u32,
    damaged: Option<u32>,
}

impl Scan<'_> {
    /// The next one that was committed, if there is one.
    fn transaction(&mut self) -> Result<Option<Transaction>, TreeError> {
        let mut transaction = Transaction::default();
        let mut intact = true;
        while let Some((_, block)) = self.step()? {
            if u32_be(&block, 0) != MAGIC || u32_be(&block, 8) != self.sequence {
                return Ok(None);
            }
            match u32_be(&block, 4) {
                DESCRIPTOR if self.tail_holds(&block) => intact &= self.copies(&block, &mut transaction)?,
                REVOCATIONS if self.tail_holds(&block) => self.revocations(&block, &mut transaction),
                COMMIT if self.commit_holds(&block) && intact => {
                    self.sequence = self.sequence.wrapping_add(1);
                    return Ok(Some(transaction));
                }
                COMMIT if self.commit_holds(&block) => {
                    self.damaged = Some(self.sequence);
                    return Ok(None);
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The next block of the circle.
    fn step(&mut self) -> Result<Option<Step>, TreeError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let place = place(self.filesystem, self.inode, self.next)?;
        self.next = if self.next + 1 < self.shape.end { self.next + 1 } else { self.shape.first };
        Ok(Some((place, self.filesystem.blocks.get(place, "the journal")?)))
    }

    /// Takes in what follows a descriptor block; whether all of it reads as it was written.
    fn copies(&mut self, descriptor: &[u8], transaction: &mut Transaction) -> Result<bool, TreeError> {
        let end = descriptor.len() - if self.shape.seed.is_some() { 4 } else { 0 };
        let (mut at, mut intact) = (HEADER, true);
        while at + self.tag_size() <= end {
            let tag = Tag::parse(&self.shape, &descriptor[at..]);
            at += self.tag_size() + if tag.flags & SAME_UUID == 0 { 16 } else { 0 };
            let Some((place, block)) = self.step()? else { return Ok(false) };
            intact &= tag.place < self.filesystem.superblock.blocks
                && self.shape.seed.is_none_or(|seed| tag.fits(&self.shape, seed, self.sequence, &block));
            let copied = Copied { block: place, escaped: tag.flags & ESCAPED != 0 };
            transaction.copies.push((tag.place, copied));
            if tag.flags & LAST != 0 {
                break;
            }
        }
        Ok(intact)
    }

    fn revocations(&self, block: &[u8], transaction: &mut Transaction) {
        let size = if self.shape.has(SIXTY_FOUR_BIT) { 8 } else { 4 };
        let list = block.get(HEADER + 4..narrow(u32_be(block, HEADER).into())).unwrap_or_default();
        let place = |it: &[u8]| if size == 8 { u64_be(it, 0) } else { u32_be(it, 0).into() };
        transaction.revoked.extend(list.chunks_exact(size).map(place));
    }

    fn tag_size(&self) -> usize {
        match (self.shape.has(CHECKSUM_3), self.shape.has(CHECKSUM_2), self.shape.has(SIXTY_FOUR_BIT)) {
            (true, _, _) => 16,
            (false, has_2, has_64) => 8 + if has_2 { 2 } else { 0 } + if has_64 { 4 } else { 0 },
        }
    }

    fn tail_holds(&self, block: &[u8]) -> bool {
        let at = block.len() - 4;
        self.shape.seed.is_none_or(|seed| checksum_without(seed, block, at) == u32_be(block, at))
    }

    fn commit_holds(&self, block: &[u8]) -> bool {
        const AT: usize = 16;
        self.shape.seed.is_none_or(|seed| checksum_without(seed, block, AT) == u32_be(block, AT))
    }
}

/// A block's place on the volume, and what is in it.
type Step = (u64, Arc<[u8]>);

/// What a descriptor says of one block.
struct Tag {
    place: u64,
    flags: u32,
    checksum: u32,
}

impl Tag {
    fn parse(shape: &Shape, bytes: &[u8]) -> Self {
        let high = if shape.has(SIXTY_FOUR_BIT) { u32_be(bytes, 8) } else { 0 };
        let place = joined(high, u32_be(bytes, 0));
        if shape.has(CHECKSUM_3) {
            return Self { place, flags: u32_be(bytes, 4), checksum: u32_be(bytes, 12) };
        }
        Self { place, flags: u16_be(bytes, 6).into(), checksum: u16_be(bytes, 4).into() }
    }

    fn fits(&self, shape: &Shape, seed: u32, sequence: u32, block: &[u8]) -> bool {
        let found = checksum(checksum(seed, &sequence.to_be_bytes()), block);
        self.checksum == if shape.has(CHECKSUM_3) { found } else { found & 0xFFFF }
    }
}

/// Where the journal's block `index` is on the volume.
fn place(filesystem: &Filesystem, inode: &Inode, index: u32) -> Result<u64, TreeError> {
    let start = filesystem.run(inode, index.into())?.start;
    start.ok_or_else(|| TreeError::corrupt("the journal", "no holes", format!("one at block {index}")))
}

fn block(filesystem: &Filesystem, inode: &Inode, index: u32) -> Result<Arc<[u8]>, TreeError> {
    filesystem.blocks.get(place(filesystem, inode, index)?, "the journal")
}

/// The checksum of `bytes` with the four at `zeroed` read as zeros.
fn checksum_without(seed: u32, bytes: &[u8], zeroed: usize) -> u32 {
    checksum(checksum(checksum(seed, &bytes[..zeroed]), &[0; 4]), &bytes[zeroed + 4..])
}
