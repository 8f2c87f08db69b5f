//! The verbs that only look.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use migration_cli::{Listing, Refusal};
use session_control::{Process, Row, SessionState};

use crate::hosts::Hosts;
use crate::rows;

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
    let lines = facts.into_iter().map(|(what, is)| format!("{what:<14} {is}")).collect();
    Ok(rows::one(&row, lines))
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
        (_, Some(pid), _) => {
            owner(row, pid).map_or_else(|| format!("held by process {pid}"), |it| format!("held by {it}"))
        }
        (_, None, _) => "held".to_owned(),
    }
}

/// Where something is mounted in a session of this machine.
pub(crate) fn mounted_in(row: &Row, base: &Path) -> Option<PathBuf> {
    (row.address == "local").then(|| session_control::mounted_in(&base.join(&row.session.uuid))).flatten()
}

/// The process, if it is one of this machine.
pub(crate) fn owner(row: &Row, pid: u32) -> Option<Process> {
    (row.address == "local").then(|| Process::alive(pid)).flatten()
}
