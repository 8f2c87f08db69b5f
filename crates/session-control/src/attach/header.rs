//! The one line that a client says before it sends keys (formats/convocate.md §11).

use std::os::fd::BorrowedFd;

use durable_files::Meter;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use super::terminal::Size;
use crate::spelling::json;

/// What it may come to, in bytes.
const LONGEST: usize = 4096;
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Who wants to see what, on how large a screen. What else is said is not looked at.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
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
        if !line.trim_ascii_start().starts_with(b"{") {
            return Err("it is no JSON object".to_owned());
        }
        serde_json::from_slice(&line).map_err(|error| {
            let kind = if error.is_data() { "a member has the wrong type" } else { "it is no JSON" };
            format!("{kind} (column {})", error.column())
        })
    }
}
