//! Two readers, two spellings: no store satisfies both.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The name of the file that says which sessions there are.
pub const STORE: &str = "sessions.json";

/// For whom a store is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The Python project: `snake_case`, in the workspace's `.sessions`.
    Python,
    /// OpenClaw itself: `camelCase`, in a folder of each agent.
    OpenClaw,
}

impl Format {
    /// The folder of a store and its transcripts. The agent id must have been checked: it becomes a folder's name.
    pub fn folder(self, workspace: &Path, agent: &str) -> PathBuf {
        match self {
            Self::Python => workspace.join(".sessions"),
            Self::OpenClaw => workspace.join("agents").join(agent).join("sessions"),
        }
    }

    /// How this format spells a member that is known by its `snake_case` name.
    pub fn spelled(self, snake: &str) -> Cow<'_, str> {
        match self {
            Self::Python => snake.into(),
            Self::OpenClaw => camel_case(snake).into(),
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Python => Self::OpenClaw,
            Self::OpenClaw => Self::Python,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Python => "python",
            Self::OpenClaw => "openclaw",
        })
    }
}

fn camel_case(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_spelled_as_its_reader_spells_it() {
        for (snake, camel) in [
            ("session_id", "sessionId"),
            ("label", "label"),
            ("auth_profile_override_compaction_count", "authProfileOverrideCompactionCount"),
            ("claude_cli_session_id", "claudeCliSessionId"),
        ] {
            assert_eq!(Format::OpenClaw.spelled(snake), camel);
            assert_eq!(Format::Python.spelled(snake), snake);
        }
    }
}
