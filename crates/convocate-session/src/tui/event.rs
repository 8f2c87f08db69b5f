//! What a model hears of.

use std::time::Duration;

use session_control::Session;

/// What the model hears of.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// A text was pasted: it is no row of commands, and counts only where something is typed.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// Time has passed.
    Tick(Moment),
    /// An order has come to its end.
    Done(u64, Outcome),
    /// An order has come so far.
    Progress(u64, Share),
    /// The terminal is back from a session, which ended like this.
    Back(Result<String, String>),
}

impl Event {
    /// Whether somebody has typed it.
    pub(super) fn is_typed(&self) -> bool {
        matches!(self, Self::Key(_) | Self::Paste(_))
    }
}

/// A key, as far as it means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what stands on a keyboard")]
pub enum Key {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    /// Ctrl-C.
    Interrupt,
    /// Any other: it is a key to continue with.
    Other,
}

/// A moment, as the screen tells it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moment {
    /// How long ago the beginning was.
    pub since: Duration,
    /// The clock on the wall, as `YYYY-MM-DD HH:MM:SS`.
    pub clock: String,
    /// The load of this machine over 1, 5 and 15 minutes, where it can be told.
    pub load: Option<[f64; 3]>,
}

/// How an order came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A host's sessions, and its version where it says one.
    Listed {
        /// The sessions.
        sessions: Vec<Session>,
        /// The version.
        version: Option<String>,
        /// What was wrong beside that: for instance that its engine does not say what runs.
        remarks: Vec<String>,
    },
    /// A session as it stands now, and what went wrong beside it.
    Session {
        /// The session.
        session: Session,
        /// For instance that the name is not in the DNS yet.
        warning: Option<String>,
    },
    /// It was done; these are words to people, if any.
    Done(Option<String>),
    /// It was not done.
    Failed(Failure),
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A short name that does not change: `HostError::code`.
    pub code: String,
    /// For people.
    pub words: String,
}

/// How far something has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// What is done, in whatever counts.
    pub done: u64,
    /// Of how much.
    pub all: u64,
}

impl Share {
    /// In a hundredth of the whole.
    pub fn percent(self) -> u16 {
        let all = u128::from(self.all.max(1));
        u16::try_from((u128::from(self.done) * 100 / all).min(100)).unwrap_or(100)
    }
}
