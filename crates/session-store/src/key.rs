//! Routing keys: under what name a session is found again.

use serde::{Deserialize, Serialize};

/// The longest id of an agent, in characters.
const LONGEST_AGENT: usize = 64;
/// The longest id of a session that OpenClaw takes, in characters.
const LONGEST_SESSION: usize = 128;
/// How much of a session's id is part of its key where nothing else names it, in characters.
const SHORT_ID: usize = 8;
/// What an agent is called of whose name nothing can be used.
const MAIN: &str = "main";

/// The id of an agent: small letters, digits, `_` and `-`, at most 64, beginning with a letter or a digit.
///
/// It becomes part of keys and the name of a folder, so nothing else is let through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentId(String);

/// A text that is no agent id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an agent id of letters, digits, `_` and `-`, at most 64 and a letter or digit first; found `{}`; \
     OpenClaw would make `{suggestion}` of it",
    given.escape_debug()
)]
pub struct NotAnAgentId {
    /// The text.
    pub given: String,
    /// What the applications would make of it.
    pub suggestion: AgentId,
}

impl AgentId {
    /// An id as somebody typed it: blanks around it and capitals do not matter, anything else must be right.
    pub fn parse(given: &str) -> Result<Self, NotAnAgentId> {
        let id = given.trim().to_lowercase();
        if is_agent_id(&id) {
            return Ok(Self(id));
        }
        Err(NotAnAgentId { given: given.to_owned(), suggestion: Self::normalised(given) })
    }

    /// What the applications make of any text: an id, whatever is lost on the way.
    pub fn normalised(given: &str) -> Self {
        let given = given.trim().to_lowercase();
        if is_agent_id(&given) {
            return Self(given);
        }
        let mut id = String::new();
        for letter in given.chars() {
            if is_of_agent(letter) {
                id.push(letter);
            } else if !id.ends_with('-') {
                id.push('-');
            }
        }
        let id: String = id.trim_matches('-').chars().take(LONGEST_AGENT).collect();
        // An underscore may stand anywhere but first.
        Self(if is_agent_id(&id) { id } else { MAIN.to_owned() })
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for AgentId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for AgentId {
    type Error = NotAnAgentId;

    fn try_from(given: String) -> Result<Self, NotAnAgentId> {
        Self::parse(&given)
    }
}

impl From<AgentId> for String {
    fn from(id: AgentId) -> Self {
        id.0
    }
}

fn is_of_agent(letter: char) -> bool {
    matches!(letter, 'a'..='z' | '0'..='9' | '_' | '-')
}

fn is_agent_id(id: &str) -> bool {
    id.len() <= LONGEST_AGENT
        && id.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && id.chars().all(is_of_agent)
}

/// Whether OpenClaw takes this for a session's id.
pub fn is_session_id(id: &str) -> bool {
    id.len() <= LONGEST_SESSION
        && id.starts_with(|first: char| first.is_ascii_alphanumeric())
        && id.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-'))
}

/// The key of a session that has no name of its own: with the first eight characters of its id.
pub fn default_key(agent: &AgentId, session: &str) -> String {
    let short: String = session.chars().take(SHORT_ID).collect();
    full_key(agent, &short)
}

/// The key of a session whose [`default_key`] is another's: with its whole id.
pub fn full_key(agent: &AgentId, session: &str) -> String {
    format!("agent:{agent}:{session}")
}

/// What a key says: `agent:<agent>:<rest>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoutingKey<'k> {
    /// The agent, as it is spelled.
    pub agent: &'k str,
    /// All that follows, colons too.
    pub rest: &'k str,
    /// Where messages of the session come from, if the rest says so.
    pub route: Route<'k>,
}

/// Where messages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route<'k> {
    /// The agent's main session.
    Main,
    /// One person.
    Direct {
        /// Through what, if sessions are kept apart by it.
        channel: Option<&'k str>,
        /// To which of the agent's accounts there, if sessions are kept apart by it.
        account: Option<&'k str>,
        /// The person.
        peer: &'k str,
    },
    /// A group.
    Group {
        /// Through what.
        channel: &'k str,
        /// The group.
        id: &'k str,
    },
    /// A room.
    Room {
        /// Through what.
        channel: &'k str,
        /// The room.
        id: &'k str,
    },
    /// Something else, a session's id for one.
    Other,
}

impl<'k> RoutingKey<'k> {
    /// Takes a key apart; one of another shape is a name like any other.
    pub fn parse(key: &'k str) -> Option<Self> {
        let mut parts = key.splitn(3, ':');
        let (Some("agent"), Some(agent), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return None;
        };
        let is_whole = !agent.is_empty() && !rest.is_empty();
        is_whole.then(|| Self { agent, rest, route: Route::of(rest) })
    }
}

