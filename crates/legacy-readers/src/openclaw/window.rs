//! A file seen through a buffer that holds at least one value whole.

use std::io::{self, Read};

/// How much is read at a time.
const BLOCK: usize = 1 << 20;

/// What was read and is not done with, and where in the file that begins.
pub(super) struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    line: u64,
    column: u64,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), start: 0, line: 1, column: 1 }
    }

    /// What is there by now.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Reads more; `false` at the end of the file.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let had = self.buffer.len();
        let block = BLOCK.max(had);
        self.buffer.reserve(block);
        let read = (&mut self.input).take(block as u64).read_to_end(&mut self.buffer)?;
        Ok(read > 0)
    }

    /// Is done with so many bytes.
    pub(super) fn consume(&mut self, count: usize) {
        (self.line, self.column) = self.place(count);
        self.start += count;
    }

    /// The line and the column, in bytes, of what lies so many bytes ahead; both from 1.
    pub(super) fn place(&self, ahead: usize) -> (u64, u64) {
        let passed = &self.bytes()[..ahead.min(self.bytes().len())];
        match memchr::memrchr(b'\n', passed) {
            None => (self.line, self.column + passed.len() as u64),
            Some(last) => {
                let lines = memchr::memchr_iter(b'\n', passed).count();
                (self.line + lines as u64, (passed.len() - last) as u64)
            }
        }
    }

    /// The next byte that is not white space, which stays; `None` at the end of the file.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            let space = self.bytes().iter().take_while(|byte| is_space(**byte)).count();
            self.consume(space);
            if let Some(byte) = self.bytes().first() {
                return Ok(Some(*byte));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }
}

/// What JSON takes for white space.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
