//! What a run remembers of what was asked and decided.

use std::path::PathBuf;

use durable_files::PathText;
use serde::{Deserialize, Serialize};
use session_store::Format;
use session_store::transcript::Conversion;

/// What a run remembers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) workspace: PathText,
    /// The folder of the old sessions.
    pub(crate) sessions: PathText,
    /// Whether that is there.
    pub(crate) is_there: bool,
    /// The new store.
    pub(crate) store: PathText,
    pub(crate) format: Format,
    /// How long to wait for a lock on it, in seconds.
    pub(crate) patience: u64,
    /// Where the copies of the old files are, if any were to be made, and how many this run makes.
    pub(crate) backup: Option<(PathText, u64)>,
    /// What must be so of every session once it is there.
    pub(crate) arrivals: Vec<Arrival>,
}

/// What must be so of a session once it is there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Arrival {
    /// The id of its input.
    pub(crate) input: String,
    pub(crate) session: String,
    /// The keys that lead to it.
    pub(crate) keys: Vec<String>,
    pub(crate) transcript: PathText,
    pub(crate) conversion: Conversion,
    /// The copy of its file.
    pub(crate) copy: Option<PathText>,
}

impl Settings {
    /// What must be so of the session that came of this input.
    pub(crate) fn arrival(&self, input: &str) -> Option<&Arrival> {
        let found = self.arrivals.binary_search_by(|arrival| arrival.input.as_str().cmp(input));
        found.ok().map(|at| &self.arrivals[at])
    }
}

impl Arrival {
    /// The session's file, or the copy of one that was removed.
    pub(crate) fn original(&self) -> PathBuf {
        match &self.copy {
            Some(copy) if !self.conversion.source.exists() => copy.to_path_buf(),
            _ => self.conversion.source.to_path_buf(),
        }
    }
}
