//! One session's record, decoded (formats/ao.md §3, §4).

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::decode::Nested;
use crate::surrogates::mending;

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
    /// Whether text held half a character, as JavaScript leaves it when it cuts one: it is now the replacement
    /// character.
    pub mended: bool,
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

/// A record while it is being read: the lifecycle is decided at the end.
#[derive(Default)]
struct Draft {
    record: SessionRecord,
    lifecycle: Nested<Root>,
    state_payload: Nested<Root>,
    state_version: Field,
}

/// A lifecycle as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Root {
    session: Nested<Session>,
    runtime: Nested<Runtime>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Session {
    kind: Field,
    state: Field,
    started_at: Field,
    terminated_at: Field,
    last_transition_at: Field,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Runtime {
    last_observed_at: Field,
}

/// Why text is no record.
pub(super) enum Unreadable {
    /// It is not JSON, or no object.
    Json(serde_json::Error),
    /// Text of lines without one `key=value`.
    NoKey,
    /// A lifecycle is there and cannot be read (§3.2).
    Lifecycle,
}

impl SessionRecord {
    /// Reads a JSON object.
    pub(super) fn from_json(text: &str) -> Result<Self, Unreadable> {
        let (draft, mended) =
            mending(text, |text| serde_json::from_str::<Draft>(text)).map_err(Unreadable::Json)?;
        Ok(Self { mended, ..draft.finish()? })
    }

    /// Reads lines of `key=value` (formats/ao.md §2.7). A key that comes twice has its last value.
    pub(super) fn from_lines(text: &str) -> Result<Self, Unreadable> {
        let mut draft = Draft::default();
        let mut has_key = false;
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some((key, value)) = line.split_once('=') {
                has_key = true;
                draft.set(key.trim(), value.trim());
            }
        }
        if has_key { draft.finish() } else { Err(Unreadable::NoKey) }
    }
}

impl Draft {
    /// Sets a key from text.
    fn set(&mut self, key: &str, value: &str) {
        match key {
            "lifecycle" => self.lifecycle = Nested::from_text(value),
            "statePayload" => self.state_payload = Nested::from_text(value),
            _ => match self.field(key) {
                Some(field) => *field = Field::Text(value.to_owned()),
                None => self.note_unknown(key),
            },
        }
    }

    /// The field that keeps a key's value.
    fn field(&mut self, key: &str) -> Option<&mut Field> {
        let record = &mut self.record;
        Some(match key {
            "project" => &mut record.project,
            "issue" => &mut record.issue,
            "branch" => &mut record.branch,
            "userPrompt" => &mut record.user_prompt,
            "displayName" => &mut record.display_name,
            "worktree" => &mut record.worktree,
            "agent" => &mut record.agent,
            "role" => &mut record.role,
            "createdAt" => &mut record.created_at,
            "claudeSessionUuid" => &mut record.claude_session_uuid,
            "codexThreadId" => &mut record.codex_thread_id,
            "opencodeSessionId" => &mut record.opencode_session_id,
            "codexModel" => &mut record.codex_model,
            "restoreFallbackReason" => &mut record.restore_fallback_reason,
            "status" => &mut record.status,
            "stateVersion" => &mut self.state_version,
            _ => return None,
        })
    }

    fn note_unknown(&mut self, key: &str) {
        if !is_dropped(key) && !self.record.unknown_keys.iter().any(|known| known == key) {
            self.record.unknown_keys.push(key.to_owned());
        }
    }

    fn finish(self) -> Result<SessionRecord, Unreadable> {
        let state_payload =
            if self.state_version.text() == "2" { self.state_payload } else { Nested::Absent };
        let lifecycle = match (self.lifecycle.usable(), state_payload.usable()) {
            (Nested::Read(lifecycle), _) | (_, Nested::Read(lifecycle)) => Some(lifecycle),
            (Nested::Absent, Nested::Absent) => None,
            (Nested::Unreadable, _) | (_, Nested::Unreadable) => return Err(Unreadable::Lifecycle),
        };
        Ok(SessionRecord { lifecycle, ..self.record })
    }
}

impl Nested<Root> {
    /// The lifecycle in it. One whose session cannot be read says nothing; an unreadable runtime loses one time only.
    fn usable(self) -> Nested<Lifecycle> {
        let Self::Read(root) = self else {
            return if self == Self::Absent { Nested::Absent } else { Nested::Unreadable };
        };
        let session = match root.session {
            Nested::Read(session) => session,
            Nested::Absent => Session::default(),
            Nested::Unreadable => return Nested::Unreadable,
        };
        let runtime = if let Nested::Read(runtime) = root.runtime { runtime } else { Runtime::default() };
        Nested::Read(Lifecycle {
            kind: session.kind,
            state: session.state,
            started_at: session.started_at,
            terminated_at: session.terminated_at,
            last_transition_at: session.last_transition_at,
            runtime_last_observed_at: runtime.last_observed_at,
        })
    }
}

/// Whether formats/ao.md §4 lists the key among those that are dropped without a word.
fn is_dropped(key: &str) -> bool {
    const KEYS: [&str; 18] = [
        "runtimeHandle",
        "tmuxName",
        "issueTitle",
        "displayNameUserSet",
        "pr",
        "prs",
        "prAutoDetect",
        "summary",
        "pinnedSummary",
        "restoredAt",
        "lifecycleEvidence",
        "detectingAttempts",
        "detectingStartedAt",
        "detectingEvidenceHash",
        "agentReport",
        "terminalWsPort",
        "directTerminalWsPort",
        "dashboard",
    ];
    const FAMILIES: [&str; 4] = ["lastEnriched", "agentReported", "reportWatcher", "dashboard"];
    KEYS.contains(&key) || FAMILIES.iter().any(|family| key.starts_with(family))
}

impl<'de> Deserialize<'de> for Draft {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DraftVisitor)
    }
}

struct DraftVisitor;

impl<'de> Visitor<'de> for DraftVisitor {
    type Value = Draft;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Draft, A::Error> {
        let mut draft = Draft::default();
        while let Some(key) = map.next_key::<Key<'_>>()? {
            match &*key.0 {
                "lifecycle" => draft.lifecycle = map.next_value()?,
                "statePayload" => draft.state_payload = map.next_value()?,
                key => {
                    if let Some(field) = draft.field(key) {
                        *field = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                        draft.note_unknown(key);
                    }
                }
            }
        }
        Ok(draft)
    }
}

/// A key, borrowed from the file wherever it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
