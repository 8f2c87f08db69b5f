//! Why a session file cannot be read.

use std::io;
use std::path::Path;

use session_model::{Anomaly, Place};

/// A session file that ends here.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The system would not let it be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// Its content is not that of a session (formats/openclaw.md §11, "Quarantine").
    #[error("line {}, column {}: {}", .0.line, .0.column, .0.message)]
    Bad(Flaw),
}

/// What is wrong with the content of a session file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// A stable, kebab-case name.
    pub code: &'static str,
    /// What was expected and what was found, without any content.
    pub message: &'static str,
    /// The line, from 1.
    pub line: u64,
    /// The column in bytes, from 1.
    pub column: u64,
}

impl Fault {
    /// As what is wrong with a file.
    pub fn into_anomaly(self, file: &Path) -> Anomaly {
        match self {
            Self::Read(error) => crate::files::unreadable(file, &error),
            Self::Bad(Flaw { code, message, line, column }) => {
                Anomaly::new(code, message).at(Place::new(file).line(line).column(column))
            }
        }
    }
}

/// What a flaw is, but for its place.
pub(super) type Kind = (&'static str, &'static str);

pub(super) const EMPTY: Kind = ("empty-file", "expected a JSON object, found nothing");
pub(super) const TRUNCATED: Kind = ("truncated", "expected more JSON, found the end of the file");
pub(super) const SYNTAX: Kind = ("syntax", "expected JSON, found something else");
pub(super) const TRAILING: Kind = ("trailing-data", "expected the end of the file, found more");
pub(super) const NOT_A_NUMBER: Kind = ("not-a-number", "expected JSON, found NaN or Infinity, which are not");
pub(super) const NOT_UTF8: Kind = ("not-utf-8", "expected UTF-8, found other bytes");
pub(super) const NOT_AN_OBJECT: Kind = ("not-an-object", "expected a JSON object, found another value");
pub(super) const NO_ARRAY: Kind =
    ("messages-not-an-array", "expected messages to be an array, found another value");
pub(super) const NO_MESSAGE: Kind =
    ("message-not-an-object", "expected a message to be an object, found another value");

/// What is first wrong with bytes that should be one value, and where in them; `cut` if the file ends behind them.
pub(super) fn first_in(bytes: &[u8], cut: bool) -> (Kind, usize) {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_some() || !cut => (NOT_UTF8, error.valid_up_to()),
        Err(error) => first_in(&bytes[..error.valid_up_to()], cut),
        Ok(text) => match serde_json::from_str::<&serde_json::value::RawValue>(text) {
            Ok(_) => (TRUNCATED, bytes.len()),
            Err(error) if error.is_eof() => (TRUNCATED, bytes.len()),
            Err(error) => {
                let at = index_of(text, error.line(), error.column());
                // In front of a character that must be escaped it stops one earlier than elsewhere.
                let at = at + usize::from(error.to_string().starts_with("control character"));
                (if is_beside_no_number(bytes, at) { NOT_A_NUMBER } else { SYNTAX }, at)
            }
        },
    }
}

/// The index of the byte that `serde_json` stumbled over.
fn index_of(text: &str, line: usize, column: usize) -> usize {
    let lines = memchr::memchr_iter(b'\n', text.as_bytes());
    let start = lines.take(line.saturating_sub(1)).last().map_or(0, |newline| newline + 1);
    (start + column.saturating_sub(1)).min(text.len())
}

/// Python writes these words where a number is not one; `serde_json` stops in front of them or behind a sign.
fn is_beside_no_number(bytes: &[u8], at: usize) -> bool {
    (at.saturating_sub(1)..=at + 1).filter_map(|at| bytes.get(at..)).any(|rest| {
        rest.starts_with(b"NaN") || rest.starts_with(b"Infinity") || rest.starts_with(b"-Infinity")
    })
}
