//! What is asked and told over the list: each dialog takes keys and has a face, and does nothing by itself.

mod confirm;
mod form;
mod help;
mod notice;
mod offer;
mod select;
mod settings;
mod unlock;

pub use confirm::{Confirm, Deed};
pub use form::{Draft, Form};
pub use notice::Notice;
pub use offer::Offer;
pub use select::{Choice, Select, Wanted};
pub use unlock::Unlock;

use super::{Key, Model, Target};

/// A dialog.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each is documented where it is made")]
pub enum Dialog {
    Notice(Notice),
    Confirm(Confirm),
    Form(Form),
    Select(Select),
    Unlock(Unlock),
    Offer(Offer),
    /// Version, build and hosts.
    Settings,
    /// Every key.
    Help,
}

/// What a key came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The dialog stays.
    Stay,
    /// It goes, and nothing happens.
    Close,
    /// Somebody has agreed.
    Agreed(Deed),
    /// A form is filled in.
    Filled(Draft),
    /// A host was chosen for this.
    Chosen(String, Wanted),
    /// An orphan is to be migrated from here.
    Migrate(Target, String),
}

/// How a dialog looks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Face {
    /// Above it.
    pub title: String,
    /// In it.
    pub lines: Vec<Line>,
    /// The keys, beneath.
    pub keys: String,
    /// Whether it tells of something that cannot be done.
    pub alarm: bool,
}

/// A line of a dialog.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// What stands there. It is shown escaped.
    pub text: String,
    /// How.
    pub tone: Tone,
    /// What stands before the cursor, if the cursor is here.
    pub cursor: Option<String>,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As the others.
    #[default]
    Plain,
    /// The one that counts now.
    Chosen,
    /// One that does not count.
    Faint,
    /// What is wrong.
    Wrong,
}

impl Line {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone, cursor: None }
    }
}

impl Dialog {
    pub(super) fn key(&mut self, key: Key) -> Reply {
        match self {
            Self::Confirm(it) => it.key(key),
            Self::Form(it) => it.key(key),
            Self::Select(it) => it.key(key),
            Self::Unlock(it) => it.key(key),
            Self::Offer(it) => it.key(key),
            Self::Notice(_) | Self::Settings | Self::Help => Reply::Close,
        }
    }

    /// How it looks.
    pub fn face(&self, model: &Model) -> Face {
        match self {
            Self::Notice(it) => it.face(),
            Self::Confirm(it) => it.face(),
            Self::Form(it) => it.face(),
            Self::Select(it) => it.face(),
            Self::Unlock(it) => it.face(),
            Self::Offer(it) => it.face(),
            Self::Settings => settings::face(model),
            Self::Help => help::face(),
        }
    }
}

macro_rules! dialogs {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Dialog {
            fn from(it: $kind) -> Self {
                Self::$kind(it)
            }
        })*
    };
}

dialogs!(Notice, Confirm, Form, Select, Unlock, Offer);
