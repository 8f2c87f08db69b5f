//! Everything that can be done with an image, done. The fuzzer and the tests of damage share it.

use std::io;

use vhdx_reader::{Disk, Found, ReadAt, Skip, Tree};

/// More than any image of the tests has; who gets there is caught in a circle.
const MOST_VISITS: usize = 1_000_000;
const MOST_PIECES: usize = 10_000;

/// How far it went.
#[derive(Debug, Default)]
#[allow(dead_code, reason = "the fuzzer has no use for how far it went")]
pub(crate) struct Reached {
    pub(crate) disk: bool,
    pub(crate) tree: bool,
    pub(crate) files: usize,
    pub(crate) errors: usize,
}

pub(crate) fn everything(image: Box<dyn ReadAt>) -> Reached {
    let mut reached = Reached::default();
    let Ok(disk) = Disk::of_image(image) else { return reached };
    reached.disk = true;
    let mut end = [0; 4096];
    for at in [0, disk.size() / 2, disk.size().saturating_sub(4096), u64::MAX - 1] {
        let _ = disk.read(at, &mut end);
    }
    let Ok(tree) = Tree::open(disk) else { return reached };
    reached.tree = true;
    let Ok(root) = tree.root() else { return reached };
    let Ok(walk) = tree.walk(&root, Skip::nothing()) else { return reached };
    for (nth, visit) in walk.enumerate() {
        assert!(nth < MOST_VISITS, "a walk without end");
        match visit.found {
            Found::File(file) => {
                let Ok(mut content) = tree.read(&file) else { continue };
                let mut pieces = 0;
                let whole = loop {
                    pieces += 1;
                    match content.next_piece() {
                        Ok(Some(_)) if pieces < MOST_PIECES => {}
                        other => break other.is_ok(),
                    }
                };
                *if whole { &mut reached.files } else { &mut reached.errors } += 1;
            }
            Found::Unreadable(_) => reached.errors += 1,
            _ => {}
        }
        let _ = tree.find(&visit.path[..visit.path.len().min(100)]);
    }
    reached
}

/// An image told in pieces, so that a small input can be a large image: flags, its length in KiB, and then, again and
/// again, a place in units of 64 bytes, a length, and as many bytes. Between them are zeros.
pub(crate) struct Sparse {
    size: u64,
    pieces: Vec<(u64, Vec<u8>)>,
}

/// The flag that says: give structures of VHDX the checksums that they should have. A fuzzer does not find them.
pub(crate) const SEAL: u8 = 1;

impl Sparse {
    pub(crate) fn parse(input: &[u8]) -> Option<Self> {
        let (&flags, input) = input.split_first()?;
        let (size, mut input) = input.split_first_chunk()?;
        let size = u64::from(u32::from_le_bytes(*size)).min(1 << 24) << 10;
        let mut image = Self { size, pieces: Vec::new() };
        while let Some((place, rest)) = input.split_first_chunk()
            && let Some((length, rest)) = rest.split_first_chunk()
        {
            let bytes = &rest[..rest.len().min(u16::from_le_bytes(*length).into())];
            image.pieces.push((64 * u64::from(u32::from_le_bytes(*place)), bytes.to_owned()));
            input = &rest[bytes.len()..];
        }
        if flags & SEAL != 0 {
            image.seal();
        }
        Some(image)
    }

    fn seal(&mut self) {
        let structures = [(64, 4096), (128, 4096), (192, 64 << 10), (256, 64 << 10)];
        for (at, length) in structures {
            self.seal_one(at << 10, length);
        }
        for at in (0..1 << 20).step_by(4096) {
            let (at, mut header) = ((1 << 20) + at, [0; 64]);
            if self.read_exact_at(at, &mut header).is_ok() && header.starts_with(b"loge") {
                let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
                self.seal_one(at, length.min(1 << 20) as usize);
            }
        }
    }

    fn seal_one(&mut self, at: u64, length: usize) {
        let mut bytes = vec![0; length];
        if length >= 8 && self.read_exact_at(at, &mut bytes).is_ok() {
            bytes[4..8].fill(0);
            self.pieces.push((at + 4, crc32c::crc32c(&bytes).to_le_bytes().to_vec()));
        }
    }
}

impl ReadAt for Sparse {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(into.len() as u64).filter(|end| *end <= self.size);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        into.fill(0);
        for (at, bytes) in &self.pieces {
            let (from, to) = (offset.max(*at), end.min(at + bytes.len() as u64));
            if from < to {
                let place =
                    |it: u64, base: u64| usize::try_from(it - base).expect("a piece fits into memory");
                into[place(from, offset)..place(to, offset)]
                    .copy_from_slice(&bytes[place(from, *at)..place(to, *at)]);
            }
        }
        Ok(())
    }
}
