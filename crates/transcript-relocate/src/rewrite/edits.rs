//! The changes of a line, and the line with them.

use std::io::{self, Write};
use std::ops::Range;

/// Replacements of ranges of one line.
#[derive(Debug, Default)]
pub(super) struct Edits {
    list: Vec<Edit>,
    texts: Vec<u8>,
}

/// Small on purpose: a line may need millions of them.
#[derive(Debug, Clone, Copy)]
struct Edit {
    start: usize,
    len: u32,
    text_len: u32,
    text: usize,
}

impl Edits {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.texts.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Replaces a range by a text. Neither is longer than a path can be.
    pub(super) fn push(&mut self, at: Range<usize>, text: &[u8]) {
        let short = |len: usize| u32::try_from(len).expect("because a path is replaced, not a file");
        let (len, text_len) = (short(at.len()), short(text.len()));
        self.list.push(Edit { start: at.start, len, text_len, text: self.texts.len() });
        self.texts.extend_from_slice(text);
    }

    /// Writes the line with all replacements made; every other byte as it is.
    pub(super) fn write(&mut self, line: &[u8], out: &mut impl Write) -> io::Result<()> {
        self.list.sort_unstable_by_key(|edit| edit.start);
        let mut copied = 0;
        for edit in &self.list {
            out.write_all(&line[copied..edit.start])?;
            out.write_all(&self.texts[edit.text..][..edit.text_len as usize])?;
            copied = edit.start + edit.len as usize;
        }
        out.write_all(&line[copied..])
    }
}
