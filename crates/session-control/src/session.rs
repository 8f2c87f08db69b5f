//! A session as its host tells of it, and what may be asked for (formats/convocate.md §4, §8, §10).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use session_model::{Timestamp, is_session_id};

use crate::{Invalid, valid_dns_name, valid_name, valid_port, valid_protocol};

/// A session's id: 36 characters, lower case, with hyphens. Nothing else ever becomes part of a path or of a question to
/// an agent: an original one takes an empty id for its whole base.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SessionId(String);

/// What was given is no session's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a session: expected 36 characters, in lower case")]
pub struct NotAnId(pub String);

impl SessionId {
    /// A new, random id.
    pub fn fresh() -> Self {
        Self(uuid::Uuid::new_v4().hyphenated().to_string())
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its first eight characters, by which a container's host name knows it.
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

impl FromStr for SessionId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if is_session_id(text) { Ok(Self(text.to_owned())) } else { Err(NotAnId(text.to_owned())) }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A session as its host tells of it.
///
/// What an original agent does not know is `None`. Its members have the order of the wire and, as there, are left out
/// when empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Its id, as its document says. Nobody checked it: [`id`](Self::id) does.
    #[serde(deserialize_with = "null_is_none")]
    pub uuid: String,
    /// Its name. Nobody checked it either: show it escaped.
    #[serde(deserialize_with = "null_is_none")]
    pub name: String,
    /// When it was made, as RFC 3339.
    #[serde(deserialize_with = "null_is_none")]
    pub created_at: String,
    /// When it was last worked with, as RFC 3339.
    #[serde(deserialize_with = "null_is_none")]
    pub last_accessed: String,
    /// The port it has published; 0 is none.
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "null_is_none")]
    pub port: i64,
    /// The protocol of that port; empty is `tcp`.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_none")]
    pub protocol: String,
    /// Its name in the cluster's DNS; empty is none.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_none")]
    pub dns_name: String,
    /// Whether its container runs. Of an original agent, `false` may also be an engine that does not answer.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_none")]
    pub running: bool,
    /// Whether somebody is attached to it.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_none")]
    pub attached: bool,
    /// Which of the two is not known, since the engine does not say; that one is `false`. Only hosts of ours tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Unknown>,
    /// Whether it has a lock file. Only hosts of ours tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// The process that the lock speaks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_pid: Option<u32>,
    /// Whether the lock speaks for nobody any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_stale: Option<bool>,
}

/// What is not known of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// Whether anybody is attached to it. It runs.
    Attached,
    /// Whether it runs.
    #[serde(other)]
    Running,
}

/// As a Go program reads it (formats/convocate.md §4).
fn null_is_none<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(port: &i64) -> bool {
    *port == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Session {
    /// Its id, if what it says is one.
    pub fn id(&self) -> Option<SessionId> {
        self.uuid.parse().ok()
    }

    /// The protocol that counts: nothing said is `tcp`.
    pub fn effective_protocol(&self) -> &str {
        if self.protocol.is_empty() { "tcp" } else { &self.protocol }
    }

    /// The port that it has published with its protocol, as in `8080/tcp`.
    pub fn published(&self) -> Option<String> {
        (self.port != 0).then(|| format!("{}/{}", self.port, self.effective_protocol()))
    }

    /// When it was last worked with, if what it says is a time.
    pub fn worked_with(&self) -> Option<Timestamp> {
        self.last_accessed.parse().ok()
    }

    /// Whether it runs, if that is known.
    pub fn runs(&self) -> Option<bool> {
        (self.unknown != Some(Unknown::Running)).then_some(self.running)
    }

    /// Whether somebody is attached to it, if that is known.
    pub fn is_attached(&self) -> Option<bool> {
        self.unknown.is_none().then_some(self.attached)
    }

    /// How it stands, on a host that has not left it behind.
    pub fn state(&self) -> SessionState {
        match (self.runs(), self.attached, self.locked) {
            (None, ..) => SessionState::Unknown,
            (Some(true), true, _) => SessionState::Connected,
            (Some(true), false, _) => SessionState::Running,
            (Some(false), _, Some(true)) => SessionState::Locked,
            (Some(false), _, _) => SessionState::Stopped,
        }
    }
}

/// How a session stands (§8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionState {
    /// Left behind on a shell host that runs no containers any more.
    Orphan,
    /// Running, and somebody is attached.
    Connected,
    /// Running.
    Running,
    /// Not running, and there is a lock file.
    Locked,
    /// Not running.
    Stopped,
    /// Nobody knows: the container engine does not say what runs.
    Unknown,
}

impl SessionState {
    /// Its letter in a list.
    pub fn letter(self) -> char {
        match self {
            Self::Orphan => 'O',
            Self::Connected => 'C',
            Self::Running => 'R',
            Self::Locked => 'L',
            Self::Stopped => '-',
            Self::Unknown => '?',
        }
    }
}

/// What can be said of a session when it is made or edited; an edit replaces all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wishes {
    /// Its name.
    pub name: String,
    /// The port to publish: 0 none, -1 the lowest that is free from 1001 up.
    pub port: i64,
    /// The protocol of the port; empty is `tcp`.
    pub protocol: String,
    /// Its name in the cluster's DNS; empty is none.
    pub dns_name: String,
}

impl Wishes {
    /// The same, spelled as a host keeps it, if a session can have all of it.
    pub fn checked(&self) -> Result<Self, Invalid> {
        Ok(Self {
            name: valid_name(&self.name)?.to_owned(),
            port: valid_port(self.port)?,
            protocol: valid_protocol(&self.protocol)?.to_owned(),
            dns_name: valid_dns_name(&self.dns_name)?,
        })
    }
}
