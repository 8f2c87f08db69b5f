//! JSON that may be encoded twice (formats/ao.md §3.2), read straight into what is kept of it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny};
use serde::de::{MapAccess, SeqAccess, Visitor};

use super::record::Field;
use crate::surrogates::mending;

/// A section of a record: an object, or text that holds one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Nested<T> {
    /// No such key, `null`, or blank text.
    #[default]
    Absent,
    /// The object.
    Read(T),
    /// Something else.
    Unreadable,
}

/// How often text in place of an object is read as JSON.
const DECODINGS: u8 = 2;

impl<T: DeserializeOwned> Nested<T> {
    /// Reads text as the object.
    pub(super) fn from_text(text: &str) -> Self {
        NestedSeed { decodings: DECODINGS, of: PhantomData }.decode(text)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Nested<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NestedSeed { decodings: DECODINGS, of: PhantomData }.deserialize(deserializer)
    }
}

struct NestedSeed<T> {
    decodings: u8,
    of: PhantomData<T>,
}

impl<T: DeserializeOwned> NestedSeed<T> {
    fn decode(self, text: &str) -> Nested<T> {
        if text.trim().is_empty() {
            return Nested::Absent;
        }
        let Some(decodings) = self.decodings.checked_sub(1) else { return Nested::Unreadable };
        let read = |text: &str| {
            let mut json = serde_json::Deserializer::from_str(text);
            let inner = NestedSeed { decodings, of: PhantomData }.deserialize(&mut json)?;
            json.end().map(|()| inner)
        };
        mending(text, read).map_or(Nested::Unreadable, |(inner, _)| inner)
    }
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for NestedSeed<T> {
    type Value = Nested<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Nested<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for NestedSeed<T> {
    type Value = Nested<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Nested<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Nested::Read)
    }

    fn visit_str<E>(self, text: &str) -> Result<Nested<T>, E> {
        Ok(self.decode(text))
    }

    fn visit_unit<E>(self) -> Result<Nested<T>, E> {
        Ok(Nested::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Nested<T>, A::Error> {
        drain(seq).map(|()| Nested::Unreadable)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Nested<T>, E> {
        Ok(Nested::Unreadable)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Nested<T>, E> {
        Ok(Nested::Unreadable)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Nested<T>, E> {
        Ok(Nested::Unreadable)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Nested<T>, E> {
        Ok(Nested::Unreadable)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Field, E> {
        Ok(Field::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Field, E> {
        Ok(Field::Text(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Field, E> {
        Ok(Field::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Field, E> {
        Ok(Field::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Field, E> {
        Ok(Field::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Field, E> {
        Ok(Field::Text(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Field, A::Error> {
        drain(seq).map(|()| Field::NotText)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::NotText)
    }
}

fn drain<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}
