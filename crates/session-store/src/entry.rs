//! A new entry of a store, and what of a session's metadata it takes over.

use std::collections::HashMap;

use jsonl_stitch::json;
use serde_json::Value;

use crate::{FIELDS, Field, Format, Kind};

/// What a new entry is made of.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    /// The session.
    pub session_id: &'a str,
    /// When it was last used, in milliseconds since 1970.
    pub updated_at: i64,
    /// The name of its transcript, in the folder of the store.
    pub session_file: &'a str,
    /// What else was known of it: a JSON object with `snake_case` names. Anything else has no members.
    pub metadata: Option<&'a str>,
}

/// A new entry as text, and what became of the metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltEntry {
    /// The entry, as it stands in a store.
    pub text: String,
    /// The fields that were taken over, by their `snake_case` names.
    pub copied: Vec<&'static str>,
    /// What was not taken over, in the order of the metadata.
    pub left: Vec<Left>,
}

/// A member of the metadata that is not in the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its name, as it is spelled between the quotes.
    pub name: String,
    /// Its value, as it is spelled.
    pub value: String,
    /// Why.
    pub why: Why,
}

/// Why a member of the metadata is not in the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No field of an entry has this name.
    NoField,
    /// It is `null`: the field is not set.
    Unset,
    /// A field of this kind does not take such a value: readers would lose the whole store over it.
    WrongType(Kind),
    /// The field is never copied: an object, or what identifies the session.
    NeverCopied,
    /// Another member of this name stands behind it.
    Repeated,
}

impl NewEntry<'_> {
    /// The entry as a store of this format has it: two blanks for each level, text unescaped, what is not known left
    /// out. What comes from the metadata is spelled as it is there.
    pub fn build(&self, format: Format) -> BuiltEntry {
        let mut text = "{".to_owned();
        let mut add = |name: &str, value: &str| {
            let comma = if text.len() > 1 { "," } else { "" };
            text.extend([comma, "\n    \"", &format.spelled(name), "\": ", value]);
        };
        add("session_id", &quoted(self.session_id));
        add("updated_at", &self.updated_at.to_string());
        add("session_file", &quoted(self.session_file));

        let (taken, left) = sort(self.metadata.unwrap_or_default(), format);
        let mut copied = Vec::new();
        for Field { name, .. } in FIELDS {
            if let Some((_, value)) = taken.iter().find(|(field, _)| field == name) {
                add(name, value);
                copied.push(*name);
            }
        }
        text += "\n  }";
        BuiltEntry { text, copied, left }
    }
}

/// The members that become fields, and the others.
fn sort(metadata: &str, format: Format) -> (Vec<(&'static str, &str)>, Vec<Left>) {
    let bytes = metadata.as_bytes();
    let members = json::members(bytes).unwrap_or_default();
    let names = members.iter().map(|member| json::decode(&bytes[member.name.clone()]));
    let last: HashMap<_, usize> = names.zip(0..).collect();
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    for (at, member) in members.iter().enumerate() {
        let (spelled, value) = (&metadata[member.name.clone()], &metadata[member.value.clone()]);
        let name = json::decode(&bytes[member.name.clone()]);
        let is_repeated = last.get(&name) != Some(&at);
        let field = std::str::from_utf8(&name).ok().and_then(Field::named);
        let why = match field {
            _ if is_repeated => Why::Repeated,
            None => Why::NoField,
            Some(field) if !field.may_be_copied() => Why::NeverCopied,
            Some(_) if value == "null" => Why::Unset,
            Some(field) if !field.takes(format, value) => Why::WrongType(field.kind),
            Some(field) => {
                taken.push((field.name, value));
                continue;
            }
        };
        left.push(Left { name: spelled.to_owned(), value: value.to_owned(), why });
    }
    (taken, left)
}

/// Text as JSON, with nothing escaped that need not be.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{"session_key": "agent:main:x", "display_name": "G\u00e4rten", "label": "raw ä",
        "plot": {"at": [1.0, 1e3]}, "queue_cap": 5.0, "send_policy": "maybe", "system_sent": true, "subject": null,
        "origin": {"to": "x"}, "session_id": "other", "model": 1, "mod\u0065l": "m1", "lone": "\ud83d"}"#;

    fn entry(metadata: Option<&str>) -> NewEntry<'_> {
        NewEntry { session_id: "s-é", updated_at: 1_767_366_300_000, session_file: "s-é.jsonl", metadata }
    }

    #[test]
    fn an_entry_says_all_that_its_readers_understand_and_nothing_they_stumble_over() {
        let built = entry(Some(METADATA)).build(Format::OpenClaw);
        assert_eq!(
            built.text,
            "{\n    \"sessionId\": \"s-é\",\n    \"updatedAt\": 1767366300000,\n    \
             \"sessionFile\": \"s-é.jsonl\",\n    \"label\": \"raw ä\",\n    \"displayName\": \"G\\u00e4rten\",\n    \
             \"systemSent\": true,\n    \"model\": \"m1\"\n  }"
        );
        assert_eq!(built.copied, ["label", "display_name", "system_sent", "model"]);
        let left: Vec<(&str, Why)> = built.left.iter().map(|left| (left.name.as_str(), left.why)).collect();
        let kind = |name| Field::named(name).unwrap().kind;
        assert_eq!(
            left,
            [
                ("session_key", Why::NoField),
                ("plot", Why::NoField),
                ("queue_cap", Why::WrongType(Kind::Count)),
                ("send_policy", Why::WrongType(kind("send_policy"))),
                ("subject", Why::Unset),
                ("origin", Why::NeverCopied),
                ("session_id", Why::NeverCopied),
                ("model", Why::Repeated),
                ("lone", Why::NoField),
            ]
        );
        assert_eq!(built.left[1].value, r#"{"at": [1.0, 1e3]}"#, "spelled as it was");
    }

    #[test]
    fn no_metadata_is_no_trouble() {
        let plain = entry(None).build(Format::Python);
        for metadata in ["null", "{}", "[1]", "no json"] {
            assert_eq!(entry(Some(metadata)).build(Format::Python), plain);
        }
        assert_eq!(plain.text.lines().nth(1), Some("    \"session_id\": \"s-é\","));
    }
}
