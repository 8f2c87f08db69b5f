//! Whether and how a session can be resumed (formats/ao.md §8.3, §8.4, §10).

use std::fmt;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use session_model::Harness;

use super::paths;
use super::rows::SessionRow;

/// Why the daemon cannot resume a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hindrance {
    /// Its row is the default one, which the daemon takes for a live session.
    ListedAsLive,
    /// It would run in the worktree of another orchestrator of its project: the one with this id.
    SharesWorktree(String),
    /// It has no branch.
    NoBranch,
    /// It has no agent that the daemon knows.
    NoAgent,
    /// It has no id by which its agent could resume it.
    NoAgentSessionId,
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ListedAsLive => f.write_str("it is written as live, see --restorable"),
            Self::SharesWorktree(first) => {
                write!(f, "it shares the managed worktree of the orchestrator {first}, which comes first")
            }
            Self::NoBranch => f.write_str("it has no branch"),
            Self::NoAgent => f.write_str("it has no agent that the daemon knows"),
            Self::NoAgentSessionId => f.write_str("it has no id by which its agent could resume it"),
        }
    }
}

/// What in a row keeps the daemon from resuming it.
pub(super) fn hindrances(row: &SessionRow, shares_with: Option<&str>) -> Vec<Hindrance> {
    let shares = shares_with.map(|first| Hindrance::SharesWorktree(first.to_owned()));
    let of_row = [
        (!row.is_terminated, Hindrance::ListedAsLive),
        (row.branch.is_empty(), Hindrance::NoBranch),
        (row.harness.is_none(), Hindrance::NoAgent),
        (row.agent_session_id.is_empty(), Hindrance::NoAgentSessionId),
    ];
    let of_row = of_row.into_iter().filter(|(holds, _)| *holds).map(|(_, hindrance)| hindrance);
    shares.into_iter().chain(of_row).collect()
}

/// The command that resumes a session by hand. There is none for an id that a program would take for an option or for
/// a path, or that a terminal would not show as it is.
pub(super) fn command(row: &SessionRow, managed_path: &Utf8Path) -> Option<String> {
    let id = row.agent_session_id.as_str();
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\');
    if id.is_empty() || id.starts_with('-') || id.contains(is_odd) {
        return None;
    }
    let words = match row.harness? {
        Harness::ClaudeCode => ["claude", "--resume", id],
        Harness::Codex => ["codex", "resume", id],
        Harness::OpenCode => ["opencode", "--session", id],
        _ => return None,
    };
    Some(paths::command_in(managed_path, &words))
}
