//! The one line that a client says before it sends keys (formats/convocate.md §11).

use std::os::fd::BorrowedFd;

use durable_files::Meter;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;

use super::terminal::Size;
use crate::protocol::params::{ID, Kind, Params};
use crate::spelling::{json, text_of};

/// What it may come to, in bytes.
const LONGEST: usize = 4096;
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Who wants to see what, on how large a screen. What else is said is not looked at.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Header {
    pub(super) id: String,
    cols: u16,
    rows: u16,
}

impl Header {
    pub(super) fn new(id: &str, size: Size) -> Self {
        Self { id: id.to_owned(), cols: size.cols, rows: size.rows }
    }

    pub(super) fn line(&self) -> Vec<u8> {
        (json(self) + "\n").into_bytes()
    }

    pub(super) fn size(&self) -> Option<Size> {
        Size::of(self.cols, self.rows)
    }

    /// Reads it, and not a byte more: what follows are keys.
    pub(super) fn read(from: BorrowedFd<'_>, meter: &mut dyn Meter) -> Result<Self, String> {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            if meter.passed(0).is_break() {
                return Err("stopped".to_owned());
            }
            let mut fd = [PollFd::from_borrowed_fd(from, PollFlags::IN)];
            if matches!(poll(&mut fd, Some(&TICK)), Ok(0) | Err(rustix::io::Errno::INTR)) {
                continue;
            }
            match rustix::io::retry_on_intr(|| rustix::io::read(from, &mut byte)) {
                Ok(1) if byte == *b"\n" => break,
                Ok(1) if line.len() < LONGEST => line.push(byte[0]),
                Ok(1) => return Err(format!("it is longer than {LONGEST} bytes")),
                Err(rustix::io::Errno::AGAIN) => {}
                _ => return Err("EOF".to_owned()),
            }
        }
        Self::of(&text_of(&line))
    }

    /// As the original takes it. A size that no screen has is none.
    fn of(line: &str) -> Result<Self, String> {
        let said = Params::among_others(line, &[ID, ("cols", Kind::Number), ("rows", Kind::Number)])?;
        let size = |name| said.number(name).and_then(|size| size.try_into().ok()).unwrap_or_default();
        Ok(Self { id: said.text("id"), cols: size("cols"), rows: size("rows") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_taken_as_the_original_takes_it() {
        let header = |id: &str, cols, rows| Ok(Header { id: id.to_owned(), cols, rows });
        for (line, taken) in [
            (r#"{"ID":"x","Cols":100,"\u0072ows":30,"later":[1]}"#, header("x", 100, 30)),
            (r#"{"id":null,"id":"x","id":null,"cols":1}"#, header("x", 1, 0)),
            (r#" {"id":"x","cols":70000,"rows":-1}"#, header("x", 0, 0)),
            ("null", header("", 0, 0)),
            (
                r#"{"id":7}"#,
                Err("json: cannot unmarshal number into Go struct field .id of type string".into()),
            ),
            (
                r#"{"cols":"x"}"#,
                Err("json: cannot unmarshal string into Go struct field .cols of type int".into()),
            ),
            ("[]", Err("json: cannot unmarshal array into Go value of type struct".into())),
            ("", Err("unexpected end of JSON input".into())),
        ] {
            assert_eq!(Header::of(line), taken, "{line}");
        }
    }
}
