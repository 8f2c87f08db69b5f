//! What an entry says that every reader needs.

use crate::Format;
use crate::object::Object;

/// What an entry says that every reader needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The session.
    pub session_id: String,
    /// When it was last used, in milliseconds since 1970.
    pub updated_at: i64,
    /// The name of its transcript, in the folder of the store, if it names one.
    pub session_file: Option<String>,
}

/// Why a value is no entry: one sentence without any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnEntry(String);

impl Identity {
    /// The session that an entry is of and the name of its transcript, the one that readers guess if it names none:
    /// whatever else is wrong with it.
    pub fn leads_to(entry: &str, format: Format) -> Option<(String, String)> {
        let object = Object::parse(entry)?;
        let session = text(&object, "session_id", format).ok()??;
        let transcript = text(&object, "session_file", format).ok()?;
        let transcript = transcript.unwrap_or_else(|| format!("{session}.jsonl"));
        Some((session, transcript))
    }

    /// Reads an entry as readers of this format do, strictly.
    pub fn of(entry: &str, format: Format) -> Result<Self, NotAnEntry> {
        let no = |message: String| NotAnEntry(message);
        let object =
            Object::parse(entry).ok_or_else(|| no("expected an object, found another value".into()))?;
        let spelled = format.spelled("updated_at");
        let id = text(&object, "session_id", format)?;
        let updated_at = object.get(&spelled).and_then(|value| value.parse().ok());
        Ok(Self {
            session_id: id.ok_or_else(|| {
                no(format!("expected a session's id in `{}`, found none", format.spelled("session_id")))
            })?,
            updated_at: updated_at
                .ok_or_else(|| no(format!("expected a whole number in `{spelled}`, found something else")))?,
            session_file: text(&object, "session_file", format)?,
        })
    }
}

/// Text that is there and not empty.
fn text(entry: &Object, name: &str, format: Format) -> Result<Option<String>, NotAnEntry> {
    let spelled = format.spelled(name);
    let value = entry.get(&spelled).filter(|value| *value != "null");
    let read: Option<String> = value
        .map(serde_json::from_str)
        .transpose()
        .map_err(|_| NotAnEntry(format!("expected text in `{spelled}`, found another value")))?;
    Ok(read.filter(|text| !text.is_empty()))
}
