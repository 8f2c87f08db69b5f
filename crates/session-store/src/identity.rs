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
    /// Reads an entry as readers of this format do, strictly.
    pub fn of(entry: &str, format: Format) -> Result<Self, NotAnEntry> {
        let no = |message: String| NotAnEntry(message);
        let object =
            Object::parse(entry).ok_or_else(|| no("expected an object, found another value".into()))?;
        let text = |name: &str| -> Result<Option<String>, NotAnEntry> {
            let spelled = format.spelled(name);
            let value = object.get(&spelled).filter(|value| *value != "null");
            let read = value.map(serde_json::from_str).transpose();
            read.map_err(|_| no(format!("expected text in `{spelled}`, found another value")))
        };
        let spelled = format.spelled("updated_at");
        let id = text("session_id")?.filter(|id| !id.is_empty());
        let updated_at = object.get(&spelled).and_then(|value| value.parse().ok());
        Ok(Self {
            session_id: id.ok_or_else(|| {
                no(format!("expected a session's id in `{}`, found none", format.spelled("session_id")))
            })?,
            updated_at: updated_at
                .ok_or_else(|| no(format!("expected a whole number in `{spelled}`, found something else")))?,
            session_file: text("session_file")?.filter(|file| !file.is_empty()),
        })
    }
}
