//! Reading a transcript in chunks of whole lines, which two threads look at.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

use crate::record::{Flags, Record};

/// How much is read before it is looked at. Longer lines make the buffer grow.
const CHUNK: usize = 1 << 20;

/// What was found in a chunk.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    /// Where each line begins in the file, and what it says of itself.
    pub(crate) records: Vec<(u64, Record)>,
    /// The blank lines: the position in `records` before which they stand, one entry each.
    pub(crate) blanks: Vec<usize>,
}

/// A chunk of whole lines, and where it lies in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk<'a> {
    pub(crate) offset: u64,
    pub(crate) bytes: &'a [u8],
}

/// Reads `input` to its end and hands out its lines, as many at a time as fit. Only the last chunk may end without a line
/// feed.
pub(crate) fn each_chunk<E: From<io::Error>>(
    mut input: impl Read,
    mut take: impl FnMut(Chunk<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut buffer = vec![0; CHUNK];
    let (mut offset, mut filled) = (0_u64, 0);
    loop {
        let read = fill(&mut input, &mut buffer[filled..])?;
        let searched = filled;
        filled += read;
        if filled < buffer.len() {
            return take(Chunk { offset, bytes: &buffer[..filled] });
        }
        let Some(last) = memrchr(b'\n', &buffer[searched..]) else {
            buffer.resize(buffer.len() + buffer.len() / 2, 0);
            continue;
        };
        let whole = searched + last + 1;
        take(Chunk { offset, bytes: &buffer[..whole] })?;
        buffer.copy_within(whole.., 0);
        offset += whole as u64;
        filled -= whole;
    }
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl<'a> Chunk<'a> {
    /// Where it ends in the file.
    pub(crate) fn end(self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    /// The line that begins at this offset of the file, with its ending.
    pub(crate) fn line_at(self, offset: u64) -> &'a [u8] {
        let start = usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        lines(self.bytes.get(start..).unwrap_or_default()).next().unwrap_or_default()
    }

    /// What its lines say of themselves.
    pub(crate) fn scan(self) -> Scanned {
        let middle = self.bytes.len() / 2;
        let Some(half) = memchr(b'\n', &self.bytes[middle..]).filter(|_| middle > 1 << 16) else {
            return self.scan_here();
        };
        let (left, right) = self.bytes.split_at(middle + half + 1);
        let left = Self { bytes: left, ..self };
        let right = Chunk { offset: self.offset + left.bytes.len() as u64, bytes: right };
        let (mut left, right) = rayon::join(|| left.scan_here(), || right.scan_here());
        let before = left.records.len();
        left.records.extend(right.records);
        left.blanks.extend(right.blanks.into_iter().map(|at| at + before));
        left
    }

    fn scan_here(self) -> Scanned {
        let mut scanned = Scanned::default();
        let mut at = 0;
        for line in lines(self.bytes) {
            match record(line) {
                Some(record) => scanned.records.push((self.offset + at as u64, record)),
                None => scanned.blanks.push(scanned.records.len()),
            }
            at += line.len();
        }
        scanned
    }
}

/// The lines of a chunk, each with its ending.
pub(crate) fn lines(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
        let (line, rest) = bytes.split_at(end);
        bytes = rest;
        (!line.is_empty()).then_some(line)
    })
}

/// What a line says of itself, unless it is blank.
fn record(line: &[u8]) -> Option<Record> {
    let (content, ending) = split_ending(line);
    if content.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let mut record = Record::of(content);
    record.flags.set(Flags::CRLF, ending == b"\r\n");
    record.flags.set(Flags::UNTERMINATED, ending.is_empty());
    Some(record)
}

/// A line without its ending.
pub(crate) fn content(line: &[u8]) -> &[u8] {
    split_ending(line).0
}

/// A line and its ending: LF, CR LF, or none.
fn split_ending(line: &[u8]) -> (&[u8], &[u8]) {
    match line {
        [.., b'\r', b'\n'] => line.split_at(line.len() - 2),
        [.., b'\n'] => line.split_at(line.len() - 1),
        _ => line.split_at(line.len()),
    }
}
