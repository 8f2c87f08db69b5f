//! Removing a session's lock.

use std::fmt;

use migration_cli::{Deed, Refusal};
use session_control::{Holder, Process, SessionError, SessionId};
use session_model::Finding;

use super::{Found, done, refuse};
use crate::hosts::Hosts;

/// Removes a session's lock.
pub(crate) fn unlock(hosts: Hosts, session: &str, force: bool) -> Result<Deed, Refusal> {
    let found = Found::even_broken(hosts, session)?;
    if found.row.session.locked == Some(false) {
        return Err(refuse(&found.row, SessionError::NotLocked { id: found.id.to_string() }));
    }
    let owner = found.owner();
    let holder = match &owner {
        Some(owner) if !force => return Err(owner.in_use(&found.id)),
        Some(owner) => Holder::Process(owner.pid),
        None if force => found.silent_holder(),
        None => Holder::Nobody,
    };
    let question = question(&found.name(), owner.as_ref(), holder);
    let told = told(owner.as_ref(), holder);
    let questions = found.asked_of_broken("unlock").into_iter().chain([question.into()]).collect();
    Ok(found.deed("override the lock of", questions, move |found, host| {
        host.unlock(&found.id, holder).map_err(|error| found.said(&error))?;
        let line = format!("Removed the lock of session {}", found.told());
        Ok(done(&found.again(host), vec![line], told.into_iter().collect()))
    }))
}

/// Who has a lock.
pub(super) struct Owner {
    pub(super) pid: u32,
    pub(super) process: Option<Process>,
}

impl Owner {
    /// Whose the lock `is`, or `was`.
    fn told(&self, is: &str) -> Option<Finding> {
        let process = self.process.as_ref()?;
        Some(Finding::warning("lock-owner", format!("its lock {is} held by {process}")))
    }

    /// It has the session's lock, and keeps it.
    fn in_use(&self, id: &SessionId) -> Refusal {
        let message = format!("session {:?} is actively in use by process {}", id.as_str(), self.pid);
        let hint = "if that process has nothing to do with it, say the same command with --force";
        Refusal::new("locked", message, hint).findings(self.told("is").into_iter().collect())
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.process {
            Some(process) => process.fmt(f),
            None => write!(f, "process {}", self.pid),
        }
    }
}

impl Found {
    /// Who may have a lock whose owner is not seen to live: on an agent one of more than a day may be the process's that it
    /// names; whose one is that may not be read nobody knows. That of a broken session on an agent is not told of: if its
    /// owner lives, it stays.
    fn silent_holder(&self) -> Holder {
        match (self.row.session.lock_pid, self.row.session.lock_stale) {
            (Some(pid), _) => Holder::Process(pid),
            (None, Some(false)) => Holder::Anybody,
            (None, _) => Holder::Nobody,
        }
    }
}

fn question(name: &str, owner: Option<&Owner>, holder: Holder) -> String {
    let whose = match (owner, holder) {
        (Some(owner), _) => format!(", which is held by {owner}"),
        (None, Holder::Process(pid)) => format!(", left by process {pid}"),
        (None, Holder::Anybody) => ", which may not be read, and may be somebody's".to_owned(),
        (None, Holder::Nobody) => String::new(),
    };
    format!("Override lock for session {name:?}{whose}?")
}

/// Whose the lock was.
fn told(owner: Option<&Owner>, holder: Holder) -> Option<Finding> {
    match owner {
        None if holder == Holder::Anybody => {
            Some(Finding::warning("lock-owner", "its lock may not be read: whose it was nobody can say"))
        }
        owner => owner?.told("was"),
    }
}
