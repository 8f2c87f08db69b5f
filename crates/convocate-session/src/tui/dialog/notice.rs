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

    /// That a session, called so, does not run.
    pub fn not_running(name: &str) -> Self {
        Self::alarm("Not Running", format!("Session {name:?} is not running."))
    }

    /// That it runs already.
    pub fn already_running(name: &str) -> Self {
        let notice = Self::alarm("Already Running", format!("Session {name:?} is already running."));
        notice.and("Press Enter on it to connect.")
    }

    /// That nobody is attached to it.
    pub fn not_connected(name: &str) -> Self {
        Self::alarm("Not Connected", format!("Session {name:?} is not connected."))
    }

    /// That it has no lock.
    pub fn not_locked(name: &str) -> Self {
        Self::alarm("Not Locked", format!("Session {name:?} is not locked."))
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
