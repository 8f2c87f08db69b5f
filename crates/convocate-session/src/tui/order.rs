//! What a model wants done.

use session_control::{Holder, SessionId, Wishes};

use crate::Changes;

/// A session on a host: one id may be on two of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The host.
    pub host: String,
    /// The session.
    pub id: SessionId,
}

/// What the model wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A host is asked for something, in the background; the outcome comes back under the same number.
    Ask {
        /// The order's number.
        number: u64,
        /// Whom to ask.
        host: String,
        /// For what.
        ask: Ask,
    },
    /// The terminal is given to a session until it is detached.
    Attach {
        /// The session.
        target: Target,
        /// What it is called.
        name: String,
        /// Whether it was just started, and may take a moment.
        fresh: bool,
    },
    /// The end.
    Quit,
    /// The end, at once: Ctrl-C was pressed.
    Interrupt,
}

/// What a host is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Every session it has.
    Reload,
    /// A new session.
    Create(Wishes),
    /// Other words about a session, in the place of some of those that are said now.
    Edit(SessionId, Changes),
    /// A copy of a session under this name.
    Clone(SessionId, String),
    /// The end of a session, for good.
    Delete {
        /// The session.
        id: SessionId,
        /// Even though somebody is attached to it.
        sure: bool,
    },
    /// Its container stopped.
    Kill(SessionId),
    /// Everybody detached from it.
    Background(SessionId),
    /// Its container started.
    Start(SessionId),
    /// The same for somebody who then attaches: whoever else has started it meanwhile has done it for him.
    Enter(SessionId),
    /// Its container stopped and started anew.
    StopAndStart(SessionId),
    /// Its lock removed.
    Unlock {
        /// The session.
        id: SessionId,
        /// Whom it may be taken from: the owner that was shown.
        holder: Holder,
    },
    /// Who the process is that holds a lock, for people.
    Owner(u32),
    /// An orphan brought to an agent.
    Migrate {
        /// The orphan.
        id: SessionId,
        /// The agent.
        agent: String,
    },
}

impl Ask {
    /// The session that it is about.
    pub fn session(&self) -> Option<&SessionId> {
        match self {
            Self::Reload | Self::Create(_) | Self::Owner(_) => None,
            Self::Edit(id, _)
            | Self::Clone(id, _)
            | Self::Delete { id, .. }
            | Self::Kill(id)
            | Self::Background(id)
            | Self::Start(id)
            | Self::Enter(id)
            | Self::StopAndStart(id)
            | Self::Unlock { id, .. }
            | Self::Migrate { id, .. } => Some(id),
        }
    }

    /// What is going on while it is done.
    pub fn doing(&self) -> &'static str {
        match self {
            Self::Reload => "listing",
            Self::Create(_) => "creating",
            Self::Edit(..) => "saving",
            Self::Clone(..) => "cloning",
            Self::Delete { .. } => "deleting",
            Self::Kill(_) => "stopping",
            Self::Background(_) => "detaching",
            Self::Start(_) | Self::Enter(_) => "starting",
            Self::StopAndStart(_) => "restarting",
            Self::Unlock { .. } => "unlocking",
            Self::Owner(_) => "looking for the owner of",
            Self::Migrate { .. } => "migrating",
        }
    }

    /// Whether it may take as long as there is much to carry: nothing else waits behind it.
    pub fn is_long(&self) -> bool {
        matches!(self, Self::Clone(..) | Self::Migrate { .. })
    }
}
