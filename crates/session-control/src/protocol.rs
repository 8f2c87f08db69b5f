//! What is asked of an agent, and how it answers (formats/convocate.md §10): one line of JSON each way.
//!
//! The spelling is the original's in both directions, and so is the strictness.

mod answer;
pub(crate) mod params;
mod pong;

use std::time::Duration;

use serde::Serialize;
use serde::ser::SerializeMap;
use serde_json::value::RawValue;

use crate::spelling::{json, quoted, text_of};
use crate::{Holder, NotAnId, SessionId, Wishes};
pub(crate) use answer::{Answer, refused, told};
use params::{Members, Params};
pub use pong::Pong;

/// What a question may come to, in bytes.
pub(crate) const LONGEST_REQUEST: usize = 1 << 20;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Is somebody there, and who?
    Ping,
    /// Which sessions are there?
    List,
    /// What of this one?
    Get(SessionId),
    /// A new one.
    Create(Wishes),
    /// Replaces what is said of one.
    Edit(SessionId, Wishes),
    /// A new one with the files of this one.
    Clone {
        /// This one.
        source: SessionId,
        /// What to call the new one.
        name: String,
    },
    /// Removes one.
    Delete(SessionId),
    /// Stops one.
    Kill(SessionId),
    /// Detaches everybody from one.
    Background(SessionId),
    /// Removes the lock of one.
    Override {
        /// Which one.
        id: SessionId,
        /// Whom it may be taken from, which is `force` on the wire. Original agents know nothing of it.
        holder: Holder,
    },
    /// Starts one.
    Restart(SessionId),
    /// Nothing, as yet.
    SettingsGet,
    /// Nothing, as yet.
    SettingsSet,
}

/// A question that is none, in the words of the answer to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// It cannot be read.
    #[error("malformed request: {0}")]
    Malformed(String),
    /// What it is about cannot be read.
    #[error("decode params: {0}")]
    Params(String),
    /// Nobody knows what it asks.
    #[error("unknown op: {}", quoted(.0))]
    UnknownOp(String),
    /// What it is about is no session's id.
    #[error(transparent)]
    NotAnId(#[from] NotAnId),
}

impl Request {
    /// Reads a line, with its end or without.
    pub fn parse(line: &[u8]) -> Result<Self, BadRequest> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = text_of(line);
        let envelope = Members::of(&line).map_err(BadRequest::Malformed)?;
        let op = envelope.op().map_err(BadRequest::Malformed)?;
        let nothing = RawValue::NULL;
        let params = envelope.last("params").unwrap_or(nothing);
        Self::of(&op, params)
    }

    fn of(op: &str, params: &RawValue) -> Result<Self, BadRequest> {
        let read = |known: &[(&'static str, params::Kind)]| {
            Params::read(params.get(), known).map_err(BadRequest::Params)
        };
        let session = || -> Result<SessionId, BadRequest> { Ok(read(&[params::ID])?.id("id")?) };
        Ok(match op {
            "ping" => read(&[]).map(|_| Self::Ping)?,
            "list" => read(&[]).map(|_| Self::List)?,
            // These take whatever is said.
            "settings-get" => Self::SettingsGet,
            "settings-set" => Self::SettingsSet,
            "get" => Self::Get(session()?),
            "delete" => Self::Delete(session()?),
            "kill" => Self::Kill(session()?),
            "background" => Self::Background(session()?),
            "restart" => Self::Restart(session()?),
            "create" => Self::Create(read(&params::WISHES)?.wishes()),
            "edit" => {
                let [name, port, protocol, dns_name] = params::WISHES;
                let params = read(&[params::ID, name, port, protocol, dns_name])?;
                Self::Edit(params.id("id")?, params.wishes())
            }
            "clone" => {
                let params = read(&[params::SOURCE, params::WISHES[0]])?;
                Self::Clone { source: params.id("source_id")?, name: params.text("name") }
            }
            "override" => {
                let params = read(&[params::ID, params::FORCE, params::PID])?;
                Self::Override { id: params.id("id")?, holder: params.holder() }
            }
            other => return Err(BadRequest::UnknownOp(other.to_owned())),
        })
    }

    /// What it is called on the wire.
    pub fn op(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::List => "list",
            Self::Get(_) => "get",
            Self::Create(_) => "create",
            Self::Edit(..) => "edit",
            Self::Clone { .. } => "clone",
            Self::Delete(_) => "delete",
            Self::Kill(_) => "kill",
            Self::Background(_) => "background",
            Self::Override { .. } => "override",
            Self::Restart(_) => "restart",
            Self::SettingsGet => "settings-get",
            Self::SettingsSet => "settings-set",
        }
    }

    /// How long the answer may take, once the agent was reached: those that copy, remove or start something have longest.
    pub fn within(&self) -> Duration {
        Duration::from_secs(match self {
            _ if self.is_long() => 120,
            Self::Kill(_) | Self::Background(_) | Self::Override { .. } | Self::Edit(..) => 30,
            _ => 10,
        })
    }

    /// Whether it may take as long as the host needs for it: whoever is asked shows then that he is at work.
    pub fn is_long(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Clone { .. } | Self::Delete(_) | Self::Restart(_))
    }

    /// It as a line, with its end.
    pub fn to_line(&self) -> String {
        json(self) + "\n"
    }
}

impl Serialize for Request {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut envelope = serializer.serialize_map(Some(2))?;
        envelope.serialize_entry("op", self.op())?;
        envelope.serialize_entry("params", &About(self))?;
        envelope.end()
    }
}

/// What a question is about.
struct About<'a>(&'a Request);

impl Serialize for About<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Edited<'a> {
            id: &'a SessionId,
            #[serde(flatten)]
            wishes: &'a Wishes,
        }
        let mut params = match self.0 {
            Request::Ping | Request::List | Request::SettingsGet | Request::SettingsSet => {
                return serializer.serialize_none();
            }
            Request::Create(wishes) => return wishes.serialize(serializer),
            Request::Edit(id, wishes) => return Edited { id, wishes }.serialize(serializer),
            _ => serializer.serialize_map(None)?,
        };
        match self.0 {
            Request::Clone { source, name } => {
                params.serialize_entry("source_id", source)?;
                params.serialize_entry("name", name)?;
            }
            Request::Override { id, holder } => {
                params.serialize_entry("id", id)?;
                // An original agent refuses a member that it does not know.
                if *holder != Holder::Nobody {
                    params.serialize_entry("force", &true)?;
                }
                if let Holder::Process(pid) = holder {
                    params.serialize_entry("pid", pid)?;
                }
            }
            Request::Get(id)
            | Request::Delete(id)
            | Request::Kill(id)
            | Request::Background(id)
            | Request::Restart(id) => params.serialize_entry("id", id)?,
            _ => {}
        }
        params.end()
    }
}
