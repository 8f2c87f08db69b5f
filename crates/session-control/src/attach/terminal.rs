//! The terminal that somebody sits at, or the streams that stand for one.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

/// A terminal: what is typed, and where it is shown. An end of a program's streams may stand for one.
#[derive(Debug)]
pub struct Terminal {
    input: OwnedFd,
    output: OwnedFd,
}

/// How many columns and rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) cols: u16,
    pub(crate) rows: u16,
}

impl Size {
    /// Of a terminal that does not say.
    pub(crate) const USUAL: Self = Self { cols: 80, rows: 24 };

    /// This size, where neither number is 0.
    pub(crate) fn of(cols: u16, rows: u16) -> Option<Self> {
        (cols > 0 && rows > 0).then_some(Self { cols, rows })
    }
}

/// What a screen may have switched on that nobody will switch off any more, and the way back from the alternate screen.
const CALM: &[u8] =
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[m\x1b[r\
    \x1b[?25h\x1b[?1049l";

impl Terminal {
    /// A terminal that is typed at on `input` and shown on `output`.
    pub fn new(input: impl Into<OwnedFd>, output: impl Into<OwnedFd>) -> Self {
        Self { input: input.into(), output: output.into() }
    }

    /// This process's standard input and output.
    pub fn standard() -> io::Result<Self> {
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        Ok(Self { input, output: io::stdout().as_fd().try_clone_to_owned()? })
    }

    pub(super) fn input(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    pub(super) fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }

    /// Its size; none for streams, and for a terminal that does not know.
    pub(super) fn size(&self) -> Option<Size> {
        let size = tcgetwinsize(&self.input).ok()?;
        Size::of(size.ws_col, size.ws_row)
    }

    /// From now on every key is told at once, and nothing is done about it; until this is dropped. Streams are so anyway.
    pub(super) fn raw(&self) -> io::Result<Raw<'_>> {
        if !isatty(&self.input) {
            return Ok(Raw { of: self, before: None });
        }
        let before = tcgetattr(&self.input)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&self.input, OptionalActions::Now, &raw)?;
        Ok(Raw { of: self, before: Some(before) })
    }

    /// All of this is shown, if anybody still looks.
    pub(super) fn show(&self, mut bytes: &[u8]) {
        while let Ok(shown @ 1..) = rustix::io::retry_on_intr(|| rustix::io::write(&self.output, bytes)) {
            bytes = &bytes[shown..];
        }
    }

    /// Whatever a screen had switched on is off again.
    pub(super) fn calm(&self) {
        self.show(CALM);
    }
}

/// A terminal that is raw as long as this lives: a panic puts it back too, and leaves whatever screen there was.
pub(super) struct Raw<'t> {
    of: &'t Terminal,
    before: Option<Termios>,
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        let Some(before) = &self.before else { return };
        if std::thread::panicking() {
            self.of.calm();
        }
        let _ = tcsetattr(&self.of.input, OptionalActions::Now, before);
    }
}
