//! A transcript from one end to the other, with one line of it in memory: pushed to a writer, or as a reader.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;

use super::line::Rewriter;
use super::members::Members;
use super::report::Rewritten;
use super::rules::PathRules;
use super::scan::NameMap;

/// How much is read at once, and how often the watcher is asked.
const BLOCK: usize = 1 << 20;
/// What is longer is rewritten by one thread, straight to the output, and its room given back afterwards.
const LARGE: usize = 4 * BLOCK;
/// The most room that is asked for ahead of what is read.
const MOST_ROOM: usize = 512 * BLOCK;

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
    let mut blocks = Blocks::of(input);
    while let Some(read) = blocks.advance().map_err(RewriteError::Read)? {
        if watch(read).is_break() {
            return Err(RewriteError::Stopped);
        }
        if let Some(lines) = blocks.whole_lines() {
            rewrite_block(&mut rewriter, lines, &mut output).map_err(RewriteError::Write)?;
        }
    }
    output.flush().map_err(RewriteError::Write)?;
    Ok(rewriter.into_report())
}

/// A transcript as it reads after its paths were rewritten.
pub struct RewrittenLines<'r, R> {
    blocks: Blocks<R>,
    rewriter: Rewriter<'r>,
    rewritten: Vec<u8>,
    given: usize,
}

impl<'r, R: Read> RewrittenLines<'r, R> {
    /// The transcript that `input` gives, rewritten as [`rewrite_jsonl`] would.
    pub fn new(rules: &'r PathRules, members: Members<'r>, names: &'r NameMap<'r>, input: R) -> Self {
        let rewriter = Rewriter::new(rules, members, names);
        Self { blocks: Blocks::of(input), rewriter, rewritten: Vec::new(), given: 0 }
    }

    /// What is done to all that was not read yet too, for those who need not see it.
    pub fn survey(mut self) -> io::Result<Rewritten> {
        while self.blocks.advance()?.is_some() {
            if let Some(lines) = self.blocks.whole_lines() {
                rewrite_block(&mut self.rewriter, lines, &mut io::sink())?;
            }
        }
        Ok(self.into_report())
    }

    /// What was done so far: all of it, once everything was read.
    pub fn into_report(self) -> Rewritten {
        self.rewriter.into_report()
    }

    /// Rewrites on until there is something to give, or the input has ended.
    fn advance(&mut self) -> io::Result<()> {
        self.given = 0;
        self.rewritten.clear();
        self.rewritten.shrink_to(LARGE); // after a line that was as large as a file
        while self.rewritten.is_empty() && self.blocks.advance()?.is_some() {
            if let Some(lines) = self.blocks.whole_lines() {
                // What is long is not copied to make room for a little more: room that is not used takes no memory.
                self.rewritten.reserve_exact(lines.len() + lines.len() / 8);
                rewrite_block(&mut self.rewriter, lines, &mut self.rewritten)?;
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for RewrittenLines<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.rewritten.len() {
            self.advance()?;
        }
        let read = (&self.rewritten[self.given..]).read(out)?;
        self.given += read;
        Ok(read)
    }
}

impl<R> std::fmt::Debug for RewrittenLines<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RewrittenLines").field("rewriter", &self.rewriter).finish_non_exhaustive()
    }
}

/// The halves of a block are rewritten side by side. A long line is written as it is rewritten, so that it is not in
/// memory once more.
fn rewrite_block(rewriter: &mut Rewriter<'_>, lines: &[u8], output: &mut impl Write) -> io::Result<()> {
    let middle = memchr::memrchr(b'\n', &lines[..lines.len() / 2]).map_or(0, |before| before + 1);
    if middle == 0 || lines.len() > LARGE {
        return rewrite_lines(rewriter, lines, output);
    }
    let (first, second) = lines.split_at(middle);
    let (mut first_out, mut second_out) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
    let mut beside = rewriter.beside(count_lines(first));
    let (first_done, second_done) = rayon::join(
        || rewrite_lines(rewriter, first, &mut first_out),
        || rewrite_lines(&mut beside, second, &mut second_out),
    );
    first_done.and(second_done)?;
    rewriter.absorb(beside);
    output.write_all(&first_out)?;
    output.write_all(&second_out)
}

/// Lines without an anchor are copied in one go, however many there are.
fn rewrite_lines(rewriter: &mut Rewriter<'_>, lines: &[u8], output: &mut impl Write) -> io::Result<()> {
    let mut done = 0;
    while let Some(at) = rewriter.next_anchor(lines, done) {
        let start = memchr::memrchr(b'\n', &lines[done..at]).map_or(done, |before| done + before + 1);
        let end = memchr::memchr(b'\n', &lines[at..]).map_or(lines.len(), |more| at + more + 1);
        copy(rewriter, &lines[done..start], output)?;
        rewriter.line(&lines[start..end], output)?;
        done = end;
    }
    copy(rewriter, &lines[done..], output)
}

fn copy(rewriter: &mut Rewriter<'_>, lines: &[u8], output: &mut impl Write) -> io::Result<()> {
    rewriter.pass(count_lines(lines));
    output.write_all(lines)
}

fn count_lines(lines: &[u8]) -> u64 {
    let unended = lines.last().is_some_and(|&last| last != b'\n');
    memchr::memchr_iter(b'\n', lines).count() as u64 + u64::from(unended)
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
    fn of(input: R) -> Self {
        Self { input, buffer: Vec::new(), start: 0, scanned: 0, ended: false }
    }

    /// Reads one more block and says how much that was; `None` after the end.
    fn advance(&mut self) -> io::Result<Option<u64>> {
        if self.ended {
            return Ok(None);
        }
        self.buffer.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        if self.buffer.len() <= BLOCK && self.buffer.capacity() > LARGE {
            self.buffer.shrink_to(2 * BLOCK); // after a line that was as large as a file
        }
        self.make_room();
        let read = (&mut self.input).take(BLOCK as u64).read_to_end(&mut self.buffer)?;
        self.ended = read < BLOCK;
        Ok(Some(read as u64))
    }

    /// Grows seldom and by much: room that is not used yet takes no memory, but what was copied elsewhere may, for as
    /// long as the allocator keeps it.
    fn make_room(&mut self) {
        if self.buffer.capacity() - self.buffer.len() <= BLOCK {
            self.buffer.reserve_exact((2 * BLOCK).max(15 * self.buffer.len()).min(MOST_ROOM));
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
