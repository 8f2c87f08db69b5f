//! `inventory`: what sessions there are.

use legacy_readers::cowork::{Content, Disk, Session, contents_on, short_id};
use migration_cli::{Listed, Listing};
use serde_json::{Map, Value, json};
use session_model::{Anomaly, Finding};

use crate::places::Source;

/// A row for every session, one that cannot be read included.
pub(crate) fn inventory(disk: &dyn Disk, source: &Source) -> Listing {
    let mut listing = Listing {
        columns: vec!["id", "title", "folders", "vm", "last activity", "bytes"],
        text_columns: 5,
        rows: source.sessions.iter().map(|session| row(disk, session)).collect(),
        findings: source.findings.clone(),
        ..Listing::default()
    };
    let elsewhere = source.anomalies.iter().filter(|anomaly| !is_of_a_session(anomaly, source));
    listing.findings.extend(elsewhere.map(of_anomaly));
    listing
}

/// That there is nothing to list is no refusal.
pub(crate) fn nothing_here() -> Listing {
    let message = "the application has never run on this machine; --from names a profile or bundle elsewhere";
    let findings = vec![Finding::note("no-base", message)];
    Listing { findings, ..Listing::default() }
}

fn is_of_a_session(anomaly: &Anomaly, source: &Source) -> bool {
    let Some(place) = &anomaly.place else { return false };
    source.sessions.iter().any(|session| session.path == place.file)
}

fn of_anomaly(anomaly: &Anomaly) -> Finding {
    Finding::warning(anomaly.code.clone(), anomaly.to_string())
}

fn row(disk: &dyn Disk, session: &Session) -> Listed {
    let found = contents_on(disk, session);
    let bytes = session.bytes + found.found.bytes();
    let (cells, own, mut findings) = match &session.content {
        Content::Read(view) => readable(session, view, bytes),
        Content::Quarantined(anomaly) => {
            let cells =
                vec![brief(session), "(unreadable)".into(), String::new(), String::new(), String::new()];
            (cells, Map::new(), vec![of_anomaly(anomaly)])
        }
    };
    findings.extend(found.anomalies.iter().map(of_anomaly));
    let mut cells = cells;
    cells.push(bytes.to_string());
    Listed {
        kind: "session",
        id: session.id().to_owned(),
        source: Some(session.path.display().to_string()),
        cells,
        own,
        findings,
    }
}

fn brief(session: &Session) -> String {
    short_id(session.id()).unwrap_or(session.id()).to_owned()
}

fn readable(
    session: &Session,
    view: &legacy_readers::cowork::View,
    bytes: u64,
) -> (Vec<String>, Map<String, Value>, Vec<Finding>) {
    let title = view.title.clone().unwrap_or_default();
    let active = view.last_activity_at.instant().map(|time| time.to_string());
    let folders = match view.folders.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    let vm = view.vm_name().unwrap_or_default().to_owned();
    let own = json!({
        "title": view.title,
        "folders": view.folders,
        "vm": view.vm_name(),
        "cli_session_id": view.cli_session_id,
        "archived": view.archived,
        "agent": session.agent,
        "bytes": bytes,
        "last_activity": active,
    });
    let own = own.as_object().cloned().unwrap_or_default();
    let further = session.further.iter().map(|folder| {
        Finding::warning("further-folder", format!("{} is another folder of the session", folder.display()))
    });
    let findings = further.collect();
    (vec![brief(session), title, folders, vm, active.unwrap_or_default()], own, findings)
}
