//! `events`: what happens to sessions, found by looking again and again. Who listened to a shell host's status channel
//! knows the shape (formats/convocate.md §12).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::{Duration, Instant};

use migration_cli::{Exit, Refusal, Streams, Surroundings};
use serde::Serialize;
use session_control::{Place, Row, Session, Survey};
use session_model::Timestamp;

use crate::hosts::Hosts;

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Event {
    /// What.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Where.
    agent_id: String,
    /// To which session, if it was to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    /// When it was found.
    timestamp: String,
    /// What the session is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Session>,
}

/// What was last heard of each host.
#[derive(Debug, Clone, Default)]
struct Snapshot {
    /// By host and id.
    rows: BTreeMap<(String, String), Row>,
    silent: BTreeSet<String>,
}

/// Tells of what happens until somebody wants it to stop, or nobody listens any more.
pub(crate) fn events(
    hosts: &Hosts,
    every: Duration,
    json: bool,
    here: &Surroundings,
    streams: &mut Streams<'_>,
) -> Result<Exit, Refusal> {
    let mut known = Snapshot::default().and(hosts.chosen.survey());
    let (sessions, silent) = (known.rows.len(), known.silent.len());
    // If standard error is gone there is nobody to tell.
    let _ = writeln!(streams.stderr, "watching: {sessions} sessions, {silent} hosts unreachable");
    while waited(every, here) {
        let now = known.clone().and(hosts.chosen.survey());
        let told =
            known.until(&now, (here.now)()).iter().try_for_each(|event| event.tell(json, streams.stdout));
        match told {
            Ok(()) => known = now,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Exit::Done),
            Err(error) => {
                let message = format!("cannot write to standard output: {error}");
                return Err(Refusal::failure("output", message, "say the same again with another output"));
            }
        }
    }
    Ok(here.stop.exit().unwrap_or_default())
}

/// Whether it was waited to the end: nobody wants to stop.
fn waited(every: Duration, here: &Surroundings) -> bool {
    let until = Instant::now() + every;
    while here.stop.exit().is_none() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(Duration::from_millis(100)));
    }
    false
}

impl Snapshot {
    /// With what was found now. Of a host that does not answer, what was known goes on.
    fn and(self, found: Survey) -> Self {
        let silent: BTreeSet<String> = found.unreachable.into_iter().map(|host| host.member).collect();
        let (mut rows, mut now) = (self.rows, BTreeMap::new());
        for mut row in found.rows {
            let key = (row.member.clone(), row.session.uuid.clone());
            // One of which nobody knows whether it runs counts as it was: no stop is reported.
            if let (None, Some(was)) = (row.session.runs(), rows.get(&key)) {
                row.session.running = was.session.running;
            }
            now.insert(key, row);
        }
        rows.retain(|(member, _), _| silent.contains(member));
        rows.extend(now);
        Self { rows, silent }
    }

    /// What has happened in between.
    fn until(&self, now: &Self, at: Timestamp) -> Vec<Event> {
        let event = |kind, member: &str, uuid: Option<&str>, data: Option<&Session>| Event {
            kind,
            agent_id: member.to_owned(),
            session_id: uuid.map(str::to_owned),
            timestamp: at.to_string(),
            data: data.cloned(),
        };
        let gone = now.silent.difference(&self.silent).map(|host| event("agent.shutdown", host, None, None));
        let back = self.silent.difference(&now.silent).map(|host| event("agent.started", host, None, None));
        let mut events: Vec<Event> = gone.chain(back).collect();
        for ((member, uuid), row) in &now.rows {
            let was = self.rows.get(&(member.clone(), uuid.clone()));
            let kinds =
                was.map_or_else(|| vec![self.arrival_of(row)], |was| changes(&was.session, &row.session));
            let told = kinds.into_iter().map(|kind| {
                event(kind, member, Some(uuid), Some(&row.session).filter(|_| kind != "container.stopped"))
            });
            events.extend(told);
        }
        let elsewhere = |uuid: &str| now.rows.keys().any(|(_, other)| other == uuid);
        let deleted = self.rows.keys().filter(|key| !now.rows.contains_key(key) && !elsewhere(&key.1));
        events.extend(deleted.map(|(member, uuid)| event("container.deleted", member, Some(uuid), None)));
        events
    }

    /// How a session came to be where it was not.
    fn arrival_of(&self, row: &Row) -> &'static str {
        let mut before = self.rows.values().filter(|was| was.session.uuid == row.session.uuid);
        match before.next() {
            None => "container.created",
            Some(was) if was.place == Place::Orphans => "session.migrated",
            Some(_) => "session.moved",
        }
    }
}

