//! A transcript while it is read, its paths rewritten.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use migration_engine::Cx;
use transcript_relocate::rewrite::{Members, PathRules, Rewriter, Rewritten};

/// How much is read from the file at a time.
const BLOCK: usize = 1 << 20;

/// How much is rewritten at a time, if lines are short.
const ENOUGH: usize = 64 << 10;

/// Reads a transcript as it is after its paths were rewritten: a line at a time.
pub(crate) struct RewrittenLines<'r, R> {
    input: BufReader<R>,
    rewriter: Rewriter<'r>,
    line: Vec<u8>,
    rewritten: Vec<u8>,
    given: usize,
}

impl<'r, R: Read> RewrittenLines<'r, R> {
    pub(crate) fn new(input: R, rules: &'r PathRules) -> Self {
        Self {
            input: BufReader::with_capacity(BLOCK, input),
            rewriter: Rewriter::new(rules, Members::TRANSCRIPT, &extracted_name),
            line: Vec::new(),
            rewritten: Vec::new(),
            given: 0,
        }
    }

    /// What was done, once everything was read.
    pub(crate) fn into_report(self) -> Rewritten {
        self.rewriter.into_report()
    }

    fn advance(&mut self) -> io::Result<()> {
        self.rewritten.clear();
        self.given = 0;
        while self.rewritten.len() < ENOUGH {
            self.line.clear();
            if self.input.read_until(b'\n', &mut self.line)? == 0 {
                break;
            }
            self.rewriter.line(&self.line, &mut self.rewritten)?;
        }
        Ok(())
    }
}

impl<R: Read> Read for RewrittenLines<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.rewritten.len() {
            self.advance()?;
        }
        let mut left = &self.rewritten[self.given..];
        let read = left.read(out)?;
        self.given += read;
        Ok(read)
    }
}

/// What the file of a virtual machine is called once it has been extracted.
pub(crate) fn extracted_name(name: &str) -> Cow<'_, str> {
    Cow::Owned(vhdx_reader::safe_name(name.as_bytes()))
}

/// A file while it is read: progress is shown, and a wish to stop is heard.
pub(crate) struct Metered<'a, R> {
    pub(crate) input: R,
    pub(crate) cx: &'a Cx<'a>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.cx.check().map_err(|_| io::Error::other("stopped"))?;
        let read = self.input.read(out)?;
        self.cx.progress.advance(read as u64);
        Ok(read)
    }
}
