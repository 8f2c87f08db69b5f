//! JSON objects as the original's decoder takes them: names in any case, `null` is nothing said, of several the last,
//! what is not known is refused.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::spelling::quoted;
use crate::{Holder, NotAnId, SessionId, Wishes};

/// What a member has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Flag,
}

pub(crate) const ID: (&str, Kind) = ("id", Kind::Text);
pub(super) const SOURCE: (&str, Kind) = ("source_id", Kind::Text);
pub(super) const FORCE: (&str, Kind) = ("force", Kind::Flag);
pub(super) const PID: (&str, Kind) = ("pid", Kind::Number);
pub(super) const WISHES: [(&str, Kind); 4] =
    [("name", Kind::Text), ("port", Kind::Number), ("protocol", Kind::Text), ("dns_name", Kind::Text)];

/// The members of an object, all of them, in their order.
#[derive(Debug, Default)]
pub(super) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Those of a text that is an object; `null` is one without.
    pub(super) fn of(text: &'a str) -> Result<Self, String> {
        if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
            return Err("unexpected end of JSON input".to_owned());
        }
        let value: &RawValue = serde_json::from_str(text).map_err(|error| {
            if error.is_eof() {
                "unexpected end of JSON input".to_owned()
            } else {
                format!("invalid JSON at column {}", error.column())
            }
        })?;
        match kind_of(value) {
            "null" => Ok(Self::default()),
            "object" => serde_json::from_str(value.get()).map_err(|error| error.to_string()),
            other => Err(format!("json: cannot unmarshal {other} into Go value of type struct")),
        }
    }

    /// What the last member of this name says, if it says anything.
    pub(super) fn last(&self, name: &str) -> Option<&'a RawValue> {
        let said = self.0.iter().rev().filter(|(key, _)| is_called(key, name));
        said.map(|&(_, value)| value).find(|value| kind_of(value) != "null")
    }

    /// What is asked.
    pub(super) fn op(&self) -> Result<String, String> {
        self.last("op").map_or(Ok(String::new()), |value| {
            check("op", Kind::Text, value)?;
            Ok(text(value))
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(InOrder).map(Members)
    }
}

/// What is said, each member of which is what it has to be.
#[derive(Debug)]
pub(crate) struct Params<'a>(Members<'a>);

impl<'a> Params<'a> {
    /// What a question is about: every member is known.
    pub(super) fn read(text: &'a str, known: &[(&'static str, Kind)]) -> Result<Self, String> {
        Self::of(text, known, |key| Err(format!("json: unknown field {}", quoted(key))))
    }

    /// The same where nobody minds what is not known.
    pub(crate) fn among_others(text: &'a str, known: &[(&'static str, Kind)]) -> Result<Self, String> {
        Self::of(text, known, |_| Ok(()))
    }

    /// Reads them. The first member that is wrong is the one that is told.
    fn of(
        text: &'a str,
        known: &[(&'static str, Kind)],
        not_known: impl Fn(&str) -> Result<(), String>,
    ) -> Result<Self, String> {
        let members = Members::of(text)?;
        for (key, value) in &members.0 {
            match known.iter().find(|(name, _)| is_called(key, name)) {
                Some(&(name, kind)) => check(name, kind, value)?,
                None => not_known(key)?,
            }
        }
        Ok(Self(members))
    }

    pub(super) fn id(&self, name: &str) -> Result<SessionId, NotAnId> {
        self.text(name).parse()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.0.last(name).map(text).unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.0.last(name).and_then(|value| value.get().parse().ok())
    }

    /// Whom a lock may be taken from: by force from anybody, unless it is said from whom. No process has a number that is
    /// none.
    pub(super) fn holder(&self) -> Holder {
        let force = self.0.last("force").is_some_and(|value| value.get() == "true");
        match self.number("pid") {
            _ if !force => Holder::Nobody,
            None => Holder::Anybody,
            Some(pid) => Holder::Process(pid.try_into().unwrap_or(0)),
        }
    }

    pub(super) fn wishes(&self) -> Wishes {
        Wishes {
            name: self.text("name"),
            port: self.number("port").unwrap_or_default(),
            protocol: self.text("protocol"),
            dns_name: self.text("dns_name"),
        }
    }
}

/// A text that is one.
fn text(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_default()
}

/// Refuses a member that is not what it has to be. What the original calls the object it is in is not known; an
/// object without a name it would tell like this.
fn check(name: &str, kind: Kind, value: &RawValue) -> Result<(), String> {
    let (fits, wanted) = match kind {
        Kind::Text => ("string", "string"),
        Kind::Number => ("number", "int"),
        Kind::Flag => ("bool", "bool"),
    };
    let found = match kind_of(value) {
        "null" => return Ok(()),
        found if found == fits => match kind {
            Kind::Number if value.get().parse::<i64>().is_err() => format!("number {}", value.get()),
            _ => return Ok(()),
        },
        found => found.to_owned(),
    };
    Err(format!("json: cannot unmarshal {found} into Go struct field .{name} of type {wanted}"))
}

fn kind_of(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "bool",
        Some(b'n') => "null",
        _ => "number",
    }
}

/// Names are compared without case; two letters of other alphabets fold to ours.
fn is_called(key: &str, name: &str) -> bool {
    let folded = key.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    });
    folded.eq(name.chars())
}
