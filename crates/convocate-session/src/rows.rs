//! A session in a list, for people and for programs.

use migration_cli::{Listed, Listing};
use serde_json::{Value, json};
use session_control::{Place, Process, Row, Session, SessionState, Survey, Unreachable};
use session_model::Finding;

/// The headings of a list of sessions.
const COLUMNS: [&str; 7] = ["s", "name", "session id", "created", "last acc.", "port/proto", "agent"];

/// Sessions as a table.
pub(crate) fn listing(survey: &Survey) -> Listing {
    let mut listing = Listing {
        columns: COLUMNS.into(),
        text_columns: COLUMNS.len(),
        rows: survey.rows.iter().map(listed).collect(),
        ..Listing::default()
    };
    mention(&mut listing, &survey.unreachable);
    listing.findings.extend(survey.findings.iter().cloned());
    listing
}

/// One session, told in lines of text.
pub(crate) fn one(row: &Row, lines: Vec<String>) -> Listing {
    let mut listing = Listing { rows: vec![listed(row)], ..Listing::default() };
    listing.words.block = lines;
    listing
}

/// Says which hosts have not been asked: in the report, and right away.
pub(crate) fn mention(listing: &mut Listing, unreachable: &[Unreachable]) {
    for host in unreachable {
        let Unreachable { member, address, reason, code, .. } = host;
        let at = if address.is_empty() { String::new() } else { format!(" ({address})") };
        listing.words.log.push(format!("warning: agent {member}{at} unreachable: {reason}"));
        listing.findings.push(Finding::error(*code, format!("[agent {member} unreachable: {reason}]")));
    }
}

fn listed(row: &Row) -> Listed {
    let session = &row.session;
    let cells = [
        row.state.letter().to_string(),
        session.name.clone(),
        session.uuid.clone(),
        day(&session.created_at),
        day(&session.last_accessed),
        port(session),
        agent(row),
    ];
    Listed {
        kind: "session",
        id: session.uuid.clone(),
        source: None,
        cells: cells.iter().map(|cell| short(cell)).collect(),
        own: own(row),
        findings: duplicate(row).into_iter().collect(),
    }
}

/// As much as the longest name that may be given: an agent may tell of longer ones, which would make every row as wide.
fn short(cell: &str) -> String {
    const LONGEST: usize = 64;
    if cell.chars().count() <= LONGEST {
        return cell.to_owned();
    }
    cell.chars().take(LONGEST - 1).chain(['\u{2026}']).collect()
}

fn own(row: &Row) -> serde_json::Map<String, Value> {
    let session = &row.session;
    let of_agent = |text: &str| (row.place == Place::Agent).then(|| text.to_owned());
    let own = json!({
        "uuid": session.uuid,
        "name": session.name,
        "created_at": session.created_at,
        "last_accessed": session.last_accessed,
        "port": session.port,
        "protocol": session.protocol,
        "dns_name": session.dns_name,
        "agent_id": of_agent(&row.member),
        "agent_host": of_agent(&row.address),
        "status": row.state.letter(),
        "running": session.runs(),
        "attached": session.is_attached(),
        "locked": session.locked,
        "lock_pid": session.lock_pid,
        "lock_stale": session.lock_stale,
        "also_on": row.also,
    });
    own.as_object().cloned().unwrap_or_default()
}

/// Two sessions of one id.
fn duplicate(row: &Row) -> Option<Finding> {
    let also = |row: &Row| {
        let message = format!("{} has a session of this id too", row.also.join(", "));
        Finding::warning("duplicate", message)
    };
    (!row.also.is_empty()).then(|| also(row))
}

/// The day of a time, or all of what is none.
pub(crate) fn day(time: &str) -> String {
    time.split_once('T').map_or(time, |(day, _)| day).to_owned()
}

/// `8080/tcp`
pub(crate) fn port(session: &Session) -> String {
    session.published().unwrap_or_else(|| "-".to_owned())
}

/// Where it is, in a word.
fn agent(row: &Row) -> String {
    match (row.state, row.place) {
        (SessionState::Orphan, _) => "(orphan)".to_owned(),
        (_, Place::Here) => "(this machine)".to_owned(),
        _ => row.member.clone(),
    }
}

/// ` on agent k7m2p9x4qwzt (agent-1)`, or on this machine.
pub(crate) fn on(row: &Row) -> String {
    match row.place {
        Place::Agent => format!(" on agent {} ({})", row.member, row.address),
        Place::Here | Place::Orphans => " on this machine".to_owned(),
    }
}

/// The process, if it is one of this machine.
pub(crate) fn owner(row: &Row, pid: u32) -> Option<Process> {
    row.is_on_this_machine().then(|| Process::alive(pid)).flatten()
}
