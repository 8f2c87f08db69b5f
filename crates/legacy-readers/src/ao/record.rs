//! One session's record, decoded (formats/ao.md §3, §4).

/// The value of one key: what text columns can be filled from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Field {
    /// No such key, or `null`.
    #[default]
    Absent,
    /// Text; numbers and booleans in their text form.
    Text(String),
    /// A list or an object, where only text makes sense.
    NotText,
}

impl Field {
    /// The text, or "" when there is none.
    pub fn text(&self) -> &str {
        self.as_text().unwrap_or_default()
    }

    /// The text, if there is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::NotText => None,
        }
    }

    /// Whether the key was absent or `null`.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether a list or an object stood where only text makes sense.
    pub fn is_not_text(&self) -> bool {
        matches!(self, Self::NotText)
    }
}

/// A session's record: the keys that are used or reported one by one (formats/ao.md §4), and the names of the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the key of the same name in formats/ao.md §4")]
pub struct SessionRecord {
    pub project: Field,
    pub issue: Field,
    pub branch: Field,
    pub user_prompt: Field,
    pub display_name: Field,
    pub worktree: Field,
    pub agent: Field,
    pub role: Field,
    pub created_at: Field,
    pub claude_session_uuid: Field,
    pub codex_thread_id: Field,
    pub opencode_session_id: Field,
    pub codex_model: Field,
    pub restore_fallback_reason: Field,
    pub status: Field,
    /// The lifecycle; without one only `status` tells how the session stood (§3.3). An unreadable one is no record
    /// but [`super::Content::Quarantined`] with the code `bad-lifecycle`.
    pub lifecycle: Option<Lifecycle>,
    /// Keys that formats/ao.md §4 does not list, in the order of the file.
    pub unknown_keys: Vec<String>,
}

/// The parts of a second-version lifecycle that decide anything (formats/ao.md §3.1), decoded however often they were
/// encoded (§3.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// `session.kind`.
    pub kind: Field,
    /// `session.state`.
    pub state: Field,
    /// `session.startedAt`.
    pub started_at: Field,
    /// `session.terminatedAt`: anything but [`Field::Absent`] is a termination.
    pub terminated_at: Field,
    /// `session.lastTransitionAt`.
    pub last_transition_at: Field,
    /// `runtime.lastObservedAt`.
    pub runtime_last_observed_at: Field,
}
