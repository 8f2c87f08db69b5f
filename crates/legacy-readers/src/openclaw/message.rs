//! One message of a session file.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A message: an object as it is spelled, and its members in their order.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// The object.
    pub text: &'a str,
    /// Name and value of each member. A name that is there twice counts as its last.
    pub members: Vec<(Cow<'a, [u8]>, &'a RawValue)>,
}

impl<'a> Message<'a> {
    /// Reads a JSON object.
    pub fn parse(text: &'a str) -> serde_json::Result<Self> {
        let mut json = serde_json::Deserializer::from_str(text);
        let members = json.deserialize_map(Members)?;
        json.end()?;
        Ok(Self { text, members })
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members.iter().rev().find(|(found, _)| **found == *name.as_bytes()).map(|(_, value)| *value)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Cow<'de, [u8]>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(8);
        while let Some(name) = map.next_key::<&RawValue>()? {
            members.push((decoded(name.get()), map.next_value()?));
        }
        Ok(members)
    }
}

/// What a well-formed string stands for, in bytes: half a surrogate pair is no text.
pub(super) fn decoded(string: &str) -> Cow<'_, [u8]> {
    match string.trim_matches('"') {
        plain if !string.contains('\\') => Cow::Borrowed(plain.as_bytes()),
        _ => Cow::Owned(serde_json::from_str::<Name>(string).map(|name| name.0).unwrap_or_default()),
    }
}

struct Name(Vec<u8>);

impl<'de> de::Deserialize<'de> for Name {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
        Ok(Name(name.to_vec()))
    }
}
