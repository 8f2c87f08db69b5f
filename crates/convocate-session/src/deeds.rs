//! The verbs that change something. None of it has an undo: a container that was started has run.

mod attaching;
mod broken;
mod changing;
mod ending;
mod making;
mod unlocking;

use std::ops::ControlFlow;
use std::sync::Arc;

use migration_cli::{Deed, Listing, Question, Refusal};
use migration_engine::Progress;
use session_control::{HostError, Row, Session, SessionError, SessionHost, SessionId, SessionState, Watch};
use session_model::Finding;

pub(crate) use attaching::{attach, start_for};
pub(crate) use changing::{background, change, edit, restart};
pub(crate) use ending::{delete, kill, still_alone};
pub(crate) use making::{copied_live, duplicate, new};
pub(crate) use unlocking::unlock;

use unlocking::Owner;

use crate::hosts::Hosts;
use crate::{refusals, rows};

/// A session that was found, and its host.
struct Found {
    hosts: Hosts,
    row: Row,
    id: SessionId,
    /// What is wrong with its document, of which nothing can be read then.
    broken: Option<String>,
}

impl Found {
    /// One that will be changed.
    fn new(hosts: Hosts, name: &str) -> Result<Self, Refusal> {
        Self::of(hosts.find_to_change(name)?, hosts)
    }

    fn of(row: Row, hosts: Hosts) -> Result<Self, Refusal> {
        let id = row.session.uuid.parse().map_err(|error| refuse(&row, SessionError::NotAnId(error)))?;
        Ok(Self { hosts, row, id, broken: None })
    }

    /// The same, if it is one that containers are run for.
    fn to_work_with(hosts: Hosts, name: &str) -> Result<Self, Refusal> {
        Self::new(hosts, name)?.no_orphan()
    }

    fn no_orphan(self) -> Result<Self, Refusal> {
        if self.row.state == SessionState::Orphan {
            return Err(refuse(&self.row, SessionError::Orphan));
        }
        Ok(self)
    }

    fn host(&self) -> Result<Box<dyn SessionHost>, Refusal> {
        Ok(self.hosts.host_of(&self.row)?.open())
    }

    /// What its host says no to.
    fn said(&self, error: &HostError) -> Refusal {
        refusals::about(&self.row, error)
    }

    fn name(&self) -> String {
        self.row.session.name.clone()
    }

    /// `"billing" (3f0c1d2e-…)`
    fn told(&self) -> String {
        format!("{:?} ({})", self.row.session.name, self.row.session.uuid)
    }

    /// Who has its lock, and lives.
    fn owner(&self) -> Option<Owner> {
        let session = &self.row.session;
        let pid = session.lock_pid.filter(|_| session.locked == Some(true))?;
        let process = rows::owner(&self.row, pid);
        // A lock of more than a day is shown as stale, whoever lives.
        (session.lock_stale == Some(false) || process.is_some()).then_some(Owner { pid, process })
    }

    /// Refuses a session that somebody has locked.
    fn not_locked(&self) -> Result<(), Refusal> {
        let Some(owner) = self.owner() else { return Ok(()) };
        let error = SessionError::Locked { id: self.id.to_string(), owner: owner.process.clone() };
        Err(refuse(&self.row, error))
    }

    /// The row as its host tells it now.
    fn again(&self, host: &mut dyn SessionHost) -> Row {
        host.get(&self.id).map_or_else(|_| self.row.clone(), |session| with(&self.row, session))
    }

    /// A deed about it, that would do this, and does it.
    fn deed(
        self,
        would: &str,
        questions: Vec<Question>,
        act: impl FnOnce(&Self, &mut dyn SessionHost) -> Result<Listing, Refusal> + 'static,
    ) -> Deed {
        let listing = rows::one(
            &self.row,
            vec![format!("would {would} session {}{}", self.told(), rows::on(&self.row))],
        );
        let act = move |progress: &Arc<dyn Progress>| {
            let mut host = self.host()?;
            host.heed(shown_on(progress));
            act(&self, &mut *host)
        };
        Deed { listing, questions, act: Box::new(act) }
    }
}

/// Shows what is copied.
fn shown_on(progress: &Arc<dyn Progress>) -> Watch {
    let (here, before) = (progress.clone(), progress.clone());
    let passed = move |bytes| {
        here.advance(bytes);
        ControlFlow::Continue(())
    };
    Watch::new(passed).told_of(move |bytes| before.begin("copying", bytes, 1))
}

fn refuse(row: &Row, error: SessionError) -> Refusal {
    refusals::about(row, &HostError::Session(error))
}

/// The row with what is said of its session now.
fn with(row: &Row, session: Session) -> Row {
    let state = if row.state == SessionState::Orphan { row.state } else { session.state() };
    Row { session, state, ..row.clone() }
}

/// What was done to a session, in a line, with what else there is to say.
fn done(row: &Row, lines: Vec<String>, findings: Vec<Finding>) -> Listing {
    Listing { findings, ..rows::one(row, lines) }
}
