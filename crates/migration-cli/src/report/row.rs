//! One line of a report: an input, or a row of a verb that only looks.

use migration_engine::{Bucket, Phase, RunId, RunSummary, Sums};
use serde::Serialize;
use session_model::{Finding, Timestamp};

/// The reason why an item is superseded that had not been when it was migrated.
pub(crate) const GROWN: &str = "grown-since";

/// The code of what an undo has taken back of an item of which it has kept the rest.
pub(crate) const TAKEN_BACK: &str = "taken-back";

/// One item of the document.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) bucket: Option<Bucket>,
    pub(crate) reason: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) targets: Vec<String>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) resume: Option<String>,
    /// The cells of a list's table.
    #[serde(skip)]
    pub(crate) cells: Vec<String>,
    #[serde(flatten)]
    pub(crate) own: Own,
}

/// The fields that only one verb has.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Own {
    Nothing {},
    Undone { undone: Fate },
    Run(RunFacts),
    Facts(serde_json::Map<String, serde_json::Value>),
}

/// What an undo did about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fate {
    /// It is as it was before the run.
    Restored,
    /// It had changed since and was left alone.
    Kept,
    /// It had changed since; that is set aside, and all is as before the run.
    SetAside,
}

/// A run, as a list shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RunFacts {
    /// Where it stands; `None` if it cannot be read.
    pub(crate) state: Option<RunState>,
    /// The tool that made it.
    pub(crate) made_by: Option<String>,
    /// When it began.
    pub(crate) began: Option<Timestamp>,
    /// What became of its inputs.
    pub(crate) counts: Option<Sums>,
    /// How many bytes it keeps, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
    /// Whether it was removed, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) forgotten: Option<bool>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RunState {
    /// Somebody is at work on it right now.
    Running,
    Interrupted,
    Applied,
    Undoing,
    Undone,
}

impl RunState {
    pub(crate) fn of(run: &RunSummary) -> Self {
        match run.phase() {
            _ if run.is_running() => Self::Running,
            Phase::Interrupted => Self::Interrupted,
            Phase::Applied => Self::Applied,
            Phase::Undoing => Self::Undoing,
            Phase::Undone => Self::Undone,
        }
    }

    pub(crate) fn in_a_word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Applied => "applied",
            Self::Undoing => "undo interrupted",
            Self::Undone => "undone",
        }
    }
}

impl Row {
    /// A row with nothing but its name.
    pub(crate) fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            id: id.into(),
            bucket: None,
            reason: None,
            detail: None,
            source: None,
            targets: Vec::new(),
            findings: Vec::new(),
            resume: None,
            cells: Vec::new(),
            own: Own::Nothing {},
        }
    }

    /// A row for a run.
    pub(crate) fn of_run(id: &RunId, facts: RunFacts) -> Self {
        Self { own: Own::Run(facts), ..Self::new("run", id.as_str()) }
    }

    /// Whether it was found to have grown since its run.
    pub(crate) fn has_grown(&self) -> bool {
        self.reason.as_deref() == Some(GROWN)
    }

    /// Whether an undo has kept only some of it.
    pub(crate) fn is_taken_back_in_part(&self) -> bool {
        self.findings.iter().any(|finding| finding.code == TAKEN_BACK)
    }

    /// Whether the row is one that its reader must not miss.
    pub(crate) fn is_trouble(&self) -> bool {
        self.bucket.is_some_and(Bucket::is_trouble)
            || self.has_grown()
            || matches!(self.own, Own::Undone { undone: Fate::Kept | Fate::SetAside })
    }
}
