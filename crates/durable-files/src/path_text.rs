//! Paths as text that comes back exactly, even when they are not UTF-8.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path inside plans and journals: a JSON string where it is UTF-8, else `{"hex": "…"}` with its bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathText(PathBuf);

impl Deref for PathText {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for PathText {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl<P: Into<PathBuf>> From<P> for PathText {
    fn from(path: P) -> Self {
        Self(path.into())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Bytes { hex: String },
}

impl Serialize for PathText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => Written::Bytes { hex: to_hex(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PathText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into())),
            Written::Bytes { hex } => from_hex(&hex)
                .map(Self)
                .ok_or_else(|| serde::de::Error::custom("expected a path in hexadecimal")),
        }
    }
}

#[cfg(unix)]
fn to_hex(path: &Path) -> String {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("because writing to a string cannot fail");
        hex
    })
}

#[cfg(unix)]
fn from_hex(hex: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let bytes =
        hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    Some(std::ffi::OsString::from_vec(bytes.collect::<Option<Vec<u8>>>()?).into())
}

#[cfg(not(unix))]
fn to_hex(path: &Path) -> String {
    use std::fmt::Write;
    use std::os::windows::ffi::OsStrExt;
    path.as_os_str().encode_wide().fold(String::new(), |mut hex, unit| {
        write!(hex, "{unit:04x}").expect("because writing to a string cannot fail");
        hex
    })
}

#[cfg(not(unix))]
fn from_hex(hex: &str) -> Option<PathBuf> {
    use std::os::windows::ffi::OsStringExt;
    let units =
        hex.as_bytes().chunks(4).map(|four| u16::from_str_radix(std::str::from_utf8(four).ok()?, 16).ok());
    Some(std::ffi::OsString::from_wide(&units.collect::<Option<Vec<u16>>>()?).into())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::ffi::OsStringExt;

    proptest! {
        #[test]
        fn any_name_a_disk_can_hold_comes_back_from_a_plan(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let path = PathText::from(std::ffi::OsString::from_vec(bytes));
            let written = serde_json::to_string(&path).unwrap();
            prop_assert_eq!(serde_json::from_str::<PathText>(&written).unwrap(), path);
        }
    }
}
