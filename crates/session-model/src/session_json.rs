//! A convocate session's `session.json`, read as leniently as its owner reads it (formats/convocate.md §4).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{Timestamp, parse_time};

/// The document: its members in their order, whatever they are, and what they say.
#[derive(Debug, Clone, Default)]
pub struct SessionJson {
    members: Members,
    fields: Fields,
}

/// What the document says. What it does not say is as its owner's zero value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The id it gives itself.
    pub uuid: String,
    /// What people call it. Nobody checked it before it was written.
    pub name: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last worked with.
    pub last_accessed: Option<Timestamp>,
    /// The port it wants published; 0 is none.
    pub port: i64,
    /// `tcp` or `udp`; empty is `tcp`.
    pub protocol: String,
    /// Its name in the cluster's DNS; empty is none.
    pub dns_name: String,
    /// The agent it was delivered to, where one of our tools has done so.
    pub agent_id: String,
}

/// Why a document is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct SessionJsonError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong, without any content.
    pub reason: &'static str,
}

/// Whether this is a session's id: 36 characters, lower case, with hyphens. Its owner takes more for an id, some of it
/// a path: what it would never have made itself is none.
pub fn is_session_id(text: &str) -> bool {
    let shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    let fits = |(want, have): (char, char)| match want {
        '-' => have == '-',
        _ => matches!(have, '0'..='9' | 'a'..='f'),
    };
    text.len() == shape.len() && shape.chars().zip(text.chars()).all(fits)
}

/// The members that have a place of their own, in the order in which they are written.
const KEYS: [&str; 8] =
    ["uuid", "name", "created_at", "last_accessed", "port", "protocol", "dns_name", "agent_id"];

impl SessionJson {
    /// Reads a document: keys in any case, unknown ones kept, of several the last, `null` as nothing; a known key with
    /// a value of the wrong type makes it unreadable.
    ///
    /// ```
    /// let document = session_model::SessionJson::parse(br#"{"UUID": "u", "Port": 8080, "later": [1]}"#)?;
    /// assert_eq!((document.fields().uuid.as_str(), document.fields().port), ("u", 8080));
    /// assert!(session_model::SessionJson::parse(br#"{"port": "8080"}"#).is_err());
    /// # Ok::<(), session_model::SessionJsonError>(())
    /// ```
    pub fn parse(text: &[u8]) -> Result<Self, SessionJsonError> {
        let members: Members = serde_json::from_slice(text).map_err(|error| {
            let reason = if error.is_eof() { "it ends too early" } else { "it is not a JSON object" };
            SessionJsonError { line: error.line(), column: error.column(), reason }
        })?;
        let fields = members.fields().map_err(|reason| SessionJsonError { line: 1, column: 1, reason })?;
        Ok(Self { members, fields })
    }

    /// What it says.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The text that a key has, as it is spelled; nothing if it has none.
    pub fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.members.last(key)?).ok()
    }

    /// The same document with this text for a key, or without the key.
    #[must_use]
    pub fn with(&self, key: &str, value: Option<&str>) -> Self {
        self.with_json(key, value.map(serde_json::Value::from))
    }

    /// The same document with this port, or for 0 without one.
    #[must_use]
    pub fn with_port(&self, port: i64) -> Self {
        self.with_json("port", (port != 0).then(|| port.into()))
    }

    /// The document of a copy that is made now: what only one session can have, and what says where this one is, does not
    /// go along.
    #[must_use]
    pub fn copied(&self, id: &str, name: &str, now: &str) -> Self {
        let copy = self.with("uuid", Some(id)).with("name", Some(name));
        let copy = copy.with("created_at", Some(now)).with("last_accessed", Some(now));
        copy.with("port", None).with("dns_name", None).with("agent_id", None)
    }

    fn with_json(&self, key: &str, value: Option<serde_json::Value>) -> Self {
        let mut members = self.members.0.clone();
        members.retain(|(found, _)| !found.eq_ignore_ascii_case(key));
        if let Some(value) = value {
            let raw = RawValue::from_string(value.to_string());
            members.push((key.to_owned(), raw.expect("because it is JSON")));
        }
        let members = Members(members);
        let fields = members.fields().unwrap_or_else(|_| self.fields.clone());
        Self { members, fields }
    }

    /// The document as its owner writes it: known members in their order, two spaces deep, no line end after the last;
    /// then, which its owner would drop, the unknown ones as they were.
    pub fn to_text(&self) -> String {
        let known = KEYS.iter().filter_map(|&key| Some((key, self.members.last(key)?)));
        let unknown = self.members.0.iter().filter(|(key, _)| known_key(key).is_none());
        let unknown = unknown.map(|(key, value)| (key.as_str(), value.get()));
        let lines =
            known.chain(unknown).map(|(key, value)| format!("  {}: {value}", serde_json::Value::from(key)));
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() { "{}".to_owned() } else { format!("{{\n{}\n}}", lines.join(",\n")) }
    }
}

