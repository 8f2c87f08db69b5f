//! The bytes of a file, a piece at a time, with its holes as holes.

use std::fmt;
use std::io::{self, Read};

use crate::bytes::{narrow, wide};
use crate::error::TreeError;
use crate::ext4::{Filesystem, Inode};

/// What is read at once at most.
const PIECE: u64 = 256 << 10;

/// A piece of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'c> {
    /// Bytes.
    Data(&'c [u8]),
    /// So many zeros that take no room: a writer goes on behind them and leaves a hole.
    Hole(u64),
}

/// A file that is read from its beginning to its end. It holds one buffer, of 256 KiB or as long as the file.
pub struct Content<'t> {
    filesystem: &'t Filesystem,
    inode: Inode,
    position: u64,
    /// How much data the file may still have: all of them are on the volume, once.
    allowed: u64,
    buffer: Vec<u8>,
    /// What of the last piece `Read` has not given out yet.
    pending: Pending,
}

#[derive(Default)]
struct Pending {
    zeros: u64,
    data: std::ops::Range<usize>,
}

impl<'t> Content<'t> {
    pub(crate) fn new(filesystem: &'t Filesystem, inode: Inode) -> Self {
        let allowed = filesystem.volume().size();
        Self { filesystem, inode, position: 0, allowed, buffer: Vec::new(), pending: Pending::default() }
    }

    /// The next piece, or none at the end. However large a hole is, it is one step.
    pub fn next_piece(&mut self) -> Result<Option<Piece<'_>>, TreeError> {
        let wanted = (self.inode.size - self.position).min(PIECE);
        if self.buffer.is_empty() {
            self.buffer.resize(narrow(wanted), 0);
        }
        let mut filled = 0;
        while filled < wanted {
            let left = self.inode.size - self.position;
            let block_size = self.filesystem.block_size();
            let run = self.filesystem.run(&self.inode, self.position / block_size)?;
            let within = self.position % block_size;
            let length = (run.count.saturating_mul(block_size) - within).min(left);
            let Some(start) = run.start else {
                if filled > 0 {
                    break;
                }
                self.position += length;
                return Ok(Some(Piece::Hole(length)));
            };
            let length = length.min(wanted - filled);
            self.spend(length)?;
            let into = &mut self.buffer[narrow(filled)..narrow(filled + length)];
            self.filesystem.read(start, within, into)?;
            self.position += length;
            filled += length;
        }
        Ok((filled > 0).then(|| Piece::Data(&self.buffer[..narrow(filled)])))
    }

    /// A damaged or malicious file may use the same blocks over and over.
    fn spend(&mut self, length: u64) -> Result<(), TreeError> {
        let what = || format!("the data of inode {}", self.inode.number);
        let volume = self.filesystem.volume().size();
        let left = self.allowed.checked_sub(length).ok_or_else(|| {
            TreeError::corrupt(what(), format!("at most {volume} bytes, the volume's size"), "more")
        })?;
        self.allowed = left;
        Ok(())
    }
}

/// Holes read as zeros. Errors are a [`TreeError`] inside an [`io::Error`].
impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.pending.zeros == 0 && self.pending.data.is_empty() && !into.is_empty() {
            self.pending = match self.next_piece().map_err(io::Error::other)? {
                None => return Ok(0),
                Some(Piece::Hole(zeros)) => Pending { zeros, data: 0..0 },
                Some(Piece::Data(data)) => Pending { zeros: 0, data: 0..data.len() },
            };
        }
        let pending = &mut self.pending;
        let zeros = narrow(pending.zeros.min(wide(into.len())));
        into[..zeros].fill(0);
        pending.zeros -= wide(zeros);
        let data = pending.data.len().min(into.len() - zeros);
        into[zeros..zeros + data]
            .copy_from_slice(&self.buffer[pending.data.start..pending.data.start + data]);
        pending.data.start += data;
        Ok(zeros + data)
    }
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Content");
        shown.field("inode", &self.inode.number).field("position", &self.position).finish_non_exhaustive()
    }
}
