//! The verbs that only look.

use std::fmt::Write;

use migration_cli::{Listing, Refusal};
use session_control::{Local, Row, SessionState};

use crate::hosts::Hosts;
use crate::{agents, rows};

/// The sessions of the hosts that are meant.
pub(crate) fn list(hosts: &Hosts) -> Result<Listing, Refusal> {
    Ok(rows::listing(&hosts.survey()?))
}

/// One session.
pub(crate) fn show(hosts: &Hosts, name: &str) -> Result<Listing, Refusal> {
    let row = hosts.find(name)?;
    let session = &row.session;
    let facts = [
        ("name", session.name.clone()),
        ("session id", session.uuid.clone()),
        ("status", format!("{}  {}", row.state.letter(), state(row.state))),
        ("where", rows::on(&row).trim_start_matches(" on ").to_owned()),
        ("created", session.created_at.clone()),
        ("last accessed", session.last_accessed.clone()),
        ("port/proto", rows::port(session)),
        ("DNS name", if session.dns_name.is_empty() { "-".to_owned() } else { session.dns_name.clone() }),
        ("lock", lock(&row)),
    ];
    Ok(rows::one(&row, lines(facts)))
}

/// Where things are, and then the agents.
pub(crate) fn settings(hosts: &Hosts, local: &Local) -> Listing {
    let role = if hosts.cluster.is_shell() { "a shell host" } else { "on its own" };
    let program = local.containers.program.to_string_lossy();
    let arguments = local.containers.arguments.iter().map(|argument| argument.to_string_lossy());
    let engine: Vec<_> = [program].into_iter().chain(arguments).collect();
    let facts = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("build", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
        ("this machine", format!("{} ({role})", local.id)),
        ("profile", local.profile.name.to_owned()),
        ("sessions in", hosts.base.display().to_string()),
        ("agents in", hosts.registry.path().display().to_string()),
        ("image", local.image.clone()),
        ("engine", engine.join(" ")),
        ("program", local.claude.display().to_string()),
    ];
    let mut listing = agents::list(hosts);
    listing.words.block = lines(facts);
    listing
}

/// What there is to know, in lines of text.
fn lines<const N: usize>(facts: [(&str, String); N]) -> Vec<String> {
    facts.into_iter().map(|(what, is)| format!("{what:<14} {is}")).collect()
}

fn state(state: SessionState) -> &'static str {
    match state {
        SessionState::Orphan => "orphan: left behind on this shell host",
        SessionState::Connected => "running, somebody is attached",
        SessionState::Running => "running",
        SessionState::Locked => "locked, not running",
        SessionState::Stopped => "stopped",
        SessionState::Unknown => "unknown: its container engine does not say what runs",
    }
}

fn lock(row: &Row) -> String {
    let session = &row.session;
    match (session.locked, session.lock_pid, session.lock_stale) {
        (None, ..) => "unknown: its agent does not tell".to_owned(),
        (Some(false), ..) => "-".to_owned(),
        (_, pid, Some(true)) => {
            let mut text = "left behind".to_owned();
            if let Some(pid) = pid {
                let _ = write!(text, " by process {pid}");
            }
            text
        }
        (_, Some(pid), _) => rows::owner(row, pid)
            .map_or_else(|| format!("held by process {pid}"), |it| format!("held by {it}")),
        (_, None, _) => "held".to_owned(),
    }
}
