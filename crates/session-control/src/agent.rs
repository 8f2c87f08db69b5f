//! What an agent says when it is asked (formats/convocate.md §10): one line of JSON each way, over a subsystem of its
//! SSH server.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use durable_files::Quiet;
use remote_transfer::{Duplex, Transport, TransportError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use session_model::Finding;

use crate::protocol::{Answer, Request};
use crate::spelling::{json, shown};
use crate::{Pong, Session, SessionError, SessionId};

/// The subsystem.
const RPC: &str = "convocate-agent-rpc";
/// What an answer may come to, in bytes.
const LONGEST: usize = 64 << 20;
/// How many times as long as usual an agent may take that shows it is at work: six hours for a copy.
const RENEWALS: u32 = 180;

/// Why an agent has not said what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// It was not reached, or not understood by its SSH server.
    #[error(transparent)]
    Link(#[from] TransportError),
    /// The link broke within the call.
    #[error("agent op {op:?}: {peer}: {source}")]
    Broken {
        /// What was asked.
        op: &'static str,
        /// Who was asked.
        peer: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It was there, and said nothing, or went on for too long.
    #[error("agent op {op:?}: {peer} has not answered within {} seconds", within.as_secs())]
    Silent {
        /// What was asked.
        op: &'static str,
        /// Who was asked.
        peer: String,
        /// How long it had.
        within: Duration,
    },
    /// It had as long as such a thing usually takes, and goes on with it for all one knows.
    #[error("agent op {op:?}: {peer} is not done after {} seconds, and may still be at work", within.as_secs())]
    AtWork {
        /// What was asked.
        op: &'static str,
        /// Who was asked.
        peer: String,
        /// How long it had.
        within: Duration,
    },
    /// Whoever waited for it said stop: what it was asked to do it goes on with.
    #[error("agent op {op:?}: stopped waiting for {peer}, which may go on with it")]
    Stopped {
        /// What was asked.
        op: &'static str,
        /// Who was asked.
        peer: String,
    },
    /// It said no.
    #[error("agent op {op:?}: {message}")]
    Refused {
        /// What was asked.
        op: &'static str,
        /// What it said.
        message: String,
        /// The short name of that: as it says, or, of an original, as its words tell.
        code: &'static str,
    },
    /// It said something else than it should.
    #[error("agent op {op:?}: {peer} says what is not understood{}", place(*line, *column))]
    NotUnderstood {
        /// What was asked.
        op: &'static str,
        /// Who was asked.
        peer: String,
        /// The line, from 1; 0 if it is JSON, and something else than was asked.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It was done by half, and then it failed.
    #[error("agent op {op:?}: {done} at {peer}: {source}")]
    HalfDone {
        /// What was asked.
        op: &'static str,
        /// Who was asked.
        peer: String,
        /// What stands.
        done: String,
        /// Why no more.
        source: Box<AgentError>,
    },
    /// What was to be asked after is no id. Nothing was sent: an original agent takes an empty one for its whole base.
    #[error("{id:?} is not the id of a session: expected 36 characters, in lower case")]
    NotAnId {
        /// What it is.
        id: String,
    },
}

fn place(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(" (line {line}, column {column} of its answer)") }
}

/// One call, on a channel of its own, which may take this long, and as long again after each sign that the agent is at
/// work, up to 180 times. Whoever may want to stop hands over a link that knows. `params` has nothing in it that an
/// original agent does not know.
pub fn call<T: DeserializeOwned>(
    link: &mut dyn Transport,
    op: &'static str,
    params: &Value,
    within: Duration,
) -> Result<T, AgentError> {
    let question = format!("{{\"op\":{},\"params\":{}}}\n", json(op), json(params));
    exchange(link, op, &question, &Patience::renewed(within)).map(|(result, _)| result)
}

/// The answer, and what else the agent had to say with it.
fn exchange<T: DeserializeOwned>(
    link: &mut dyn Transport,
    op: &'static str,
    question: &str,
    patience: &Patience,
) -> Result<(T, Vec<Finding>), AgentError> {
    let peer = link.peer().to_owned();
    let mut quiet = Quiet; // the link itself knows who may say stop
    let mut channel = link.subsystem(RPC, &mut quiet)?;
    let begun = Instant::now();
    channel.set_deadline(patience.until(begun, begun));
    let alive = |channel: &mut dyn Duplex| channel.set_deadline(patience.until(begun, Instant::now()));
    let answer = conversation(channel.as_mut(), question, &alive).map_err(|error| match error.kind() {
        ErrorKind::TimedOut => AgentError::Silent { op, peer: peer.clone(), within: begun.elapsed() },
        _ => match error.downcast::<TransportError>() {
            Ok(TransportError::Stopped) => AgentError::Stopped { op, peer: peer.clone() },
            Ok(link) => AgentError::Link(link),
            Err(source) => AgentError::Broken { op, peer: peer.clone(), source },
        },
    })?;
    let not_understood = |error: serde_json::Error| AgentError::NotUnderstood {
        op,
        peer: peer.clone(),
        line: error.line(),
        column: error.column(),
    };
    let answer: Answer = serde_json::from_slice(&answer).map_err(not_understood)?;
    if answer.ok {
        let findings = answer.findings.into_iter().map(harmless).collect();
        Ok((serde_json::from_value(answer.result).map_err(not_understood)?, findings))
    } else {
        let code = SessionError::known(&answer.code).unwrap_or_else(|| SessionError::code_of(&answer.error));
        Err(AgentError::Refused { op, message: shown(&answer.error), code })
    }
}

/// How long an agent is waited for.
struct Patience {
    /// After each sign of life.
    within: Duration,
    /// In all, whatever signs come.
    in_all: Duration,
}

impl Patience {
    /// As long as such a question takes. What takes long may take longer as long as the agent shows that it is at it.
    fn of(request: &Request) -> Self {
        let within = request.within();
        if request.is_long() { Self::renewed(within) } else { Self { within, in_all: within } }
    }

    /// This long, and as long again after each sign of life.
    fn renewed(within: Duration) -> Self {
        Self { within, in_all: within * RENEWALS }
    }

    /// When one has to have answered who was asked then, and shows a sign of life now.
    fn until(&self, begun: Instant, now: Instant) -> Instant {
        (begun + self.in_all).min(now + self.within)
    }
}

/// What somebody else has found, as a report can have it.
fn harmless(finding: Finding) -> Finding {
    let is_code = |code: &str| {
        let mut words = code.split('-');
        words.all(|word| {
            !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
        })
    };
    let code = if is_code(&finding.code) { finding.code } else { "agent".to_owned() };
    Finding { code, message: shown(&finding.message), ..finding }
}

/// One line each way. The far side closes after its line, or is not waited for. Blanks before it are signs that it is at
/// work.
fn conversation(
    channel: &mut dyn Duplex,
    question: &str,
    alive: &dyn Fn(&mut dyn Duplex),
) -> std::io::Result<Vec<u8>> {
    // A server that does not listen has said why.
    let sent = channel.write_all(question.as_bytes()).and_then(|()| channel.flush());
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = channel.read(&mut buffer)?;
        answer.extend_from_slice(&buffer[..read]);
        if read == 0 || answer.ends_with(b"\n") || answer.len() > LONGEST {
            break;
        }
        if answer.iter().all(|&byte| byte == b' ') {
            answer.clear();
            alive(channel);
        }
    }
    if answer.is_empty() {
        sent?;
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(answer)
}

/// Asks this once.
pub(crate) fn ask<T: DeserializeOwned>(link: &mut dyn Transport, request: &Request) -> Result<T, AgentError> {
    ask_all(link, request).map(|(result, _)| result)
}

/// The same, with what else the agent had to say.
pub(crate) fn ask_all<T: DeserializeOwned>(
    link: &mut dyn Transport,
    request: &Request,
) -> Result<(T, Vec<Finding>), AgentError> {
    exchange(link, request.op(), &request.to_line(), &Patience::of(request)).map_err(|error| match error {
        AgentError::Silent { op, peer, within } if request.is_long() => {
            AgentError::AtWork { op, peer, within }
        }
        error => error,
    })
}

/// Whether somebody is there.
pub fn ping(link: &mut dyn Transport) -> Result<Pong, AgentError> {
    ask(link, &Request::Ping)
}

/// Every session of the agent that is understood.
pub fn list(link: &mut dyn Transport) -> Result<Vec<Session>, AgentError> {
    list_all(link).map(|(sessions, _)| sessions)
}

/// The same, with what else there is to say: one that is not understood costs no other.
pub(crate) fn list_all(link: &mut dyn Transport) -> Result<(Vec<Session>, Vec<Finding>), AgentError> {
    let (rows, mut findings): (Option<Vec<Value>>, _) = ask_all(link, &Request::List)?;
    let mut sessions = Vec::new();
    for row in rows.unwrap_or_default() {
        match Session::deserialize(&row) {
            Ok(session) => sessions.push(session),
            Err(_) => findings.push(not_listed(&row)),
        }
    }
    Ok((sessions, findings))
}

fn not_listed(row: &Value) -> Finding {
    let id = row.get("uuid").and_then(Value::as_str).and_then(|id| id.parse::<SessionId>().ok());
    let session = id.map_or_else(|| "a session".to_owned(), |id| format!("session {id}"));
    let message = format!("{session} is not listed: what is said of it is not understood");
    Finding::warning("session-json", message)
}

/// The session with this id, if the agent has it.
pub fn get(link: &mut dyn Transport, uuid: &str) -> Result<Option<Session>, AgentError> {
    let id: SessionId = uuid.parse().map_err(|_| AgentError::NotAnId { id: uuid.to_owned() })?;
    match ask(link, &Request::Get(id)) {
        Ok(session) => Ok(Some(session)),
        Err(AgentError::Refused { code: "no-such-session", .. }) => Ok(None),
        // In whatever words an original agent says so (formats/convocate.md §10).
        Err(AgentError::Refused { code: "refused", message, .. }) if message.contains("does not exist") => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_that_only_shows_signs_of_life_is_not_waited_for_for_ever() {
        let (begun, within) = (Instant::now(), Duration::from_mins(2));
        let patience = Patience::renewed(within);
        assert_eq!(patience.until(begun, begun), begun + within);
        let hours = |hours| begun + Duration::from_hours(hours);
        assert_eq!(patience.until(begun, hours(5)), hours(5) + within);
        assert_eq!(patience.until(begun, hours(6)), hours(6));
    }
}
