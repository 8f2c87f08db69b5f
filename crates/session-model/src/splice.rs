//! Edits of bytes: a list of places with what stood there and what is to stand there, applied while a file streams by.

use std::io::{self, BufRead, Read};

use serde::{Deserialize, Serialize};

/// One place that changes. There may be a hundred thousand of them, so they hold no room to grow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Splice {
    /// Where in the old file.
    pub offset: u64,
    /// What stands there; nothing for an insertion.
    #[serde(default, with = "crate::text_or_hex", skip_serializing_if = "<[u8]>::is_empty")]
    pub old: Box<[u8]>,
    /// What is to stand there.
    #[serde(default, with = "crate::text_or_hex", skip_serializing_if = "<[u8]>::is_empty")]
    pub new: Box<[u8]>,
}

/// Why a list of splices cannot be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// Two splices overlap, or they are not in order.
    #[error("the splice at byte {0} is not behind the one before it")]
    Disorder(u64),
    /// The file is not the one that the splices were made for.
    #[error("at byte {0} the file does not hold what is to be replaced there")]
    Mismatch(u64),
}

/// The splices that undo these: their places are those in the new file.
pub fn reversed(splices: &[Splice]) -> Vec<Splice> {
    let mut shift = 0_i64;
    let turn = |splice: &Splice| {
        let offset = splice.offset.saturating_add_signed(shift);
        shift += length(&splice.new) - length(&splice.old);
        Splice { offset, old: splice.new.clone(), new: splice.old.clone() }
    };
    splices.iter().map(turn).collect()
}

/// How much longer these splices make a file, in bytes; negative if it gets shorter.
pub fn growth<'s>(splices: impl IntoIterator<Item = &'s Splice>) -> i64 {
    splices.into_iter().map(|splice| length(&splice.new) - length(&splice.old)).sum()
}

fn length(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}

/// A reader of a file as it is after its splices. It fails if the file does not hold what they expect.
#[derive(Debug)]
pub struct Spliced<'a, R> {
    input: io::BufReader<R>,
    splices: &'a [Splice],
    /// Where in the old file the reader stands.
    at: u64,
    /// What is still to be given of the splice that was reached last.
    pending: &'a [u8],
}

/// How much is read from the file at a time.
const BUFFER: usize = 1 << 20;

impl<'a, R: Read> Spliced<'a, R> {
    /// Reads `input` through `splices`, which must be in order.
    pub fn new(input: R, splices: &'a [Splice]) -> Result<Self, SpliceError> {
        let end = |splice: &Splice| splice.offset + splice.old.len() as u64;
        if let Some(pair) = splices.windows(2).find(|pair| end(&pair[0]) > pair[1].offset) {
            return Err(SpliceError::Disorder(pair[1].offset));
        }
        Ok(Self { input: io::BufReader::with_capacity(BUFFER, input), splices, at: 0, pending: &[] })
    }

    /// Passes over what the next splice replaces, if it is reached.
    fn reach(&mut self) -> io::Result<bool> {
        let Some((splice, rest)) = self.splices.split_first().filter(|(next, _)| next.offset == self.at)
        else {
            return Ok(false);
        };
        let mismatch = || io::Error::new(io::ErrorKind::InvalidData, SpliceError::Mismatch(splice.offset));
        let mut old = &*splice.old;
        while !old.is_empty() {
            let found = self.input.fill_buf()?;
            let length = found.len().min(old.len());
            if length == 0 || found[..length] != old[..length] {
                return Err(mismatch());
            }
            old = &old[length..];
            self.input.consume(length);
        }
        self.at += splice.old.len() as u64;
        self.pending = &splice.new;
        self.splices = rest;
        Ok(true)
    }
}

impl<R: Read> Read for Spliced<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        while self.pending.is_empty() && self.reach()? {}
        if !self.pending.is_empty() {
            return self.pending.read(out);
        }
        let until = self.splices.first().map_or(u64::MAX, |next| next.offset - self.at);
        let length = usize::try_from(until).unwrap_or(usize::MAX).min(out.len());
        let read = self.input.read(&mut out[..length])?;
        self.at += read as u64;
        match self.splices.first() {
            Some(next) if read == 0 => {
                Err(io::Error::new(io::ErrorKind::InvalidData, SpliceError::Mismatch(next.offset)))
            }
            _ => Ok(read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splice(offset: u64, old: &[u8], new: &[u8]) -> Splice {
        Splice { offset, old: old.into(), new: new.into() }
    }

    fn apply(text: &[u8], splices: &[Splice]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Spliced::new(text, splices).map_err(io::Error::other)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn what_was_spliced_comes_back_byte_for_byte() {
        let text = b"months of conversation";
        let splices =
            [splice(0, b"", b"many "), splice(7, b"of", b"and years of"), splice(22, b"", b"\xFF\n")];
        let after = apply(text, &splices).unwrap();
        assert_eq!(after, b"many months and years of conversation\xFF\n");
        assert_eq!(growth(&splices), 17);
        assert_eq!(apply(&after, &reversed(&splices)).unwrap(), text);
    }

    #[test]
    fn a_file_that_is_not_the_one_is_never_spliced() {
        assert!(apply(b"other text", &[splice(0, b"text", b"x")]).is_err());
        assert!(apply(b"short", &[splice(9, b"", b"x")]).is_err());
        assert!(Spliced::new(&b"abc"[..], &[splice(1, b"bc", b""), splice(2, b"c", b"")]).is_err());
    }

    #[test]
    fn a_journal_brings_back_every_byte_of_a_splice() {
        for splice in [splice(3, b"\"old\"", b""), splice(0, b"\xFF\x00", b"new")] {
            let written = serde_json::to_string(&splice).unwrap();
            assert_eq!(serde_json::from_str::<Splice>(&written).unwrap(), splice, "{written}");
        }
    }
}
