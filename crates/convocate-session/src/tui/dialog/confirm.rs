//! Somebody is asked whether something should be done.

use super::{Face, Line, Reply};
use crate::tui::{Key, Target};

/// What is done once somebody has agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// The session is removed.
    Delete {
        /// Which.
        target: Target,
        /// Whether it was said that somebody is attached to it.
        sure: bool,
    },
    /// Its container is stopped.
    Kill(Target),
    /// Everybody is detached from it.
    Background(Target),
    /// It is started in the background.
    Restart(Target),
    /// It is started with what was saved, and stopped first if it runs.
    Apply(Target),
    /// Its lock is removed.
    Unlock {
        /// Which.
        target: Target,
        /// Even though this process, which holds it, lives.
        owner: Option<u32>,
    },
    /// It is brought to an agent.
    Migrate {
        /// Which.
        target: Target,
        /// To whom.
        agent: String,
    },
    /// The end, though something is under way.
    Quit,
}

/// A question, to be answered with Y.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirm {
    title: &'static str,
    text: Vec<String>,
    keys: &'static str,
    deed: Deed,
}

impl Confirm {
    /// Whether this should be done.
    pub fn new(title: &'static str, question: impl Into<String>, deed: Deed) -> Self {
        Self { title, text: vec![question.into()], keys: "(Y)es  (N)o", deed }
    }

    /// And one line more.
    #[must_use]
    pub fn and(mut self, line: impl Into<String>) -> Self {
        self.text.push(line.into());
        self
    }

    /// Other words for yes and no.
    #[must_use]
    pub fn keys(mut self, keys: &'static str) -> Self {
        self.keys = keys;
        self
    }

    pub(super) fn key(&self, key: Key) -> Reply {
        match key {
            Key::Char('y' | 'Y') => Reply::Agreed(self.deed.clone()),
            Key::Char('n' | 'N') | Key::Esc => Reply::Close,
            _ => Reply::Stay,
        }
    }

    pub(super) fn face(&self) -> Face {
        Face {
            title: self.title.into(),
            lines: self.text.iter().map(Line::plain).collect(),
            keys: self.keys.into(),
            alarm: false,
        }
    }
}
