//! One sidecar: the JSON file that makes a session exist (formats/cowork.md A4).

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use session_model::{Anomaly, Place};

use super::disk::{self, Disk, ThisDisk};
use super::view::{View, Wrong};
use crate::surrogates::mending;
use crate::text;

/// A sidecar as it stands in its file, for whoever rewrites it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sidecar {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Every member in the order of the file, known or not, also one whose name is empty. Of a member that comes twice
    /// the last value counts, at the place of the first.
    pub members: Map<String, Value>,
    /// The members that a migration asks for.
    pub view: View,
    /// What is wrong with single members, none of which makes the session unreadable.
    pub anomalies: Vec<Anomaly>,
}

impl Sidecar {
    /// Reads the file; what is wrong with it is told with line and column.
    pub fn read(path: &Path) -> Result<Self, Anomaly> {
        Self::read_on(&ThisDisk, path)
    }

    /// The same from any disk.
    pub fn read_on(disk: &dyn Disk, path: &Path) -> Result<Self, Anomaly> {
        let bytes = disk.read(path).map_err(|error| disk::unreadable_file(disk, path, &error))?;
        Self::parse(bytes, path)
    }

    /// Reads what a file of this name holds.
    pub fn parse(bytes: Vec<u8>, path: &Path) -> Result<Self, Anomaly> {
        let json = text::utf8(&bytes, path)?;
        let (members, mended) = mending(json, |json| serde_json::from_str::<Map<String, Value>>(json))
            .map_err(|error| text::json_error(&error, json, path))?;
        let place = |wrong: &Wrong| wrong.anomaly(place_of(wrong.member, json, path));
        let (view, wrong) = View::of(&members).map_err(|wrong| place(&wrong))?;
        let mut anomalies: Vec<Anomaly> = wrong.iter().map(place).collect();
        anomalies.extend(mended.then(|| {
            let message = "half a character stands in its text; it is shown as a replacement character";
            Anomaly::new("half-a-character", message).at(Place::new(path))
        }));
        Ok(Self { bytes, members, view, anomalies })
    }
}

/// Where a member's value begins, or where the object does if there is no such member.
fn place_of(member: &str, json: &str, path: &Path) -> Place {
    let start = json.len() - json.trim_start().len();
    let offset = |json: &str| {
        let values: Values<'_> = serde_json::from_str(json)?;
        let value = values.0.iter().rev().find(|(name, _)| name == member);
        Ok(value.map_or(start, |(_, value)| value.get().as_ptr().addr() - json.as_ptr().addr()))
    };
    // A mended half of a character takes as many bytes as it did before.
    let at = mending(json, offset).map_or(start, |(at, _)| at);
    text::place_after(&json[..at], path)
}

/// The members of an object with their values as they are written.
struct Values<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Values<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ValuesVisitor)
    }
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(entry) = map.next_entry()? {
            values.push(entry);
        }
        Ok(Values(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(json: &str) -> String {
        let anomaly = Sidecar::parse(json.into(), Path::new("s")).unwrap_err();
        format!("{anomaly} [{}]", anomaly.code)
    }

    #[test]
    fn whatever_is_wrong_with_a_sidecar_is_told_with_line_and_column() {
        for (json, expected) in [
            ("", "s:1:1: expected more JSON, found the end of the file [parse-error]"),
            ("[]", "s:1:1: expected a JSON object, found another value or a key twice [parse-error]"),
            ("\u{feff}{}", "s:1:1: expected JSON, found something else [parse-error]"),
            ("{\n \"é\": nul}", "s:2:10: expected JSON, found something else [parse-error]"),
            (" {}", "s:1:2: expected `sessionId` to be text, found no such member [missing-member]"),
            (
                "{\n  \"\\ud83d\": 1, \"sessionId\": 7}",
                "s:2:29: expected `sessionId` to be text, found a number [wrong-type]",
            ),
            (
                "{\"sessionId\": 7, \"sessionId\":\n null}",
                "s:2:2: expected `sessionId` to be text, found null [wrong-type]",
            ),
            (
                "{\"sessionId\": \"local_x\", \"createdAt\": \"1\"}",
                "s:1:39: expected `createdAt` to be a number, found text [wrong-type]",
            ),
        ] {
            assert_eq!(wrong(json), expected, "{json}");
        }
        let deep = format!("{{\"a\": {}", "[".repeat(100_000));
        assert_eq!(wrong(&deep), "s:1:133: expected JSON, found it nested more than 127 deep [parse-error]");
        let bytes = b"{\n \"title\": \"\xff\"}".to_vec();
        let anomaly = Sidecar::parse(bytes, Path::new("s")).unwrap_err();
        assert_eq!(anomaly.to_string(), "s:2:12: expected UTF-8, found other bytes");
    }
}
