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

/// Compares two transcripts line by line, as JSON values.
pub fn standing(ours: impl Read, found: impl Read) -> io::Result<Standing> {
    let (mut ours, mut found) = (BufReader::new(ours), BufReader::new(found));
    let (mut line, mut other) = (Vec::new(), Vec::new());
    for number in 1.. {
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
