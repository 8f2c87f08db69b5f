//! What becomes of every project and session: rows, buckets and findings (formats/ao.md §5, §6).
//!
//! [`map`] is a pure function of what was read, of what the database holds and of the settings. It opens nothing: the
//! one question that only a file system can answer, where a path physically leads, is an argument.

mod candidates;
mod config;
mod existing;
mod num;
mod paths;
mod project;
mod report;
mod resume;
mod rows;
mod session;
mod sessions;
mod times;

use std::collections::BTreeSet;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use legacy_readers::ao::Legacy;
use migration_engine::Outcome;
use serde::{Deserialize, Serialize};
use session_model::{Finding, InputId, Survey};

pub use existing::Existing;
pub use resume::Hindrance;
pub use rows::{ProjectKind, ProjectRow, SessionRow, WorktreeRow};

/// What the user and the target decide.
pub struct Settings<'a> {
    /// The schema version of the target.
    pub schema: u32,
    /// Whether rows are written that the daemon can resume (formats/ao.md §8.4).
    pub restorable: bool,
    /// The ids of the projects to migrate; `None` is all of them.
    pub selected: Option<BTreeSet<String>>,
    /// The daemon's `{data dir}/worktrees`, absolute.
    pub worktrees: Utf8PathBuf,
    /// Where a path physically leads: symlinks resolved on its longest existing ancestor, the rest appended
    /// (formats/ao.md §8.5). Asked at most twice a project.
    pub resolve: &'a dyn Fn(&Utf8Path) -> Utf8PathBuf,
}

/// What becomes of every input, each exactly once, in the order of the survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The registry's entries, or the registry itself when it could not be read.
    pub projects: Vec<MappedProject>,
    /// The session files.
    pub sessions: Vec<MappedSession>,
    /// What there is to say about no input in particular.
    pub findings: Vec<Finding>,
}

/// What becomes of one entry of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedProject {
    /// The input.
    pub input: InputId,
    /// The project's id; of an unreadable registry its path.
    pub id: String,
    /// The bucket.
    pub outcome: Outcome,
    /// What there is to say about it.
    pub findings: Vec<Finding>,
    /// Its row, in the buckets migrated and already-present.
    pub row: Option<ProjectRow>,
}

/// What becomes of one session file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedSession {
    /// The input.
    pub input: InputId,
    /// The session's id, as its file's name gives it.
    pub id: String,
    /// The id of the project that owns it, if that is known.
    pub project: Option<String>,
    /// The bucket.
    pub outcome: Outcome,
    /// What there is to say about it.
    pub findings: Vec<Finding>,
    /// What it becomes, in the buckets migrated and already-present.
    pub arrival: Option<Box<Arrival>>,
}

/// A session as it stands in its new home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Its row.
    pub row: SessionRow,
    /// The row that names its worktree, if it is written as restorable.
    pub worktree_row: Option<WorktreeRow>,
    /// Where the old orchestrator ran it; "" when that is unknown.
    pub legacy_worktree: String,
    /// Where the daemon will run it, resolved physically (formats/ao.md §8.5).
    pub managed_path: Utf8PathBuf,
    /// The command that resumes it by hand, where its agent can.
    pub resume: Option<String>,
    /// Why the daemon cannot resume it, as far as its record tells; empty when it can.
    pub hindrances: Vec<Hindrance>,
}

/// Maps everything that was read.
pub fn map(survey: &Survey<Legacy>, existing: &Existing, settings: &Settings<'_>) -> Mapped {
    let considered = project::consider_all(&survey.found, existing, settings);
    let sessions = sessions::map_all(&survey.found, &considered, existing, settings);
    let projects = considered.into_iter().map(|considered| considered.mapped).collect();
    Mapped { projects, sessions, findings: report::findings(survey) }
}

impl fmt::Debug for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("schema", &self.schema)
            .field("restorable", &self.restorable)
            .field("selected", &self.selected)
            .field("worktrees", &self.worktrees)
            .finish_non_exhaustive()
    }
}