fn changes(was: &Session, is: &Session) -> Vec<&'static str> {
    let said = |session: &Session| {
        (
            session.name.clone(),
            session.port,
            session.effective_protocol().to_owned(),
            session.dns_name.clone(),
        )
    };
    let edited = (said(was) != said(is)).then_some("container.edited");
    let run = match (was.running, is.running) {
        (false, true) => Some("container.started"),
        (true, false) => Some("container.stopped"),
        _ => None,
    };
    edited.into_iter().chain(run).collect()
}

impl Event {
    fn tell(&self, json: bool, out: &mut dyn Write) -> io::Result<()> {
        let line = if json { serde_json::to_string(self)? } else { self.to_string() };
        writeln!(out, "{line}")?;
        out.flush()
    }
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} on {}", self.timestamp, self.kind, self.agent_id.escape_debug())?;
        if let Some(uuid) = &self.session_id {
            write!(f, ": {}", uuid.escape_debug())?;
        }
        // A name is whatever somebody has written, and must not steer a terminal.
        self.data.as_ref().map_or(Ok(()), |session| write!(f, " {:?}", session.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session_control::SessionState;

    fn row(member: &str, place: Place, uuid: &str, session: Session) -> Row {
        let session = Session { uuid: uuid.to_owned(), ..session };
        let state = SessionState::Stopped;
        Row { member: member.to_owned(), place, address: String::new(), session, state, also: Vec::new() }
    }

    fn plain(member: &str, uuid: &str) -> Row {
        row(member, Place::Agent, uuid, Session::default())
    }

    /// What is told if first this is found, then that.
    fn told(before: Survey, after: Survey) -> Vec<String> {
        let known = Snapshot::default().and(before);
        let now = known.clone().and(after);
        let at = Timestamp::from_second(1_769_881_500).unwrap();
        let short = |event: &Event| {
            let about = event.session_id.as_deref().unwrap_or("-");
            format!("{} {} {about} {}", event.kind, event.agent_id, event.data.is_some())
        };
        known.until(&now, at).iter().map(short).collect()
    }

    fn all(rows: Vec<Row>) -> Survey {
        Survey::of(rows, Vec::new())
    }

    #[test]
    fn what_has_happened_is_told_and_nothing_else() {
        let running = Session { running: true, ..Session::default() };
        let before = vec![
            plain("a", "same"),
            plain("a", "goes"),
            plain("a", "starts"),
            row("a", Place::Agent, "stops", running.clone()),
            plain("a", "moves"),
            row("local", Place::Orphans, "migrates", Session::default()),
            plain("a", "edited"),
        ];
        let after = vec![
            plain("a", "same"),
            row("a", Place::Agent, "starts", running),
            plain("a", "stops"),
            plain("b", "moves"),
            plain("b", "migrates"),
            row("a", Place::Agent, "edited", Session { port: 80, ..Session::default() }),
            plain("a", "new"),
        ];
        let mut told = told(all(before), all(after));
        told.sort();
        assert_eq!(
            told,
            [
                "container.created a new true",
                "container.deleted a goes false",
                "container.edited a edited true",
                "container.started a starts true",
                "container.stopped a stops false",
                "session.migrated b migrates true",
                "session.moved b moves true",
            ]
        );
    }

    #[test]
    fn a_host_that_does_not_answer_has_lost_no_session() {
        let silent = session_control::Unreachable {
            member: "a".into(),
            address: "a".into(),
            reason: "no".into(),
            code: "agent-unreachable",
            place: Place::Agent,
        };
        let known = Snapshot::default().and(all(vec![plain("a", "x"), plain("b", "y")]));
        let then = known.clone().and(Survey::of(vec![plain("b", "y")], vec![silent]));
        let kinds = |from: &Snapshot, to: &Snapshot| -> Vec<&'static str> {
            from.until(to, Timestamp::from_second(0).unwrap()).iter().map(|event| event.kind).collect()
        };
        assert_eq!(kinds(&known, &then), ["agent.shutdown"]);
        let back = then.clone().and(all(vec![plain("a", "x"), plain("b", "y")]));
        assert_eq!(kinds(&then, &back), ["agent.started"]);
    }

    #[test]
    fn a_program_reads_the_envelope_that_it_knows() {
        let event = Event {
            kind: "container.started",
            agent_id: "a".into(),
            session_id: Some("x".into()),
            timestamp: "2026-03-02T17:00:00Z".into(),
            data: Some(Session { name: "n".into(), running: true, ..Session::default() }),
        };
        let line = serde_json::to_string(&event).unwrap();
        let begins = "{\"type\":\"container.started\",\"agent_id\":\"a\",\"session_id\":\"x\",\
                      \"timestamp\":\"2026-03-02T17:00:00Z\",\"data\":{\"uuid\":\"\",\"name\":\"n\",";
        assert!(line.starts_with(begins), "{line}");
        assert_eq!(event.to_string(), "2026-03-02T17:00:00Z container.started on a: x \"n\"");
    }
}
