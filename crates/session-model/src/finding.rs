//! What there is to say about an item beside its bucket.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a [`Finding`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing, nothing to do.
    Note,
    /// Something was lost, changed or is likely to surprise.
    Warning,
    /// A promise is not kept: a verdict with one of these has failed.
    Error,
}

/// One observation about an item or a run. It never moves an item from one bucket to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// A stable, kebab-case name that programs may match on.
    pub code: String,
    /// One sentence for people: ids, paths, lines and columns only, never content of a session.
    pub message: String,
}

impl Finding {
    /// A finding at [`Level::Note`].
    pub fn note(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: Level::Note, code: code.into(), message: message.into() }
    }

    /// A finding at [`Level::Warning`].
    pub fn warning(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, code: code.into(), message: message.into() }
    }

    /// A finding at [`Level::Error`].
    pub fn error(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: Level::Error, code: code.into(), message: message.into() }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.level, self.message, self.code)
    }
}
