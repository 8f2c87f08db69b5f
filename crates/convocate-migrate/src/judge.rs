//! Whether a session that was delivered is the agent's now, in the agent's own words.

use std::path::Path;
use std::sync::OnceLock;

use durable_files::Quiet;
use migration_cli::Refusal;
use migration_engine::Cause;
use remote_transfer::{Remote, Transport, Tree};
use session_control::{AgentError, Session, get, list};
use session_model::{Finding, Timestamp, parse_time};

use crate::far_lock::Lockable;
use crate::settings::{Arriving, Moving, Reach, Settings};

/// Before the source is moved aside: it must not have changed since, and the agent must tell of the session what its
/// document says. Afterwards the session lives: that it runs, and has been worked with, is as it should be.
pub(crate) fn judge(settings: &Settings, moving: &Moving, unreached: &OnceLock<String>) -> Vec<Finding> {
    let folder: &Path = &settings.base.join(&moving.uuid);
    let is_here = folder.symlink_metadata().is_ok();
    let mut findings: Vec<Finding> = if is_here { source(folder, moving) } else { Vec::new() };
    if let Some(api) = &settings.api {
        let copy = Copy { agent: &settings.agent, uuid: &moving.uuid, arrives: &moving.arrives, is_here };
        findings.extend(copy.told(&mut *api.open(), unreached));
    }
    findings
}

/// A session that an agent should have by now.
#[derive(Debug, Clone, Copy)]
pub struct Copy<'a> {
    /// The agent.
    pub agent: &'a str,
    /// The session's id there.
    pub uuid: &'a str,
    /// What the agent has to say about it.
    pub arrives: &'a Arriving,
    /// Whether its source has not been moved aside yet: then it must not have been worked with.
    pub is_here: bool,
}

impl Copy<'_> {
    /// What its agent tells otherwise. One whose API was not reached once is not called again: a firewall makes every
    /// caller wait.
    pub fn told(&self, link: &mut dyn Transport, unreached: &OnceLock<String>) -> Vec<Finding> {
        let Self { agent, uuid, .. } = *self;
        let not_asked = |why: &str| {
            let message = format!("its files were read back, but the agent itself was not asked: {why}");
            Finding::note("agent-not-asked", message)
        };
        if let Some(why) = unreached.get() {
            return vec![not_asked(why)];
        }
        match get(link, uuid) {
            Ok(Some(session)) => self.differences(&session),
            Ok(None) => {
                let message =
                    format!("agent {agent} does not know the session: does it keep its sessions elsewhere?");
                vec![Finding::error("agent-does-not-know", message)]
            }
            Err(AgentError::Refused { message, .. }) => {
                let message = format!("agent {agent} has the session and cannot tell of it: {message}");
                vec![Finding::error("agent-refuses", message)]
            }
            Err(error) => vec![not_asked(unreached.get_or_init(|| error.to_string()))],
        }
    }

    fn differences(&self, session: &Session) -> Vec<Finding> {
        let Self { agent, is_here, .. } = *self;
        let differing = differences(session, self.uuid, self.arrives).into_iter();
        let mut findings: Vec<Finding> = differing
            .map(|what| {
                let message = format!("agent {agent} tells another {what} than what was sent");
                if is_here {
                    Finding::error("agent-differs", message)
                } else {
                    Finding::note("lived-on", message)
                }
            })
            .collect();
        if session.runs() != Some(false) && is_here {
            let message = format!(
                "agent {agent} runs the session already, or cannot tell, before its source was moved aside"
            );
            findings.push(Finding::error("agent-runs-it", message));
        }
        findings
    }
}

/// A session that runs is not taken back from under its user. An agent that cannot be asked does not hold up an undo:
/// what has changed there is found by its files.
pub(crate) fn stands_still(settings: &Settings) -> Result<(), Refusal> {
    let uuids: Vec<&str> = settings.lanes.iter().map(|moving| moving.uuid.as_str()).collect();
    settings.api.as_ref().map_or(Ok(()), |api| stand_still(&settings.agent, api, &uuids))
}

/// A session that somebody has locked on the agent is not taken back either: a clone of it may be under way.
pub(crate) fn are_free(settings: &Settings, remote: &Remote) -> Result<(), Refusal> {
    let Settings { agent, there: base, as_root, lanes, .. } = settings;
    if base.is_empty() {
        return Ok(());
    }
    lanes.iter().try_for_each(|Moving { uuid, .. }| {
        Lockable { agent, base, uuid, as_root: *as_root }.stale_lock(remote).map(drop)
    })
}

/// Refuses to take these sessions back from an agent that runs one of them.
pub fn stand_still(agent: &str, api: &Reach, uuids: &[&str]) -> Result<(), Refusal> {
    let told = list(&mut *api.open()).unwrap_or_default();
    match told.iter().find(|told| told.running && uuids.contains(&told.uuid.as_str())) {
        None => Ok(()),
        Some(told) => Err(Refusal::new(
            "agent-runs-it",
            format!("session {} runs on agent {agent}", told.uuid),
            "stop it there, then say undo again",
        )),
    }
}

fn source(folder: &Path, moving: &Moving) -> Vec<Finding> {
    let found = match Tree::open(folder).map(|tree| tree.walk(&mut Quiet)) {
        Ok(Ok(walked)) if walked.manifest.digest() == moving.expect => return Vec::new(),
        Ok(Ok(walked)) => moving.held.told(&walked.manifest),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    vec![Finding::error(
        Cause::SOURCE_CHANGED,
        format!("{} changed after it was sent: {found}", folder.display()),
    )]
}

/// What the agent tells otherwise.
fn differences(told: &Session, uuid: &str, arrives: &Arriving) -> Vec<&'static str> {
    let Arriving { name, created_at, last_accessed, port, protocol, dns_name } = arrives;
    let tcp = |text: &str| if text.is_empty() { "tcp".to_owned() } else { text.to_ascii_lowercase() };
    let time = |text: &str| parse_time(text).map(|time| time.at);
    // What is not written is told as the first moment of the year 1.
    let same_time =
        |told: &str, sent: Option<Timestamp>| time(told) == sent.or_else(|| time("0001-01-01T00:00:00Z"));
    let checks = [
        ("uuid", told.uuid == uuid),
        ("name", told.name == *name),
        ("created_at", same_time(&told.created_at, *created_at)),
        ("last_accessed", same_time(&told.last_accessed, *last_accessed)),
        ("port", told.port == *port),
        ("protocol", tcp(&told.protocol) == tcp(protocol)),
        ("dns_name", told.dns_name == *dns_name),
    ];
    checks.into_iter().filter(|(_, same)| !same).map(|(what, _)| what).collect()
}