fn known_key(key: &str) -> Option<&'static str> {
    KEYS.into_iter().find(|known| known.eq_ignore_ascii_case(key))
}

/// An object's members, all of them, as they were written.
#[derive(Debug, Clone, Default)]
struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    fn last(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(found, _)| found.eq_ignore_ascii_case(key));
        found.map(|(_, value)| value.get()).filter(|&value| value != "null")
    }

    fn fields(&self) -> Result<Fields, &'static str> {
        let text = |key, wrong: &'static str| match self.last(key) {
            None => Ok(String::new()),
            Some(value) => serde_json::from_str::<String>(value).map_err(|_| wrong),
        };
        let time = |key, wrong: &'static str| match text(key, wrong)? {
            none if none.is_empty() => Ok(None),
            some => parse_time(&some).map(|time| Some(time.at)).ok_or(wrong),
        };
        let port = self.last("port").map_or(Ok(0), serde_json::from_str);
        Ok(Fields {
            uuid: text("uuid", "uuid is not a text")?,
            name: text("name", "name is not a text")?,
            created_at: time("created_at", "created_at is not a time")?,
            last_accessed: time("last_accessed", "last_accessed is not a time")?,
            port: port.map_err(|_| "port is not a whole number")?,
            protocol: text("protocol", "protocol is not a text")?,
            dns_name: text("dns_name", "dns_name is not a text")?,
            agent_id: text("agent_id", "agent_id is not a text")?,
        })
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                const MOST: usize = 10_000;
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    if members.len() == MOST {
                        return Err(A::Error::custom("too many members"));
                    }
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = r#"{
  "uuid": "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f",
  "name": "a \u003cb\u003e & c",
  "created_at": "2026-02-11T08:15:30.5Z",
  "last_accessed": "2026-03-02T17:00:00Z",
  "port": 8080,
  "protocol": "tcp",
  "dns_name": "billing"
}"#;

    #[test]
    fn what_its_owner_has_written_is_written_the_same_again() {
        assert_eq!(SessionJson::parse(WRITTEN.as_bytes()).unwrap().to_text(), WRITTEN);
    }

    #[test]
    fn a_stamp_is_the_only_difference_and_goes_again() {
        let document = SessionJson::parse(WRITTEN.as_bytes()).unwrap();
        let stamped = document.with("agent_id", Some("k7m2p9x4qwzt"));
        assert_eq!(stamped.fields().agent_id, "k7m2p9x4qwzt");
        assert_eq!(
            stamped.to_text(),
            WRITTEN.replace("\"billing\"\n", "\"billing\",\n  \"agent_id\": \"k7m2p9x4qwzt\"\n")
        );
        assert_eq!(stamped.with("agent_id", None).to_text(), WRITTEN);
        assert!(!document.with("port", None).to_text().contains("8080"));
    }

    #[test]
    fn a_copy_takes_nothing_that_only_one_session_can_have() {
        let document = SessionJson::parse(WRITTEN.as_bytes()).unwrap().with("agent_id", Some("k7m2p9x4qwzt"));
        let text = document.with("later", Some("kept")).copied("u", "copy", "2026-03-03T00:00:00Z").to_text();
        let lines: Vec<&str> = text.lines().map(|line| line.trim().trim_end_matches(',')).collect();
        assert_eq!(
            lines,
            [
                "{",
                r#""uuid": "u""#,
                r#""name": "copy""#,
                r#""created_at": "2026-03-03T00:00:00Z""#,
                r#""last_accessed": "2026-03-03T00:00:00Z""#,
                r#""protocol": "tcp""#,
                r#""later": "kept""#,
                "}"
            ]
        );
    }

    #[test]
    fn it_is_read_as_leniently_as_its_owner_reads_it() {
        let fields = |text: &str| SessionJson::parse(text.as_bytes()).map(|document| document.fields);
        assert_eq!(fields(r#"{"Port": 1, "PORT": 2}"#).unwrap().port, 2);
        assert_eq!(fields(r#"{"name": null, "port": null}"#), Ok(Fields::default()));
        assert_eq!(fields("{}"), Ok(Fields::default()));
        for wrong in [
            r#"{"port": "8080"}"#,
            r#"{"port": 1.5}"#,
            r#"{"name": 1}"#,
            r#"{"created_at": "today"}"#,
            "[]",
            "{",
            "",
        ] {
            assert!(fields(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_nobody_knows_is_kept_to_the_byte() {
        let text = r#"{"later": {"a" : 1e400, "b":[ ]}, "uuid": "u"}"#;
        let written = SessionJson::parse(text.as_bytes()).unwrap().to_text();
        assert_eq!(written, "{\n  \"uuid\": \"u\",\n  \"later\": {\"a\" : 1e400, \"b\":[ ]}\n}");
    }
}
