//! A transcript from one end to the other, with one line of it in memory.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;

use super::line::Rewriter;
use super::members::Members;
use super::report::Rewritten;
use super::rules::PathRules;
use super::scan::NameMap;

/// How much is read at once, and how often the watcher is asked.
const BLOCK: usize = 1 << 20;

/// Why a transcript was not rewritten to its end.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// Reading it failed.
    #[error("read the transcript: {0}")]
    Read(#[source] io::Error),
    /// Writing the new one failed.
    #[error("write the rewritten transcript: {0}")]
    Write(#[source] io::Error),
    /// The watcher said stop.
    #[error("stopped")]
    Stopped,
}

/// Rewrites a transcript line by line. `watch` learns about each mebibyte that was read, and may say stop.
///
/// Whatever stood outside the paths that moved is written byte for byte: line ends, a missing last one, spellings.
pub fn rewrite_jsonl(
    rules: &PathRules,
    members: Members<'_>,
    names: &NameMap<'_>,
    input: impl Read,
    mut output: impl Write,
    mut watch: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<Rewritten, RewriteError> {
    let mut rewriter = Rewriter::new(rules, members, names);
    let mut blocks = Blocks { input, buffer: Vec::new(), start: 0, scanned: 0, ended: false };
    while let Some(read) = blocks.advance().map_err(RewriteError::Read)? {
        if watch(read).is_break() {
            return Err(RewriteError::Stopped);
        }
        if let Some(lines) = blocks.whole_lines() {
            rewrite_lines(&mut rewriter, rules, lines, &mut output).map_err(RewriteError::Write)?;
        }
    }
    output.flush().map_err(RewriteError::Write)?;
    Ok(rewriter.into_report())
}

/// Lines without an anchor are copied in one go, however many there are.
fn rewrite_lines(
    rewriter: &mut Rewriter<'_>,
    rules: &PathRules,
    lines: &[u8],
    output: &mut impl Write,
) -> io::Result<()> {
    let mut done = 0;
    while let Some(at) = rules.anchors.next(lines, done) {
        let start = memchr::memrchr(b'\n', &lines[done..at]).map_or(done, |before| done + before + 1);
        let end = memchr::memchr(b'\n', &lines[at..]).map_or(lines.len(), |more| at + more + 1);
        copy(rewriter, &lines[done..start], output)?;
        rewriter.line(&lines[start..end], output)?;
        done = end;
    }
    copy(rewriter, &lines[done..], output)
}

fn copy(rewriter: &mut Rewriter<'_>, lines: &[u8], output: &mut impl Write) -> io::Result<()> {
    let unended = lines.last().is_some_and(|&last| last != b'\n');
    rewriter.pass(memchr::memchr_iter(b'\n', lines).count() as u64 + u64::from(unended));
    output.write_all(lines)
}

/// Reads blocks, and keeps what is not yet a whole line.
struct Blocks<R> {
    input: R,
    buffer: Vec<u8>,
    /// What is before it has been handed out.
    start: usize,
    /// What is between `start` and here has no line end.
    scanned: usize,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    /// Reads one more block and says how much that was; `None` after the end.
    fn advance(&mut self) -> io::Result<Option<u64>> {
        if self.ended {
            return Ok(None);
        }
        self.buffer.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        if self.buffer.is_empty() {
            self.buffer.shrink_to(2 * BLOCK); // after a line that was as large as a file
        }
        self.make_room();
        let read = (&mut self.input).take(BLOCK as u64).read_to_end(&mut self.buffer)?;
        self.ended = read < BLOCK;
        Ok(Some(read as u64))
    }

    /// Grows by half: while it is copied, a long line is there twice at the most.
    fn make_room(&mut self) {
        if self.buffer.capacity() - self.buffer.len() <= BLOCK {
            self.buffer.reserve_exact((2 * BLOCK).max(self.buffer.len() / 2));
        }
    }

    /// The lines that are there as a whole; at the end, everything.
    fn whole_lines(&mut self) -> Option<&[u8]> {
        let end = if self.ended {
            self.buffer.len()
        } else {
            let found = memchr::memrchr(b'\n', &self.buffer[self.scanned..]);
            let Some(last) = found else {
                self.scanned = self.buffer.len();
                return None;
            };
            self.scanned + last + 1
        };
        let lines = &self.buffer[self.start..end];
        self.start = end;
        self.scanned = end;
        (!lines.is_empty()).then_some(lines)
    }
}
