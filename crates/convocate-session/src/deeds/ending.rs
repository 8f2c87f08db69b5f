//! What ends a session, for now or for good.

use migration_cli::{Deed, Question, Refusal};
use session_control::{SessionError, SessionState};

use super::{Found, done, refuse};
use crate::hosts::Hosts;
use crate::rows;

/// Stops a session.
pub(crate) fn kill(hosts: Hosts, session: &str) -> Result<Deed, Refusal> {
    let found = Found::to_work_with(hosts, session)?;
    if !found.row.session.running {
        return Err(refuse(&found.row, SessionError::NotRunning { name: found.name() }));
    }
    let question = format!("Kill session {:?}?", found.name());
    Ok(found.deed("kill", vec![question.into()], |found, host| {
        host.kill(&found.id).map_err(|error| found.said(&error))?;
        let line = format!("Killed session {}", found.told());
        Ok(done(&found.again(host), vec![line], Vec::new()))
    }))
}

/// Removes a session for good.
pub(crate) fn delete(hosts: Hosts, session: &str, connected: bool) -> Result<Deed, Refusal> {
    let found = Found::new(hosts, session)?;
    if let Some(owner) = found.owner() {
        let error = SessionError::LockedInUse { id: found.id.to_string(), owner: owner.process };
        return Err(refuse(&found.row, error));
    }
    let mut questions =
        vec![Question::from(format!("Delete session {:?}{} for good?", found.name(), rows::on(&found.row)))];
    if found.row.state == SessionState::Connected && !connected {
        let text = format!("Somebody is attached to session {:?}: delete it all the same?", found.name());
        questions.push(Question { text, needs: Some("--connected") });
    }
    Ok(found.deed("delete", questions, |found, host| {
        host.delete(&found.id).map_err(|error| found.said(&error))?;
        let mut findings = host.findings();
        let line = format!("Deleted session {}", found.told());
        findings.extend(found.hosts.sync_dns([&found.row.session.dns_name, ""]));
        Ok(done(&found.row, vec![line], findings))
    }))
}
