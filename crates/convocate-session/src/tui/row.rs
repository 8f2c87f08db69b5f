//! The hosts, and what stands in the list.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use session_control::{Place, Session, SessionId, SessionState};

use super::Target;

/// By what a row is known again: its host, and its id there.
pub(super) type Key = (String, String);

/// How an unreachable agent's row begins to be named: no session is called so.
const UNREACHABLE: &str = "agent-unreachable:";

/// A host of sessions, as the screen knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// An agent's id, or `local`.
    pub id: String,
    /// What kind of a host it is.
    pub place: Place,
    /// Where it is, for people.
    pub address: String,
    /// Why it cannot even be asked, if that is so.
    pub lost: Option<String>,
}

/// How a host is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Health {
    /// It has not answered yet.
    #[default]
    Unknown,
    /// It has answered, and may have said its version.
    Up(Option<String>),
    /// It has not, for this reason.
    Down(String),
}

/// What is known of a host.
#[derive(Debug, Clone)]
pub(super) struct HostState {
    pub(super) host: Host,
    pub(super) health: Health,
    pub(super) sessions: Vec<Session>,
    /// What was wrong beside them.
    pub(super) remarks: Vec<String>,
    /// The question that is out, and since when.
    pub(super) asked: Option<(u64, Duration)>,
    /// When it was last asked.
    pub(super) last: Option<Duration>,
}

impl HostState {
    pub(super) fn new(host: Host) -> Self {
        let health = host.lost.clone().map_or(Health::Unknown, Health::Down);
        Self { host, health, sessions: Vec::new(), remarks: Vec::new(), asked: None, last: None }
    }
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The host.
    pub host: String,
    /// What kind of a host that is.
    pub place: Place,
    /// The session; the row of a host that is not reached has none.
    pub session: Result<Session, String>,
    /// Why the session's host is not reached: this is what it said last.
    pub lost: Option<String>,
    /// Whether another host has a session of the same id.
    pub duplicate: bool,
    /// Whether its host takes its time to answer.
    pub late: bool,
}

impl Row {
    /// By what the selection knows it again.
    pub(super) fn key(&self) -> Key {
        let uuid = self
            .session
            .as_ref()
            .map_or_else(|_| format!("{UNREACHABLE}{}", self.host), |it| it.uuid.clone());
        (self.host.clone(), uuid)
    }

    /// How the session stands, if its host tells.
    pub fn state(&self) -> Option<SessionState> {
        let session = self.session.as_ref().ok().filter(|_| self.lost.is_none())?;
        Some(if self.place == Place::Orphans { SessionState::Orphan } else { session.state() })
    }

    /// Which session it is, if it is one.
    pub fn target(&self) -> Option<Target> {
        let id: SessionId = self.session.as_ref().ok()?.id()?;
        Some(Target { host: self.host.clone(), id })
    }

    /// What it is called.
    pub fn name(&self) -> String {
        match &self.session {
            Ok(session) => session.name.clone(),
            Err(why) if self.place == Place::Agent => format!("[agent {} unreachable: {why}]", self.host),
            Err(why) => format!("[{}: {why}]", self.host),
        }
    }
}

/// All rows in one order: the last worked with first, who is not reached last.
pub(super) fn rows(hosts: &[HostState], now: Duration) -> Vec<Row> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for session in hosts.iter().flat_map(|host| &host.sessions) {
        *times.entry(&session.uuid).or_default() += 1;
    }
    let mut rows: Vec<Row> = Vec::new();
    for known in hosts {
        let late = known.asked.is_some_and(|(_, since)| now.saturating_sub(since) >= LATE);
        let lost = if let Health::Down(why) = &known.health { Some(why) } else { None };
        let row = |session| Row {
            host: known.host.id.clone(),
            place: known.host.place,
            session,
            lost: lost.cloned(),
            duplicate: false,
            late,
        };
        rows.extend(lost.map(|why| row(Err(why.clone()))));
        rows.extend(known.sessions.iter().map(|session| Row {
            duplicate: times.get(session.uuid.as_str()).is_some_and(|&times| times > 1),
            ..row(Ok(session.clone()))
        }));
    }
    rows.sort_by_cached_key(|row| {
        (Reverse(row.session.as_ref().ok().and_then(Session::worked_with)), row.key())
    });
    rows
}

/// From when on a host is said to take its time.
const LATE: Duration = Duration::from_secs(3);
