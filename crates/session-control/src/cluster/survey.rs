//! What all hosts say, asked side by side.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use session_model::Finding;

use super::{Cluster, LOCAL, Member, Place};
use crate::{HostError, RegistryError, Session, SessionState};

/// How long all of it may take: as long as a connection and an answer may, and a little more.
const WITHIN: Duration = Duration::from_secs(25);

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The sessions, each once, the one that was worked with last first.
    pub rows: Vec<Row>,
    /// Hosts that have not said what they have.
    pub unreachable: Vec<Unreachable>,
    /// What else hosts had to say, such as of sessions that cannot be read.
    pub findings: Vec<Finding>,
}

/// A session, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The host that has it.
    pub member: String,
    /// What kind of a host that is.
    pub place: Place,
    /// Where that is, for people.
    pub address: String,
    /// The session.
    pub session: Session,
    /// How it stands.
    pub state: SessionState,
    /// Further hosts that have a session of this id. Which of them is meant has to be said before one is removed.
    pub also: Vec<String>,
}

/// A host that has not said what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// Its id.
    pub member: String,
    /// What kind of a host it is.
    pub place: Place,
    /// Where it is, for people.
    pub address: String,
    /// Why.
    pub reason: String,
    /// A short name of that, for programs.
    pub code: &'static str,
}

impl Unreachable {
    /// One that is registered, and nobody knows how it is reached.
    pub(super) fn of_registry(error: &RegistryError) -> Self {
        let member = error.agent().unwrap_or_default();
        let (place, address) = (Place::Agent, String::new());
        Self { member, place, address, reason: error.to_string(), code: "agent" }
    }

    fn of(member: &Member, error: &HostError) -> Self {
        Self {
            member: member.id.clone(),
            place: member.place,
            address: member.address.clone(),
            reason: error.to_string(),
            code: error.code(),
        }
    }

    fn late(member: &Member) -> Self {
        let reason = format!("has not answered within {} seconds", WITHIN.as_secs());
        let Member { id, place, address, .. } = member.clone();
        Self { member: id, place, address, reason, code: "agent-unreachable" }
    }
}

impl Cluster {
    /// Asks every host for its sessions, all at the same time. Whoever does not answer holds up nobody.
    pub fn survey(&self) -> Survey {
        let (sender, answers) = mpsc::channel();
        for (index, member) in self.members.iter().cloned().enumerate() {
            let sender = sender.clone();
            // One that never comes back is left to itself.
            thread::spawn(move || sender.send((index, member.list())));
        }
        drop(sender);
        let until = Instant::now() + WITHIN;
        let mut said: Vec<_> = self.members.iter().map(|_| None).collect();
        while let Ok((index, answer)) = answers.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            said[index] = Some(answer);
        }
        let mut survey = Survey { unreachable: self.broken.clone(), ..Survey::default() };
        for (member, answer) in self.members.iter().zip(said) {
            match answer {
                Some(Ok((rows, findings))) => {
                    survey.rows.extend(rows);
                    survey.findings.extend(findings);
                }
                Some(Err(error)) => survey.unreachable.push(Unreachable::of(member, &error)),
                None => survey.unreachable.push(Unreachable::late(member)),
            }
        }
        survey.rows = merged(survey.rows);
        survey
    }
}

impl Member {
    /// Its sessions, and what else it has to say of them.
    pub fn list(&self) -> Result<(Vec<Row>, Vec<Finding>), HostError> {
        let mut host = self.open();
        let rows = host.list()?.into_iter().map(|session| Row::of(self, session)).collect();
        let said = host.findings().into_iter();
        let of_agent = |finding: Finding| match self.place {
            Place::Agent => Finding { message: format!("agent {}: {}", self.id, finding.message), ..finding },
            Place::Here | Place::Orphans => finding,
        };
        Ok((rows, said.map(of_agent).collect()))
    }
}

impl Row {
    /// A session as this host tells of it.
    pub fn of(member: &Member, session: Session) -> Self {
        let state = if member.place == Place::Orphans { SessionState::Orphan } else { session.state() };
        let (place, address) = (member.place, member.address.clone());
        Self { member: member.id.clone(), place, address, session, state, also: Vec::new() }
    }

    /// Whether the session is a folder of this machine, and its container a process of it.
    pub fn is_on_this_machine(&self) -> bool {
        self.address == LOCAL
    }
}

impl Survey {
    /// A survey of answers that the caller has gathered: each id once, in the order of [`Cluster::survey`].
    pub fn of(rows: Vec<Row>, unreachable: Vec<Unreachable>) -> Self {
        Self { rows: merged(rows), unreachable, findings: Vec::new() }
    }
}

/// Each id once, an agent's session before what was left behind here; in the order in which they were worked with.
fn merged(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_cached_key(|row| {
        (row.place == Place::Orphans, std::cmp::Reverse(row.session.worked_with()), row.session.uuid.clone())
    });
    let mut at: HashMap<String, usize> = HashMap::new();
    let mut once: Vec<Row> = Vec::new();
    for row in rows {
        if let Some(&first) = at.get(&row.session.uuid) {
            once[first].also.push(row.member);
        } else {
            at.insert(row.session.uuid.clone(), once.len());
            once.push(row);
        }
    }
    once.sort_by_cached_key(|row| (std::cmp::Reverse(row.session.worked_with()), row.session.uuid.clone()));
    once
}
