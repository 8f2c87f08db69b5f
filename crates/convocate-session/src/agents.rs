//! The agents, and how they are.

use std::thread;

use migration_cli::{Listed, Listing};
use serde_json::json;
use session_control::{HostError, Member, Place, Pong};
use session_model::Finding;

use crate::hosts::Hosts;

/// The headings of a list of agents.
const COLUMNS: [&str; 5] = ["agent", "address", "version", "made by", "health"];

/// The agents that are registered, each asked how it is.
pub(crate) fn list(hosts: &Hosts) -> Listing {
    let mut listing = Listing { columns: COLUMNS.into(), text_columns: COLUMNS.len(), ..Listing::default() };
    let agents = hosts.chosen.members().iter().filter(|member| member.place == Place::Agent);
    for (member, answer) in asked(agents) {
        listing.rows.push(match answer {
            Ok(pong) => well(member, &pong),
            Err(error) => unwell(&member.id, &member.address, error.code(), &error.to_string()),
        });
    }
    for host in hosts.chosen.broken() {
        listing.rows.push(unwell(&host.member, &host.address, host.code, &host.reason));
    }
    listing.rows.sort_by(|a, b| a.id.cmp(&b.id));
    for row in listing.rows.iter().filter(|row| row.own["reachable"] == false) {
        let reason = &row.findings[0].message;
        listing.words.log.push(format!("warning: agent {} unreachable: {reason}", row.id));
    }
    if listing.rows.is_empty() {
        let message = format!("no agents are registered in {}", hosts.registry.path().display());
        listing.findings.push(Finding::note("no-agents", message));
    }
    listing
}

/// What each of them says, asked at the same time.
fn asked<'m>(members: impl Iterator<Item = &'m Member>) -> Vec<(&'m Member, Result<Pong, HostError>)> {
    thread::scope(|scope| {
        let asked: Vec<_> = members.map(|member| (member, scope.spawn(|| member.open().ping()))).collect();
        // The hook has told of a panic already; its agent is left out.
        asked.into_iter().filter_map(|(member, answer)| Some((member, answer.join().ok()?))).collect()
    })
}

fn well(member: &Member, pong: &Pong) -> Listed {
    let ours = !pong.implementation.is_empty();
    let made_by = if ours { pong.implementation.clone() } else { "original".to_owned() };
    let cells = [&*member.id, &*member.address, &*pong.version, &*made_by, "well"].map(str::to_owned);
    let mut row = row(&member.id, &member.address, cells);
    row.own.insert("agent_version".into(), json!(pong.version));
    row.own.insert("implementation".into(), json!(made_by));
    row.own.insert("reachable".into(), json!(true));
    row
}

fn unwell(id: &str, address: &str, code: &str, reason: &str) -> Listed {
    let cells = [id, address, "", "", code].map(str::to_owned);
    let mut row = row(id, address, cells);
    row.own.insert("reachable".into(), json!(false));
    row.findings.push(Finding::error(code, reason));
    row
}

fn row(id: &str, address: &str, cells: [String; 5]) -> Listed {
    let own = json!({"agent_id": id, "agent_host": address});
    Listed {
        kind: "agent",
        id: id.to_owned(),
        cells: cells.into(),
        own: own.as_object().cloned().unwrap_or_default(),
        ..Listed::default()
    }
}
