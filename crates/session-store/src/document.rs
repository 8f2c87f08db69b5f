//! A store as text: read strictly, changed entry by entry, with every other byte kept.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::fmt;

use serde::de::IgnoredAny;

use crate::object::{Object, shown};
use crate::spelling::indented;

const BOM: &str = "\u{feff}";

/// A store: one JSON object whose members are the sessions, whatever its layout.
///
/// Of a key that stands there twice the last entry counts, as for every reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    has_bom: bool,
    object: Object,
}

/// Why a store cannot be read. Nothing in it says what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct DocumentError {
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// What was expected and found.
    pub reason: &'static str,
}

impl DocumentError {
    fn at(bytes: &[u8], offset: usize, reason: &'static str) -> Self {
        let before = &bytes[..offset.min(bytes.len())];
        let mut lines = before.split(|byte| *byte == b'\n');
        let (line, column) = (lines.clone().count(), 1 + lines.next_back().map_or(0, <[u8]>::len));
        Self { line, column, reason }
    }
}

/// Why an entry was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no such entry.
    #[error("the store has no entry `{}`", .0.escape_debug())]
    NoEntry(String),
    /// What stands there is not an object.
    #[error("the entry `{}` is not an object", .0.escape_debug())]
    NotAnObject(String),
    /// What was to be written there is no JSON, or no object where an entry must be one.
    #[error("what was to be written to the entry `{}` is not the JSON it must be", .0.escape_debug())]
    NotJson(String),
}

impl Document {
    /// A store without entries.
    pub fn empty() -> Self {
        Self { has_bom: false, object: Object::empty() }
    }

    /// Reads a store. A file with nothing in it is one without entries.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            DocumentError::at(bytes, error.valid_up_to(), "expected UTF-8, found other bytes")
        })?;
        let (has_bom, text) = match text.strip_prefix(BOM) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
            return Ok(Self { has_bom, ..Self::empty() });
        }
        let object = Object::parse(text).ok_or_else(|| why_not(text, has_bom))?;
        Ok(Self { has_bom, object })
    }

    /// Whether a byte order mark stands before it.
    pub fn has_bom(&self) -> bool {
        self.has_bom
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.object.members().next().is_none()
    }

    /// The entries that count, in their order: key and value. Half of a surrogate pair in a key is shown as U+FFFD.
    pub fn entries(&self) -> Vec<(Cow<'_, str>, &str)> {
        let mut seen = BTreeSet::new();
        let last_first = self.object.members().rev().filter(|(key, _)| seen.insert(*key));
        let mut entries: Vec<_> = last_first.map(|(key, value)| (shown(key), value)).collect();
        entries.reverse();
        entries
    }

    /// The keys that stand there more than once, in the order of what counts for nothing.
    pub fn repeated(&self) -> Vec<Cow<'_, str>> {
        let mut seen = BTreeSet::new();
        let again = self.object.members().rev().filter(|(key, _)| !seen.insert(*key));
        let mut repeated: Vec<_> = again.map(|(key, _)| shown(key)).collect();
        repeated.reverse();
        repeated
    }

    /// The entry of a key, as it is spelled.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.object.get(key)
    }

    /// The store with these entries behind all others, of which every byte stays. None of the keys may be there.
    #[must_use]
    pub fn with_new_entries<'e>(&self, entries: impl IntoIterator<Item = (&'e str, &'e str)>) -> Vec<u8> {
        let mut grown = self.clone();
        entries.into_iter().for_each(|(key, entry)| grown.object.push(key, &self.laid_out(entry), 1));
        grown.to_string().into_bytes()
    }

    /// Puts an entry in the place of the one that has this key, or behind all others.
    pub fn insert(&mut self, key: &str, entry: &str) -> Result<(), EditError> {
        let entry = entry.trim();
        Object::parse(entry).ok_or_else(|| EditError::NotJson(key.to_owned()))?;
        let entry = self.laid_out(entry).into_owned();
        self.object.set(key, &entry);
        Ok(())
    }

    /// An entry with the indentation that the others have.
    fn laid_out<'e>(&self, entry: &'e str) -> Cow<'e, str> {
        match self.object.margin() {
            Some((line, indent)) => indented(entry, line, indent, 1),
            None => entry.into(),
        }
    }

    /// Gives a member of an entry this value, which is JSON. The names are those of the store's format.
    pub fn set(&mut self, key: &str, member: &str, value: &str) -> Result<(), EditError> {
        if !jsonl_stitch::json::is_json(value.as_bytes()) {
            return Err(EditError::NotJson(key.to_owned()));
        }
        self.edit(key, |entry| match entry.get(member) {
            Some(_) => entry.set(member, value.trim()),
            None => entry.push(member, value.trim(), 2),
        })
    }

    /// Takes a member of an entry away; answers whether it was there.
    pub fn unset(&mut self, key: &str, member: &str) -> Result<bool, EditError> {
        self.edit(key, |entry| entry.remove(|name| name == member.as_bytes()))
    }

    /// Takes an entry away; answers whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.object.remove(|name| name == key.as_bytes())
    }

    /// Takes away the entries of all these keys.
    pub(crate) fn remove_all(&mut self, keys: &HashSet<&[u8]>) {
        self.object.remove(|name| keys.contains(name));
    }

    fn edit<T>(&mut self, key: &str, edit: impl FnOnce(&mut Object) -> T) -> Result<T, EditError> {
        let entry = self.object.get(key).ok_or_else(|| EditError::NoEntry(key.to_owned()))?;
        let mut entry = Object::parse(entry).ok_or_else(|| EditError::NotAnObject(key.to_owned()))?;
        let answer = edit(&mut entry);
        self.object.set(key, &entry.to_string());
        Ok(answer)
    }
}

/// The store as text: to the byte what was parsed, but for what was changed.
impl fmt::Display for Document {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.has_bom { BOM } else { "" })?;
        self.object.fmt(out)
    }
}

/// Where and why a text is not one JSON object.
fn why_not(text: &str, has_bom: bool) -> DocumentError {
    let found = serde_json::from_str::<IgnoredAny>(text);
    let Err(error) = found else {
        let start = text.len() - text.trim_start().len();
        return DocumentError::at(text.as_bytes(), start, "expected an object, found another value");
    };
    let reason = if error.is_eof() {
        "expected more JSON, found the end of the file"
    } else {
        "expected JSON, found something else"
    };
    let bom = if has_bom && error.line() == 1 { BOM.len() } else { 0 };
    DocumentError { line: error.line().max(1), column: error.column().max(1) + bom, reason }
}
