//! What an entry of a store may say, and of which type.

use std::fmt;

use crate::Format;

/// A member of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its `snake_case` name; [`Format::spelled`] gives the other.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What a [`Field`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count,
    /// Text or a whole number.
    TextOrCount,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// One of these texts for OpenClaw, any for the Python project.
    Mode(&'static [&'static str]),
    /// An object.
    Object,
}

/// What identifies a session in its entry: the application's affair, never copied from metadata.
const IDENTITY: [&str; 3] = ["session_id", "updated_at", "session_file"];

/// All that is known, in the order in which a new entry says it.
pub const FIELDS: &[Field] = {
    use Kind::{Count, Flag, Mode, Object, OneOf, Text, TextOrCount};
    const QUEUE_MODES: &[&str] =
        &["steer", "followup", "collect", "steer-backlog", "steer+backlog", "queue", "interrupt"];
    const fn field(name: &'static str, kind: Kind) -> Field {
        Field { name, kind }
    }
    &[
        field("session_id", Text),
        field("updated_at", Count),
        field("session_file", Text),
        field("label", Text),
        field("display_name", Text),
        field("spawned_by", Text),
        field("system_sent", Flag),
        field("aborted_last_run", Flag),
        field("chat_type", Text),
        field("channel", Text),
        field("group_id", Text),
        field("subject", Text),
        field("group_channel", Text),
        field("space", Text),
        field("thinking_level", Text),
        field("verbose_level", Text),
        field("reasoning_level", Text),
        field("elevated_level", Text),
        field("tts_auto", Text),
        field("provider_override", Text),
        field("model_override", Text),
        field("auth_profile_override", Text),
        field("auth_profile_override_source", OneOf(&["auto", "user"])),
        field("auth_profile_override_compaction_count", Count),
        field("exec_host", Text),
        field("exec_security", Text),
        field("exec_ask", Text),
        field("exec_node", Text),
        field("response_usage", OneOf(&["on", "off", "tokens", "full"])),
        field("send_policy", OneOf(&["allow", "deny"])),
        field("group_activation", OneOf(&["mention", "always"])),
        field("group_activation_needs_system_intro", Flag),
        field("queue_mode", Mode(QUEUE_MODES)),
        field("queue_debounce_ms", Count),
        field("queue_cap", Count),
        field("queue_drop", OneOf(&["old", "new", "summarize"])),
        field("input_tokens", Count),
        field("output_tokens", Count),
        field("total_tokens", Count),
        field("context_tokens", Count),
        field("model_provider", Text),
        field("model", Text),
        field("compaction_count", Count),
        field("memory_flush_at", Count),
        field("memory_flush_compaction_count", Count),
        field("last_channel", Text),
        field("last_to", Text),
        field("last_account_id", Text),
        field("last_thread_id", TextOrCount),
        field("last_heartbeat_text", Text),
        field("last_heartbeat_sent_at", Count),
        field("claude_cli_session_id", Text),
        field("cli_session_ids", Object),
        field("origin", Object),
        field("delivery_context", Object),
        field("skills_snapshot", Object),
        field("system_prompt_report", Object),
    ]
};

impl Field {
    /// The field of this `snake_case` name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }

    /// Whether every entry must have it.
    pub fn is_required(&self) -> bool {
        matches!(self.name, "session_id" | "updated_at")
    }

    /// Whether a migration may copy it from a session's metadata: what is simple, and not the session's identity.
    pub fn may_be_copied(&self) -> bool {
        self.kind != Kind::Object && !IDENTITY.contains(&self.name)
    }

    /// Whether the readers of this format take a value, given as JSON, for the field.
    ///
    /// Half of a surrogate pair is no text to the reader in Python.
    pub fn takes(&self, format: Format, value: &str) -> bool {
        let text = || serde_json::from_str::<String>(value).ok();
        let is_count = || value.parse::<i64>().is_ok() && value != "-0" && !value.starts_with('+');
        match self.kind {
            Kind::Text => text().is_some(),
            Kind::Flag => matches!(value, "true" | "false"),
            Kind::Count => is_count(),
            Kind::TextOrCount => is_count() || text().is_some(),
            Kind::Mode(_) if format == Format::Python => text().is_some(),
            Kind::OneOf(allowed) | Kind::Mode(allowed) => {
                text().is_some_and(|text| allowed.contains(&text.as_str()))
            }
            Kind::Object => value.starts_with('{') && jsonl_stitch::json::is_json(value.as_bytes()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => out.write_str("text"),
            Self::Flag => out.write_str("true or false"),
            Self::Count => out.write_str("a whole number"),
            Self::TextOrCount => out.write_str("text or a whole number"),
            Self::OneOf(allowed) | Self::Mode(allowed) => write!(out, "one of {}", allowed.join(", ")),
            Self::Object => out.write_str("an object"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_entry_gets_a_value_over_which_a_reader_loses_the_whole_store() {
        for (name, good, bad) in [
            ("label", "\"garden\"", "7"),
            ("label", "\"\\u00e9\"", "\"\\ud83d\""),
            ("system_sent", "false", "0"),
            ("queue_cap", "-12", "1.0"),
            ("queue_cap", "0", "123456789012345678901234567890"),
            ("last_thread_id", "12", "[]"),
            ("last_thread_id", "\"t\"", "null"),
            ("send_policy", "\"deny\"", "\"maybe\""),
            ("send_policy", "\"\\u0064eny\"", "\"Deny\""),
            ("origin", "{\"to\":\"x\"}", "\"x\""),
        ] {
            let field = Field::named(name).unwrap();
            for format in [Format::Python, Format::OpenClaw] {
                assert!(field.takes(format, good), "{name} {good}");
                assert!(!field.takes(format, bad), "{name} {bad}");
            }
        }
        let mode = Field::named("queue_mode").unwrap();
        assert!(mode.takes(Format::Python, "\"mine\"") && !mode.takes(Format::OpenClaw, "\"mine\""));
        assert!(mode.takes(Format::OpenClaw, "\"steer+backlog\""));
    }

    #[test]
    fn each_field_is_there_once_and_identity_is_never_copied() {
        let mut names: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FIELDS.len());
        let kept: Vec<&str> =
            FIELDS.iter().filter(|field| !field.may_be_copied()).map(|field| field.name).collect();
        let objects =
            ["cli_session_ids", "origin", "delivery_context", "skills_snapshot", "system_prompt_report"];
        assert_eq!(kept, [&IDENTITY[..], &objects].concat());
    }
}
