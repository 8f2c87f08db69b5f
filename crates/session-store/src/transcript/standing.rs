//! How a transcript that is there stands to the one that a migration would write.

use std::io::{self, BufRead, BufReader, Read};

use crate::spelling::says_the_same;

/// How a transcript that is there stands to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The same lines.
    Equal,
    /// All our lines, and more behind them.
    Longer,
    /// Something else, from this line on (from 1).
    Differs(u64),
}

/// How much is compared at a time.
const BLOCK: usize = 1 << 18;

/// Compares two transcripts: byte by byte as long as they are the same, and then line by line, as JSON values.
pub fn standing(ours: impl Read, found: impl Read) -> io::Result<Standing> {
    let (mut ours, mut found) =
        (BufReader::with_capacity(BLOCK, ours), BufReader::with_capacity(BLOCK, found));
    let Common { lines, begun } = common(&mut ours, &mut found)?;
    let (mut ours, mut found) = ((&begun[..]).chain(ours), (&begun[..]).chain(found));
    let (mut line, mut other) = (Vec::new(), Vec::new());
    for number in lines + 1.. {
        let is_there = next(&mut ours, &mut line)?;
        let is_found = next(&mut found, &mut other)?;
        match (is_there, is_found) {
            (true, true) if line == other || is_same(&line, &other) => {}
            (false, false) => return Ok(Standing::Equal),
            (false, true) => return Ok(Standing::Longer),
            _ => return Ok(Standing::Differs(number)),
        }
    }
    unreachable!("because a file has fewer lines than there are numbers")
}

/// With what both begin: so many lines, and the beginning of the one behind them.
struct Common {
    lines: u64,
    begun: Vec<u8>,
}

/// Goes on to where they differ, or one of them ends.
fn common(ours: &mut impl BufRead, found: &mut impl BufRead) -> io::Result<Common> {
    let mut common = Common { lines: 0, begun: Vec::new() };
    loop {
        let (block, other) = (ours.fill_buf()?, found.fill_buf()?);
        let len = block.len().min(other.len());
        let block = &block[..len];
        if len == 0 || *block != other[..len] {
            return Ok(common);
        }
        common.lines += memchr::memchr_iter(b'\n', block).count() as u64;
        let behind = memchr::memrchr(b'\n', block).map(|end| end + 1);
        if behind.is_some() {
            common.begun.clear();
        }
        common.begun.extend_from_slice(&block[behind.unwrap_or_default()..]);
        ours.consume(len);
        found.consume(len);
    }
}

/// The next line, without its end.
fn next(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let read = lines.read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(read > 0)
}

fn is_same(line: &[u8], other: &[u8]) -> bool {
    let text =
        |line| std::str::from_utf8(line).ok().filter(|text| jsonl_stitch::json::is_json(text.as_bytes()));
    matches!((text(line), text(other)), (Some(line), Some(other)) if says_the_same(line, other))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives so many bytes at a time.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let len = out.len().min(self.1);
            self.0.read(&mut out[..len])
        }
    }

    fn said(ours: &str, found: &str, piece: usize) -> Standing {
        standing(Slowly(ours.as_bytes(), piece), Slowly(found.as_bytes(), piece + 1)).unwrap()
    }

    #[test]
    fn what_differs_is_told_by_its_line_wherever_the_bytes_part() {
        let ours = "{\"a\": 1}\n{\"b\": 22}\n{\"c\": 3}\n";
        for (found, expected) in [
            (ours, Standing::Equal),
            ("{\"a\": 1}\n{ \"b\" : 22 }\n{\"c\":3}\n", Standing::Equal),
            ("{\"a\": 1}\n{\"b\": 22}\n{\"c\": 3}", Standing::Equal),
            ("{\"a\": 1}\n{\"b\": 22}\n{\"c\": 3}\n{", Standing::Longer),
            ("{\"a\":1}\n{\"b\": 22}\n{\"c\": 3}\n\n", Standing::Longer),
            ("{\"a\": 1}\n{\"b\": 23}\n{\"c\": 3}\n", Standing::Differs(2)),
            ("{\"a\": 1}\n{\"b\": 22}\n{\"c\": 3, \"d\": 4}\n", Standing::Differs(3)),
            ("{\"a\": 1}\n{\"b\": 22}\n", Standing::Differs(3)),
            ("{\"a\": 1}\n{\"b\": 2", Standing::Differs(2)),
            ("", Standing::Differs(1)),
        ] {
            for piece in [1, 2, 7, 11, 100] {
                assert_eq!(said(ours, found, piece), expected, "{found} by {piece}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_transcript_is_what_its_lines_are(
            ours in prop::collection::vec("[a-c]{0,3}", 0..5),
            found in prop::collection::vec("[a-c]{0,3}", 0..5),
            piece in 1..9usize,
        ) {
            let text = |lines: &[String]| lines.iter().flat_map(|line| ["\"", line, "\"\n"]).collect::<String>();
            let expected = match ours.iter().zip(&found).position(|(a, b)| a != b) {
                Some(at) => Standing::Differs(at as u64 + 1),
                None if found.len() > ours.len() => Standing::Longer,
                None if found.len() < ours.len() => Standing::Differs(found.len() as u64 + 1),
                None => Standing::Equal,
            };
            prop_assert_eq!(said(&text(&ours), &text(&found), piece), expected);
        }
    }
}
