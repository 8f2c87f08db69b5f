//! What a reading asks for, and what it yields.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use camino::Utf8PathBuf;
use session_model::{Anomaly, InputId, Timestamp};

use super::project::{Defaults, Project};
use super::record::SessionRecord;

/// Where to look. Environment and flags are the caller's business (formats/ao.md §2.1, §10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The state root, by default `~/.agent-orchestrator`.
    pub state_root: Source,
    /// The global config file, chosen by the caller as formats/ao.md §2.1 says.
    pub config: Source,
    /// The home directory, for a `~` in a project's path.
    pub home: Utf8PathBuf,
}

/// A path to read, and whether the user named it: a named path that is missing is an error, a default one is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path, absolute.
    pub path: Utf8PathBuf,
    /// Whether it came from a flag or a variable, not from a default.
    pub named: bool,
}

/// Why a reading could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A path that the user named is not there.
    #[error("reading {what} {path}: expected it to exist, found nothing there")]
    NamedMissing {
        /// "the legacy root" or "the legacy config".
        what: &'static str,
        /// The path.
        path: Utf8PathBuf,
    },
    /// A path that the user named is there but cannot be read.
    #[error("reading {what} {path}: expected {expected}, found one that cannot be read as such")]
    NamedUnreadable {
        /// "the legacy root" or "the legacy config".
        what: &'static str,
        /// The path.
        path: Utf8PathBuf,
        /// "a readable folder" or "a readable file".
        expected: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Everything the old orchestrator left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Legacy {
    /// The registry file.
    pub config: Config,
    /// Global defaults of `config.yaml`.
    pub defaults: Defaults,
    /// The registry's entries, in the order of the file, readable or not.
    pub projects: Vec<Project>,
    /// Every file in a place of sessions, in the order of formats/ao.md §2.9.
    pub sessions: Vec<SessionFile>,
    /// Folders that may hold more but are not read: `.migrated`, observability, worktrees, reports, reviews.
    pub not_entered: Vec<PathBuf>,
}

/// What became of the registry file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Config {
    /// There is none.
    #[default]
    Missing,
    /// It was read; single entries may still be quarantined.
    Read {
        /// The file.
        path: PathBuf,
        /// Its modification time, the last resort for `registered_at`.
        mtime: Timestamp,
    },
    /// It could not be read as a whole, so no project is known. It counts as one input of kind "project".
    Unreadable {
        /// That input: kind "project", id = the file's path.
        input: InputId,
        /// What is wrong, and on which line.
        why: Anomaly,
    },
}

/// One file (or what stands in its place) where sessions are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFile {
    /// Kind "session", id = the file's path.
    pub input: InputId,
    /// The file.
    pub path: PathBuf,
    /// Whose session it is.
    pub owner: Owner,
    /// The session id: the file's name without `.json`. `{prefix}-orchestrator` for a stand-alone record (§2.6).
    /// Only a [`Content::Record`] is sure to have a well-formed one.
    pub id: String,
    /// Which of the layouts it lies in.
    pub layout: Layout,
    /// Its modification time, the last resort for `created_at`.
    pub mtime: Timestamp,
    /// What it holds.
    pub content: Content,
}

/// Which project a session file belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// The project with this id, which is in the registry.
    Project(Arc<str>),
    /// No project of the registry: the id that its folder or its `project` key gives, or the folder's name.
    Unknown(Arc<str>),
    /// A bare-hash folder that several projects claim, and no `project` key that decides (§2.8); or a folder of all
    /// projects.
    Ambiguous(Arc<[Arc<str>]>),
}

/// The layouts in which the old orchestrator kept its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `projects/{id}/sessions/{session}.json` (§2.6).
    V2,
    /// `{12 hex}-{id}/sessions/{session}` (§2.7).
    V1,
    /// `{12 hex}/sessions/{session}` (§2.8).
    BareHash,
    /// `projects/{id}/orchestrator.json` (§2.6).
    Standalone,
}

/// What a session file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A record that could be read.
    Record(Box<SessionRecord>),
    /// Nothing that could be a live session.
    Skipped(Skip),
    /// Something that should be a record and cannot be read: code `parse-error`, `bad-lifecycle` or `unreadable`.
    Quarantined(Anomaly),
    /// A folder that cannot be listed, and may hold any number of sessions: code `unreadable`.
    Unlisted(Anomaly),
}

/// Why a file is not taken for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Skip {
    /// Empty or blank: an id that was reserved and never used.
    ReservedEmpty,
    /// A corrupt file that the old orchestrator had moved aside.
    CorruptSibling,
    /// A lock, a dot file or the temporary of an atomic write.
    SideFile,
    /// In an `archive` folder.
    Archived,
    /// Its name cannot be a session's.
    NotASessionName,
    /// A symlink, a folder or a device.
    NotARegularFile,
}

impl Skip {
    /// The reason as reports spell it (formats/ao.md §2.9).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReservedEmpty => "reserved-empty",
            Self::CorruptSibling => "corrupt-sibling",
            Self::SideFile => "side-file",
            Self::Archived => "archived",
            Self::NotASessionName => "not-a-session-name",
            Self::NotARegularFile => "not-a-regular-file",
        }
    }
}

impl Legacy {
    /// The project with this id.
    pub fn project(&self, id: &str) -> Option<&Project> {
        self.projects.iter().find(|project| &*project.id == id)
    }
}

impl SessionFile {
    /// The record, if it could be read.
    pub fn record(&self) -> Option<&SessionRecord> {
        match &self.content {
            Content::Record(record) => Some(record),
            Content::Skipped(_) | Content::Quarantined(_) | Content::Unlisted(_) => None,
        }
    }
}

impl Source {
    /// A path that the user named.
    pub fn named(path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path.into(), named: true }
    }

    /// A path that is only the default.
    pub fn by_default(path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path.into(), named: false }
    }
}