impl<'k> Route<'k> {
    fn of(rest: &'k str) -> Self {
        if rest == MAIN {
            return Self::Main;
        }
        if let Some(peer) = after(rest, "dm:") {
            return Self::Direct { channel: None, account: None, peer };
        }
        let Some((channel, tail)) = rest.split_once(':').filter(|(channel, _)| !channel.is_empty()) else {
            return Self::Other;
        };
        if let Some(peer) = after(tail, "dm:") {
            return Self::Direct { channel: Some(channel), account: None, peer };
        }
        if let Some(id) = after(tail, "group:") {
            return Self::Group { channel, id };
        }
        if let Some(id) = after(tail, "channel:") {
            return Self::Room { channel, id };
        }
        match tail.split_once(':').and_then(|(account, tail)| Some((account, after(tail, "dm:")?))) {
            Some((account, peer)) if !account.is_empty() => {
                Self::Direct { channel: Some(channel), account: Some(account), peer }
            }
            _ => Self::Other,
        }
    }

    /// Through what messages come, where that can be told.
    pub fn channel(&self) -> Option<&'k str> {
        match self {
            Self::Direct { channel, .. } => *channel,
            Self::Group { channel, .. } | Self::Room { channel, .. } => Some(channel),
            Self::Main | Self::Other => None,
        }
    }
}

fn after<'t>(text: &'t str, what: &str) -> Option<&'t str> {
    text.strip_prefix(what).filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_id_is_taken_as_meant_or_refused_with_what_the_application_would_make_of_it() {
        for given in ["main", " Main\n", "a-b_c9"] {
            assert_eq!(AgentId::parse(given).unwrap().as_str(), given.trim().to_lowercase());
        }
        for (given, suggestion) in [
            ("", "main"),
            ("..", "main"),
            ("a:b", "a-b"),
            ("../up", "up"),
            ("my agent!", "my-agent"),
            ("Zoë's", "zo-s"),
            ("-x-", "x"),
            ("_x", "main"),
            (&"y".repeat(70), &"y".repeat(64)),
        ] {
            let refused = AgentId::parse(given).unwrap_err();
            assert_eq!(refused.suggestion.as_str(), suggestion, "{given}");
            assert_eq!(AgentId::parse(refused.suggestion.as_str()).unwrap(), refused.suggestion);
        }
        assert!(serde_json::from_str::<AgentId>("\"../up\"").is_err(), "a plan says nothing else either");
    }

    #[test]
    fn a_key_without_a_name_counts_characters_not_bytes() {
        let agent = AgentId::parse("main").unwrap();
        assert_eq!(default_key(&agent, "0b7f6c1e-3a52"), "agent:main:0b7f6c1e");
        assert_eq!(default_key(&agent, "éèêëēėę-more"), "agent:main:éèêëēėę-");
        assert_eq!(default_key(&agent, "ab"), full_key(&agent, "ab"));
    }

    #[test]
    fn a_session_is_found_by_whom_and_where_it_is_with() {
        let direct = |channel, account, peer| Route::Direct { channel, account, peer };
        for (rest, route, channel) in [
            ("main", Route::Main, None),
            ("dm:u9", direct(None, None, "u9"), None),
            ("telegram:dm:u:9", direct(Some("telegram"), None, "u:9"), Some("telegram")),
            ("telegram:work:dm:u9", direct(Some("telegram"), Some("work"), "u9"), Some("telegram")),
            ("slack:group:g1", Route::Group { channel: "slack", id: "g1" }, Some("slack")),
            ("irc:channel:#a:b", Route::Room { channel: "irc", id: "#a:b" }, Some("irc")),
            ("0b7f6c1e", Route::Other, None),
            ("a:b", Route::Other, None),
            (":dm:x", Route::Other, None),
            ("telegram:dm:", Route::Other, None),
        ] {
            let key = format!("agent:ops:{rest}");
            let parsed = RoutingKey::parse(&key).unwrap();
            assert_eq!(parsed, RoutingKey { agent: "ops", rest, route });
            assert_eq!(parsed.route.channel(), channel, "{rest}");
        }
        for other in ["", "main", "agent:main", "agent::x", "agent:a:", "Agent:a:b"] {
            assert_eq!(RoutingKey::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_openclaw_would_refuse_is_known_beforehand() {
        assert!(is_session_id("0b7f6c1e-3a52-4d0e-9c55-7d1f2e6a9b10") && is_session_id("A.b_c"));
        for id in ["", ".hidden", "a b", "a/b", "ä", &"x".repeat(129)] {
            assert!(!is_session_id(id), "{id}");
        }
    }
}
