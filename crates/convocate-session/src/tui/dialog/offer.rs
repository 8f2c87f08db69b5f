//! What can be done about a session that was left behind.

use super::{Face, Line, Reply};
use crate::tui::{Key, Target};

/// A session that was left behind is to be migrated first, which can be done from here.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    target: Target,
    name: String,
    /// Why it is offered.
    why: String,
    /// What does the same from a shell.
    command: String,
}

impl Offer {
    /// For the session of this name.
    pub fn new(target: Target, name: impl Into<String>, why: impl Into<String>, command: String) -> Self {
        Self { target, name: name.into(), why: why.into(), command }
    }

    pub(super) fn key(&self, key: Key) -> Reply {
        match key {
            Key::Char('m' | 'M') => Reply::Migrate(self.target.clone(), self.name.clone()),
            Key::Esc | Key::Enter | Key::Char('n' | 'N') => Reply::Close,
            _ => Reply::Stay,
        }
    }

    pub(super) fn face(&self) -> Face {
        let lines = ["", "Migrate it from here, or from a shell:"];
        let lines = [vec![self.why.as_str()], lines.into(), vec![self.command.as_str()]].concat();
        Face {
            title: "Local Orphan".into(),
            lines: lines.into_iter().map(Line::plain).collect(),
            keys: "(M)igrate  Esc=Cancel".into(),
            alarm: false,
        }
    }
}
