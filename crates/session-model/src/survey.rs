//! The outcome of reading: what was found, and what was wrong with it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The name of one thing found at the source that a receipt must account for.
///
/// `kind` groups inputs into the sums of the report ("session", "transcript", "project"); `id` is unique within its
/// kind, and usually the path of the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InputId {
    /// The kind of input, singular and in lower case.
    pub kind: String,
    /// What tells it from the others of its kind.
    pub id: String,
}

impl InputId {
    /// Names an input.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }
}

impl fmt::Display for InputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// What a reader found: the values, every input that must be accounted for, and what was wrong.
///
/// A store that is not there is an empty survey with an anomaly that says so; only a path that the user *named* and
/// that is missing is an error of the reader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey<T> {
    /// What could be read.
    pub found: T,
    /// Every input, readable or not, each once.
    pub inputs: Vec<InputId>,
    /// What was wrong, in the order of reading.
    pub anomalies: Vec<Anomaly>,
}

/// Where in the world something was found: a file, and a position in it where one is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file or folder.
    pub file: PathBuf,
    /// The line, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column in characters, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
}

impl Place {
    /// A place that is a whole file.
    pub fn new(file: impl AsRef<Path>) -> Self {
        Self { file: file.as_ref().to_path_buf(), line: None, column: None }
    }

    /// The same file at a line (from 1; 0 means "unknown" and is dropped).
    #[must_use]
    pub fn line(mut self, line: u64) -> Self {
        self.line = (line > 0).then_some(line);
        self
    }

    /// The same line at a column (from 1; 0 means "unknown" and is dropped).
    #[must_use]
    pub fn column(mut self, column: u64) -> Self {
        self.column = (column > 0).then_some(column);
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, ":{line}:{column}"),
            (Some(line), None) => write!(f, ":{line}"),
            _ => Ok(()),
        }
    }
}

/// Something that is not as it should be at the source: reported, never fatal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomaly {
    /// A stable, kebab-case name that programs may match on; the reason of the bucket where it decides one.
    pub code: String,
    /// What is wrong, without any content of the file.
    pub message: String,
    /// Where it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl Anomaly {
    /// An anomaly that is not (yet) tied to a place.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), place: None }
    }

    /// The same anomaly at a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
