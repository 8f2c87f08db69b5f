//! Where the daemon keeps worktrees, and how paths are given to a shell (formats/ao.md §8.5).

use camino::{Utf8Path, Utf8PathBuf};
use migration_cli::shell_word;
use session_model::SessionKind;

use super::Settings;

/// The folders in which the daemon runs the sessions of one project, resolved physically.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ManagedPaths {
    workers: Utf8PathBuf,
    orchestrator: Utf8PathBuf,
}

impl ManagedPaths {
    /// `prefix` is the one that the database holds for the project, if any.
    pub(super) fn new(project: &str, prefix: Option<&str>, settings: &Settings<'_>) -> Self {
        let prefix = prefix.map(str::trim).filter(|prefix| !prefix.is_empty() && is_prefix(prefix));
        let prefix = prefix.map_or_else(|| project.chars().take(12).collect(), str::to_owned);
        let folder = settings.worktrees.join(project);
        let orchestrators = (settings.resolve)(&folder.join("orchestrator"));
        Self {
            workers: (settings.resolve)(&folder),
            orchestrator: orchestrators.join(format!("{prefix}-orchestrator")),
        }
    }

    /// Where a session is run. All orchestrators of a project share one path.
    pub(super) fn of(&self, session: &str, kind: SessionKind) -> Utf8PathBuf {
        match kind {
            SessionKind::Worker => self.workers.join(session),
            SessionKind::Orchestrator => self.orchestrator.clone(),
        }
    }
}

/// Whether the daemon makes a folder's name of a session prefix (formats/ao.md §5.1).
pub(super) fn is_prefix(prefix: &str) -> bool {
    !prefix.contains(['/', '\\']) && !prefix.contains("..") && prefix.trim() != "."
}

/// A command to be run in a folder.
pub(super) fn command_in(folder: &Utf8Path, words: &[&str]) -> String {
    let mut command = format!("cd {} &&", shell_word(folder.as_str()));
    for word in words {
        command.push(' ');
        command.push_str(&shell_word(word));
    }
    command
}
