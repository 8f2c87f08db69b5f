//! The last messages of a session, read from the end of its transcript.

use std::collections::VecDeque;

use durable_files::{FileError, InContext, open_regular};
use jsonl_stitch::json;
use session_model::Finding;

use crate::backwards::{Backwards, Line};
use crate::object::{Object, text};
use crate::{Session, Store};

/// The end of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// What is wrong with the lines that were read.
    pub findings: Vec<Finding>,
}

/// A message as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who says it.
    pub role: String,
    /// Its text, without pictures and calls of tools.
    pub text: String,
    /// When it was said, as it is written there.
    pub timestamp: Option<String>,
}

/// What a line is.
enum Kind {
    Message(Message),
    /// Something else that belongs in a transcript.
    Other,
    NotJson,
}

impl Store {
    /// The last messages of a session, at most this many; none if it has no transcript. No more of it is read than they
    /// take.
    pub fn preview(&self, session: &Session, last: usize) -> Result<Preview, FileError> {
        let path = &session.transcript;
        let file = match open_regular(path) {
            Err(error) if error.is_not_found() => {
                let message = format!("the session has no transcript at {}", path.display());
                let findings = vec![Finding::warning("transcript-missing", message)];
                return Ok(Preview { messages: Vec::new(), findings });
            }
            file => file?,
        };
        let mut lines = Backwards::new(file).doing("read", path)?;
        let (mut messages, mut findings) = (VecDeque::new(), VecDeque::new());
        while messages.len() < last
            && let Some(line) = lines.next().doing("read", path)?
        {
            match kind(&line.bytes) {
                Kind::Message(message) => messages.push_front(message),
                Kind::Other => {}
                Kind::NotJson => findings.push_front(unreadable(&line)),
            }
        }
        Ok(Preview { messages: messages.into(), findings: findings.into() })
    }
}

fn unreadable(line: &Line) -> Finding {
    let at = line.offset;
    if line.is_ended {
        Finding::warning("bad-line", format!("the line that begins at byte {at} is not JSON"))
    } else {
        Finding::warning("torn-line", format!("the last line, which begins at byte {at}, is not whole"))
    }
}

/// Either shape: a message by itself, or in a line that says that it holds one.
fn kind(line: &[u8]) -> Kind {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Kind::Other;
    }
    let Some(line) = std::str::from_utf8(line).ok().and_then(Object::parse) else {
        return if json::is_json(line) { Kind::Other } else { Kind::NotJson };
    };
    let timestamp = text_of(&line, "timestamp");
    match text_of(&line, "type").as_deref() {
        None => message(&line, timestamp),
        Some("message") => {
            let inner = line.get("message").and_then(Object::parse);
            inner.map_or(Kind::Other, |inner| message(&inner, timestamp))
        }
        Some(_) => Kind::Other,
    }
}

fn message(object: &Object, timestamp: Option<String>) -> Kind {
    let Some(role) = text_of(object, "role") else { return Kind::Other };
    let text = object.get("content").map(content).unwrap_or_default();
    Kind::Message(Message { role, text, timestamp })
}

/// Text, or the texts in a list of parts.
fn content(value: &str) -> String {
    if let Some(text) = text(value) {
        return text;
    }
    let mut texts = Vec::new();
    let _ = json::each_element(value.as_bytes(), 0, |bytes, at| {
        let end = json::value_end(bytes, at)?;
        let part = value.get(at..end).and_then(Object::parse);
        let is_text = |part: &Object| text_of(part, "type").is_some_and(|kind| kind == "text");
        texts.extend(part.filter(is_text).and_then(|part| text_of(&part, "text")));
        Some(end)
    });
    texts.join("\n")
}

fn text_of(object: &Object, name: &str) -> Option<String> {
    text(object.get(name)?)
}
