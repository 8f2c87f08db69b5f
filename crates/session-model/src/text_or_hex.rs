//! Bytes in plans and journals, for `#[serde(with = "session_model::text_or_hex")]`: text where they are UTF-8, else
//! `{"hex": "…"}`.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written<'a> {
    Text(std::borrow::Cow<'a, str>),
    Bytes { hex: String },
}

/// Writes bytes.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => serializer.serialize_str(text),
        Err(_) => Written::Bytes { hex: to_hex(bytes) }.serialize(serializer),
    }
}

/// Reads them back.
pub fn deserialize<'a, D: Deserializer<'a>, B: From<Vec<u8>>>(deserializer: D) -> Result<B, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Text(text) => Ok(text.into_owned().into_bytes().into()),
        Written::Bytes { hex } => {
            from_hex(&hex).map(B::from).ok_or_else(|| de::Error::custom("expected hexadecimal digits"))
        }
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?));
    rest.is_empty().then(|| bytes.collect())?
}
