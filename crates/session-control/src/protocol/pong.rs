//! What an agent is.

use serde::{Deserialize, Serialize};
use session_model::Timestamp;

/// An agent's answer to being called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Pong {
    /// Its id.
    pub agent_id: String,
    /// Its version.
    pub version: String,
    /// Its time, as RFC 3339.
    pub server_time: String,
    /// What it is; original agents do not say.
    #[serde(rename = "impl", skip_serializing_if = "String::is_empty")]
    pub implementation: String,
    /// What it can do beyond the original.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

/// What ours are called.
const IMPLEMENTATION: &str = "session-control";

impl Pong {
    /// That of an agent of ours: `override` takes `force`, with the `pid` that was shown, and lists tell of locks.
    pub fn ours(agent_id: &str, version: &str, now: Timestamp) -> Self {
        Self {
            agent_id: agent_id.to_owned(),
            version: version.to_owned(),
            server_time: now.to_string(),
            implementation: IMPLEMENTATION.to_owned(),
            features: ["force", "pid", "locked"].map(str::to_owned).to_vec(),
        }
    }

    /// Whether it is one of ours, which stops what it deletes and keeps what it clones.
    pub fn is_ours(&self) -> bool {
        self.implementation == IMPLEMENTATION
    }

    /// Whether it can do this.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|has| has == feature)
    }
}
