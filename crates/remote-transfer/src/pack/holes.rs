//! The parts of a file that hold data, and reading just these: a hole is told, not sent.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use durable_files::{Digest, FileError, Hasher, Meter};
use rustix::fs::SeekFrom;
use rustix::io::Errno;
use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::PackError;

/// How much is read at a time, in bytes.
const CHUNK: usize = 256 << 10;

/// Where a file of a certain size holds data.
#[derive(Debug)]
pub(super) struct Map {
    /// Offset and length, in order, none of them touching the next.
    parts: Vec<(u64, u64)>,
    size: u64,
}

impl Map {
    pub(super) fn of(file: &File, size: u64) -> io::Result<Self> {
        let mut parts = Vec::new();
        let mut at = 0;
        while at < size {
            let data = match rustix::fs::seek(file, SeekFrom::Data(at)) {
                Ok(data) => data.min(size),
                Err(Errno::NXIO) => break, // only a hole is left
                Err(Errno::INVAL) => return Ok(Self { parts: vec![(0, size)], size }), // nobody here knows of holes
                Err(error) => return Err(error.into()),
            };
            let end = rustix::fs::seek(file, SeekFrom::Hole(data))?.min(size);
            if end <= data {
                break;
            }
            parts.push((data, end - data));
            at = end;
        }
        Ok(Self { parts, size })
    }

    pub(super) fn is_whole(&self) -> bool {
        self.size == 0 || self.parts == [(0, self.size)]
    }

    /// How many bytes are sent.
    pub(super) fn stored(&self) -> u64 {
        self.parts.iter().map(|&(_, len)| len).sum()
    }

    /// Tells the header where the data belongs, and gives the blocks that follow it where it has no room.
    pub(super) fn write_into(&self, header: &mut Header) -> Vec<u8> {
        if self.is_whole() {
            return Vec::new();
        }
        let mut parts = self.parts.clone();
        parts.push((self.size, 0)); // so that a hole at the end is one
        let Some(gnu) = header.as_gnu_mut() else { return Vec::new() };
        gnu.set_real_size(self.size);
        let room = gnu.sparse.len().min(parts.len());
        let (first, rest) = parts.split_at(room);
        fill(&mut gnu.sparse, first);
        gnu.set_is_extended(!rest.is_empty());
        let mut blocks = Vec::new();
        let mut rest = rest;
        while !rest.is_empty() {
            let mut block = GnuExtSparseHeader::new();
            let (now, later) = rest.split_at(block.sparse.len().min(rest.len()));
            fill(&mut block.sparse, now);
            block.set_is_extended(!later.is_empty());
            blocks.extend_from_slice(block.as_bytes());
            rest = later;
        }
        blocks
    }
}

fn fill(slots: &mut [GnuSparseHeader], parts: &[(u64, u64)]) {
    for (slot, &(offset, len)) in slots.iter_mut().zip(parts) {
        slot.set_offset(offset);
        slot.set_length(len);
    }
}

/// The data of a file, in order; what it hashes is the whole file, holes as the zeros they read as.
pub(super) struct Segments<'a> {
    file: &'a File,
    parts: std::slice::Iter<'a, (u64, u64)>,
    /// What is left of the current part.
    now: (u64, u64),
    /// Up to where the file is hashed.
    hashed: u64,
    hasher: Hasher,
    meter: &'a mut dyn Meter,
    trouble: Option<Trouble>,
}

/// Why reading ended early.
#[derive(Debug)]
pub(super) enum Trouble {
    Shrunk,
    Stopped,
    Read(io::Error),
}

impl Trouble {
    pub(super) fn of(self, path: &Path) -> PackError {
        match self {
            Self::Shrunk => PackError::Changed(path.to_owned()),
            Self::Stopped => PackError::Stopped,
            Self::Read(error) => FileError::new("read", path, error).into(),
        }
    }
}

impl<'a> Segments<'a> {
    pub(super) fn new(file: &'a File, map: &'a Map, meter: &'a mut dyn Meter) -> Self {
        let (parts, hasher) = (map.parts.iter(), Hasher::default());
        Self { file, parts, now: (0, 0), hashed: 0, hasher, meter, trouble: None }
    }

    /// What kept it from being read to its end, if anything did.
    pub(super) fn trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// The digest of the whole file.
    pub(super) fn finish(mut self, size: u64) -> Digest {
        self.hash_zeros(size);
        self.hasher.finish().digest
    }

    fn hash_zeros(&mut self, until: u64) {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        while self.hashed < until {
            let len = ZEROS.len().min(usize::try_from(until - self.hashed).unwrap_or(usize::MAX));
            self.hasher.update(&ZEROS[..len]);
            self.hashed += len as u64;
        }
    }

    fn fail(&mut self, trouble: Trouble) -> io::Error {
        self.trouble = Some(trouble);
        io::ErrorKind::Other.into()
    }
}

impl Read for Segments<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.now.1 == 0 {
            match self.parts.next() {
                Some(&part) => self.now = part,
                None => return Ok(0),
            }
        }
        let (offset, left) = self.now;
        self.hash_zeros(offset);
        let wanted = buffer.len().min(CHUNK).min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = match self.file.read_at(&mut buffer[..wanted], offset) {
            Ok(0) => return Err(self.fail(Trouble::Shrunk)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.fail(Trouble::Read(error))),
        };
        self.hasher.update(&buffer[..read]);
        self.hashed = offset + read as u64;
        self.now = (self.hashed, left - read as u64);
        if self.meter.passed(read as u64).is_break() {
            return Err(self.fail(Trouble::Stopped));
        }
        Ok(read)
    }
}
