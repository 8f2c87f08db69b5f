//! A session as a store lists it.

use std::path::{Path, PathBuf};

use crate::identity::NotAnEntry;
use crate::object::{Object, text};
use crate::{AgentId, Format, Identity, RoutingKey};

/// A session that a store has an entry of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The key under which it is found.
    pub key: String,
    /// Its id.
    pub id: String,
    /// When it was last used, in milliseconds since 1970.
    pub updated_at: i64,
    /// Its transcript, which need not be there.
    pub transcript: PathBuf,
    /// How its entry is spelled.
    pub format: Format,
    entry: Object,
}

impl Session {
    /// Reads an entry in the spelling of a format, or else in the other: each may have come into any store.
    pub(crate) fn read(folder: &Path, key: &str, entry: &str, format: Format) -> Result<Self, NotAnEntry> {
        let (format, identity) = match Identity::of(entry, format) {
            Ok(identity) => (format, identity),
            Err(error) => (format.other(), Identity::of(entry, format.other()).map_err(|_| error)?),
        };
        let Identity { session_id: id, updated_at, session_file } = identity;
        let file = session_file.unwrap_or_else(|| format!("{id}.jsonl"));
        let entry = Object::parse(entry).unwrap_or_else(Object::empty);
        Ok(Self { key: key.to_owned(), id, updated_at, transcript: folder.join(file), format, entry })
    }

    /// A member of its entry by its `snake_case` name, as JSON.
    pub fn member(&self, name: &str) -> Option<&str> {
        self.entry.get(&self.format.spelled(name))
    }

    /// A member that is text. Half of a surrogate pair in it is shown as U+FFFD.
    pub fn text(&self, name: &str) -> Option<String> {
        text(self.member(name)?)
    }

    /// The agent it belongs to, if its key says so.
    pub fn agent(&self) -> Option<AgentId> {
        RoutingKey::parse(&self.key).map(|key| AgentId::normalised(key.agent))
    }

    /// Through what its messages come, if its entry or its key says so.
    pub fn channel(&self) -> Option<String> {
        let of_key = || RoutingKey::parse(&self.key)?.route.channel().map(str::to_owned);
        self.text("channel").or_else(of_key).or_else(|| self.text("last_channel"))
    }
}

/// Which sessions are wanted: those that fit everything that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this agent.
    pub agent: Option<AgentId>,
    /// Those whose messages come through this.
    pub channel: Option<String>,
    /// Those used at this time or later, in milliseconds since 1970.
    pub updated_since: Option<i64>,
}

impl Filter {
    /// Whether a session is wanted.
    pub fn takes(&self, session: &Session) -> bool {
        let is_of = |agent: &AgentId| session.agent().as_ref() == Some(agent);
        let comes_through = |channel: &String| session.channel().as_ref() == Some(channel);
        self.agent.as_ref().is_none_or(is_of)
            && self.channel.as_ref().is_none_or(comes_through)
            && self.updated_since.is_none_or(|since| session.updated_at >= since)
    }
}
