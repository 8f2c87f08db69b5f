//! One line of a report: an input, or a row of a verb that only looks.

use migration_engine::{Bucket, Phase, RunId, Sums};
use serde::Serialize;
use session_model::{Finding, Timestamp};

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
    pub(crate) state: Option<Phase>,
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
            own: Own::Nothing {},
        }
    }

    /// A row for a run.
    pub(crate) fn of_run(id: &RunId, facts: RunFacts) -> Self {
        Self { own: Own::Run(facts), ..Self::new("run", id.as_str()) }
    }

    /// Whether the row is one that its reader must not miss.
    pub(crate) fn is_trouble(&self) -> bool {
        self.bucket.is_some_and(Bucket::is_trouble)
            || matches!(self.own, Own::Undone { undone: Fate::Kept | Fate::SetAside })
    }
}
