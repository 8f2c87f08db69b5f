//! The names of runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use session_model::Timestamp;

/// The name of a run: `20260131-174501-3f9a`, in UTC, so that names sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// A name for a run that begins now; `salt` tells runs of the same second apart.
    pub fn new(now: Timestamp, salt: u16) -> Self {
        Self(format!("{}-{salt:04x}", now.strftime("%Y%m%d-%H%M%S")))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is not the name of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a run id like 20260131-174501-3f9a, found {0:?}")]
pub struct NotARunId(String);

impl FromStr for RunId {
    type Err = NotARunId;

    fn from_str(text: &str) -> Result<Self, NotARunId> {
        let shape = b"dddddddd-dddddd-xxxx";
        let fits = text.len() == shape.len()
            && shape.iter().zip(text.bytes()).all(|(want, have)| match want {
                b'd' => have.is_ascii_digit(),
                b'x' => matches!(have, b'0'..=b'9' | b'a'..=b'f'),
                other => *other == have,
            });
        if fits { Ok(Self(text.to_owned())) } else { Err(NotARunId(text.to_owned())) }
    }
}

impl TryFrom<String> for RunId {
    type Error = NotARunId;

    fn try_from(text: String) -> Result<Self, NotARunId> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}
