//! The lines of a file from the last to the first, without reading more of it than they take.

use std::io::{Read, Result, Seek, SeekFrom};

/// How much is read at once to begin with.
const BLOCK: u64 = 64 << 10;

/// A line, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
    /// Whether a line feed follows it: if not, it is the last, and may be half of what it is to be.
    pub(crate) is_ended: bool,
}

#[derive(Debug)]
pub(crate) struct Backwards<R> {
    file: R,
    /// Where the bytes begin that are at hand.
    start: u64,
    /// What is at hand and not given yet.
    bytes: Vec<u8>,
}

impl<R: Read + Seek> Backwards<R> {
    pub(crate) fn new(mut file: R) -> Result<Self> {
        let start = file.seek(SeekFrom::End(0))?;
        Ok(Self { file, start, bytes: Vec::new() })
    }

    /// The line before the one that was given last.
    pub(crate) fn next(&mut self) -> Result<Option<Line>> {
        if self.bytes.is_empty() && self.start == 0 {
            return Ok(None);
        }
        if self.bytes.is_empty() {
            self.read_more()?;
        }
        let is_ended = self.bytes.last() == Some(&b'\n');
        if is_ended {
            self.bytes.pop();
        }
        let mut searched = 0; // from the end
        loop {
            let rest = &self.bytes[..self.bytes.len() - searched];
            if let Some(at) = memchr::memrchr(b'\n', rest) {
                let bytes = self.bytes.split_off(at + 1);
                return Ok(Some(Line { offset: self.start + at as u64 + 1, bytes, is_ended }));
            }
            searched = self.bytes.len();
            if self.start == 0 {
                return Ok(Some(Line { offset: 0, bytes: std::mem::take(&mut self.bytes), is_ended }));
            }
            self.read_more()?;
        }
    }

    /// As much again as is at hand, so that a long line is not copied often.
    fn read_more(&mut self) -> Result<()> {
        let more = self.start.min(BLOCK.max(self.bytes.len() as u64));
        let mut bytes = Vec::new();
        self.start -= more;
        self.file.seek(SeekFrom::Start(self.start))?;
        if self.file.by_ref().take(more).read_to_end(&mut bytes)? as u64 != more {
            return Err(std::io::ErrorKind::UnexpectedEof.into()); // it was cut meanwhile
        }
        bytes.append(&mut self.bytes);
        self.bytes = bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn lines(text: &[u8]) -> Vec<Line> {
        let mut backwards = Backwards::new(Cursor::new(text)).unwrap();
        let mut lines: Vec<_> = std::iter::from_fn(|| backwards.next().unwrap()).collect();
        lines.reverse();
        lines
    }

    fn expected(text: &[u8]) -> Vec<Line> {
        let mut offset = 0;
        let each = text.split_inclusive(|byte| *byte == b'\n').map(|line| {
            let is_ended = line.ends_with(b"\n");
            let bytes = line[..line.len() - usize::from(is_ended)].to_vec();
            offset += line.len() as u64;
            Line { offset: offset - line.len() as u64, bytes, is_ended }
        });
        each.collect()
    }

    #[test]
    fn lines_longer_than_a_block_come_whole() {
        for lengths in [vec![3 * 65536, 10, 65536], vec![65535, 65535], vec![0, 200_000], vec![65536; 3]] {
            let text: Vec<u8> =
                lengths.iter().flat_map(|length| [vec![b'x'; *length], vec![b'\n']].concat()).collect();
            assert_eq!(lines(&text), expected(&text));
            assert_eq!(lines(&text[..text.len() - 1]), expected(&text[..text.len() - 1]));
        }
    }

    proptest! {
        #[test]
        fn backwards_the_lines_are_the_same(text in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..60)) {
            prop_assert_eq!(lines(&text), expected(&text));
        }
    }
}
