//! A transcript while it is read, its paths rewritten.

use std::borrow::Cow;
use std::io::{self, Read};

use migration_engine::Cx;
use transcript_relocate::rewrite::{Members, PathRules, RewrittenLines};

/// Reads a transcript as it is after its paths were rewritten.
pub(crate) fn rewritten_lines<R: Read>(input: R, rules: &PathRules) -> RewrittenLines<'_, R> {
    RewrittenLines::new(rules, Members::TRANSCRIPT, &extracted_name, input)
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
