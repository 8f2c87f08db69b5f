//! One file where sessions are kept: its name, then its content (formats/ao.md §2.6, §2.7, §2.9).

use std::path::Path;

use session_model::{Anomaly, Place, Timestamp};

use super::model::{Content, Skip};
use super::record::{SessionRecord, Unreadable};
use super::{files, text};

/// How the files of a folder are named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// `{id}.json` only.
    Json,
    /// `{id}` or `{id}.json`.
    PlainOrJson,
}

/// The session id that a file's name gives, or why it gives none.
pub(super) fn id_of_name(name: &str, naming: Naming) -> Result<&str, Skip> {
    if is_side_file(name) {
        return Err(Skip::SideFile);
    }
    if is_corrupt_sibling(name) {
        return Err(Skip::CorruptSibling);
    }
    let id = match (name.strip_suffix(".json"), naming) {
        (Some(id), _) => id,
        (None, Naming::PlainOrJson) => name,
        (None, Naming::Json) => return Err(Skip::NotASessionName),
    };
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !id.is_empty() && id.bytes().all(is_id) { Ok(id) } else { Err(Skip::NotASessionName) }
}

/// Locks, dot files and what an atomic write leaves when it is killed.
fn is_side_file(name: &str) -> bool {
    let is_lock = name.rsplit_once('.').is_some_and(|(_, suffix)| suffix == "lock");
    name.starts_with('.') || is_lock || name.split('.').skip(1).any(|suffix| suffix == "tmp")
}

/// `{id}.json.corrupt-{ms}`
fn is_corrupt_sibling(name: &str) -> bool {
    let after = name.split_once(".corrupt-").map(|(_, millis)| millis);
    after.is_some_and(|millis| !millis.is_empty() && millis.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Reads a regular file. `buffer` is room that is used again for every file.
pub(super) fn read(path: &Path, naming: Naming, buffer: &mut Vec<u8>) -> (Content, Timestamp) {
    match files::read_into(buffer, path) {
        Ok(mtime) => (content(buffer, path, naming), mtime),
        Err(error) => (Content::Quarantined(files::unreadable(path, &error)), Timestamp::UNIX_EPOCH),
    }
}

fn content(bytes: &[u8], path: &Path, naming: Naming) -> Content {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Content::Skipped(Skip::ReservedEmpty);
    }
    let text = match text::utf8(bytes, path) {
        Ok(text) => text,
        Err(anomaly) => return Content::Quarantined(anomaly),
    };
    let is_json = naming == Naming::Json
        || text.trim_start().starts_with('{')
        || path.extension().is_some_and(|extension| extension == "json");
    let record = if is_json { SessionRecord::from_json(text) } else { SessionRecord::from_lines(text) };
    match record {
        Ok(record) => Content::Record(Box::new(record)),
        Err(why) => Content::Quarantined(why.in_file(text, path)),
    }
}

impl Unreadable {
    fn in_file(&self, text: &str, path: &Path) -> Anomaly {
        match self {
            Self::Json(error) => text::json_error(error, text, path),
            Self::NoKey => Anomaly::new("parse-error", "expected lines of key=value, found none")
                .at(Place::new(path).line(1)),
            Self::Lifecycle => {
                let message =
                    "expected the lifecycle to be an object with a readable session, found another form";
                Anomaly::new("bad-lifecycle", message).at(Place::new(path))
            }
        }
    }
}
