//! The ids that name accounts, profiles and sessions, in full or by their first eight digits.

use std::ffi::OsStr;

use serde::Serialize;

/// The name of an account's or a profile's folder: a UUID, or its first eight digits on newer installs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnerId {
    /// A whole UUID, in lower case.
    Full(String),
    /// The first eight hexadecimal digits of one, in lower case.
    Short(String),
}

impl OwnerId {
    /// Reads a folder's name. Letter case does not matter.
    pub fn from_name(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?.to_ascii_lowercase();
        match () {
            () if is_uuid(&name) => Some(Self::Full(name)),
            () if is_short(&name) => Some(Self::Short(name)),
            () => None,
        }
    }

    /// The id as it names the folder.
    pub fn as_str(&self) -> &str {
        let (Self::Full(id) | Self::Short(id)) = self;
        id
    }

    /// Whether both may be one id: where either is short, the first eight digits decide.
    pub fn may_be(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Full(one), Self::Full(two)) => one == two,
            _ => self.as_str()[..SHORT] == other.as_str()[..SHORT],
        }
    }
}

const SHORT: usize = 8;

/// Whether text is a UUID as this app spells it.
pub(super) fn is_uuid(text: &str) -> bool {
    let shape = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    text.len() == shape.len()
        && text.bytes().zip(shape).all(|(byte, want)| match want {
            b'h' => byte.is_ascii_hexdigit(),
            _ => byte == b'-',
        })
}

/// Whether text is the short form of a UUID.
pub(super) fn is_short(text: &str) -> bool {
    text.len() == SHORT && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The short form of a session's id: the first eight digits of the UUID after `local_`.
pub fn short_id(session_id: &str) -> Option<&str> {
    let uuid = session_id.strip_prefix("local_")?;
    is_uuid(uuid).then(|| &uuid[..SHORT])
}

/// Whether an id from a file is the name of one file, so that it leads nowhere else.
pub(super) fn is_plain_name(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !id.is_empty() && id.len() <= 128 && id.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_recognised_by_either_form_of_its_id() {
        let id = |name: &str| OwnerId::from_name(OsStr::new(name));
        let full = id("1C9F2A77-0000-4000-8000-00000000000a").unwrap();
        let short = id("1c9f2a77").unwrap();
        let other = id("1c9f2a77-0000-4000-8000-00000000000b").unwrap();
        assert_eq!(full.as_str(), "1c9f2a77-0000-4000-8000-00000000000a");
        assert!(full.may_be(&short) && short.may_be(&other) && short.may_be(&short) && full.may_be(&full));
        assert!(!full.may_be(&other) && !short.may_be(&id("1c9f2a78").unwrap()));
        for name in ["skills-plugin", "plugin-cache", "1c9f2a7", "1c9f2a7g", "", "1c9f2a77 "] {
            assert_eq!(id(name), None, "{name}");
        }
    }

    #[test]
    fn an_id_out_of_a_file_never_leads_out_of_its_folder() {
        for id in ["", ".", "..", "../x", "a/b", r"a\b", "a:b", "a\nb", "a.jsonl", "é"] {
            assert!(!is_plain_name(id), "{id}");
        }
        assert!(is_plain_name("local_ditto_7-x_g2"));
    }
}
