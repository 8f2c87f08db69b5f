//! Something is told.

use super::{Face, Line};

/// Something is told, and any key goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    title: String,
    text: Vec<String>,
    alarm: bool,
}

impl Notice {
    /// That something has happened.
    pub fn new(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { title: title.into(), text: vec![text.into()], alarm: false }
    }

    /// That something cannot be done.
    pub fn alarm(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { alarm: true, ..Self::new(title, text) }
    }

    /// And one line more.
    #[must_use]
    pub fn and(mut self, line: impl Into<String>) -> Self {
        self.text.push(line.into());
        self
    }

    pub(super) fn face(&self) -> Face {
        Face {
            title: self.title.clone(),
            lines: self.text.iter().map(Line::plain).collect(),
            keys: "Press any key to continue".into(),
            alarm: self.alarm,
        }
    }
}
