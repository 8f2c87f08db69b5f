//! Blocks of the volume as the journal leaves them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bytes::{narrow, wide};
use crate::error::TreeError;
use crate::partition::Volume;

use super::superblock::Superblock;
use super::{Copied, Moved, journal};

/// How much metadata is remembered. When it is full all is forgotten: what is needed again comes back soon.
const REMEMBERED: u64 = 4 << 20;

pub(super) struct Blocks {
    volume: Volume,
    block_size: u64,
    count: u64,
    moved: Moved,
    remembered: Mutex<HashMap<u64, Arc<[u8]>>>,
}

impl Blocks {
    pub(super) fn new(volume: Volume, superblock: &Superblock) -> Self {
        let (block_size, count) = (superblock.block_size, superblock.blocks);
        Self { volume, block_size, count, moved: Moved::new(), remembered: Mutex::default() }
    }

    pub(super) fn volume(&self) -> &Volume {
        &self.volume
    }

    /// From now on, these blocks are read from the journal.
    pub(super) fn replace(&mut self, moved: Moved) {
        self.remembered = Mutex::default();
        self.moved = moved;
    }

    /// A block of metadata; `what` names it if there is no such block.
    pub(super) fn get(&self, block: u64, what: &str) -> Result<Arc<[u8]>, TreeError> {
        if block >= self.count {
            let expected = format!("a block before block {}", self.count);
            return Err(TreeError::corrupt(what, expected, format!("block {block}")));
        }
        let lock = || self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = lock().get(&block) {
            return Ok(Arc::clone(bytes));
        }
        let mut bytes = vec![0; narrow(self.block_size)];
        self.read(block * self.block_size, &mut bytes)?;
        let bytes: Arc<[u8]> = bytes.into();
        let mut remembered = lock();
        if wide(remembered.len()) * self.block_size >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(block, Arc::clone(&bytes));
        Ok(bytes)
    }

    /// Fills `into` from a byte of the volume on, which the caller knows to be in one of its blocks.
    pub(super) fn read(&self, mut offset: u64, mut into: &mut [u8]) -> Result<(), TreeError> {
        while !into.is_empty() {
            let (block, within) = (offset / self.block_size, offset % self.block_size);
            let next = self.moved.range(block..).next();
            let until = match next {
                Some((&moved, _)) if moved == block => (block + 1) * self.block_size,
                Some((&moved, _)) => moved * self.block_size,
                None => u64::MAX,
            };
            let length = wide(into.len()).min(until - offset);
            let (now, later) = into.split_at_mut(narrow(length));
            match next {
                Some((&moved, copied)) if moved == block => self.read_copy(*copied, within, now)?,
                _ => self.volume.read(offset, now)?,
            }
            offset += length;
            into = later;
        }
        Ok(())
    }

    fn read_copy(&self, copied: Copied, within: u64, into: &mut [u8]) -> Result<(), TreeError> {
        self.volume.read(copied.block * self.block_size + within, into)?;
        if copied.escaped {
            let magic = journal::MAGIC.to_be_bytes();
            for (byte, magic) in into.iter_mut().zip(magic.iter().skip(narrow(within))) {
                *byte = *magic;
            }
        }
        Ok(())
    }
}
