//! What ends a session, for now or for good.

use migration_cli::{Deed, Exit, Question, Refusal};
use session_control::{Session, SessionError, Unknown, mounted_in};

use super::{Found, done, refuse};
use crate::hosts::Hosts;
use crate::rows;

/// Stops a session.
pub(crate) fn kill(hosts: Hosts, session: &str) -> Result<Deed, Refusal> {
    let found = Found::even_broken(hosts, session)?.no_orphan()?;
    if found.row.session.runs() == Some(false) && found.broken.is_none() {
        return Err(refuse(&found.row, SessionError::NotRunning { name: found.name() }));
    }
    let question = format!("Kill session {:?}?", found.name());
    let questions = found.asked_of_broken("kill").into_iter().chain([question.into()]).collect();
    Ok(found.deed("kill", questions, |found, host| {
        host.kill(&found.id).map_err(|error| found.said(&error))?;
        let line = format!("Killed session {}", found.told());
        Ok(done(&found.again(host), vec![line], Vec::new()))
    }))
}

/// Removes a session for good.
pub(crate) fn delete(hosts: Hosts, session: &str, connected: bool) -> Result<Deed, Refusal> {
    let found = Found::even_broken(hosts, session)?;
    if let Some(owner) = found.owner() {
        let error = SessionError::LockedInUse { id: found.id.to_string(), owner: owner.process };
        return Err(refuse(&found.row, error));
    }
    if let Some(at) = found.hosts.folder_of(&found.row).as_deref().and_then(mounted_in) {
        return Err(refuse(&found.row, SessionError::Mounted { id: found.id.to_string(), at }));
    }
    let question = format!("Delete session {:?}{} for good?", found.name(), rows::on(&found.row));
    let mut questions: Vec<Question> =
        found.asked_of_broken("delete").into_iter().chain([question.into()]).collect();
    let is_connected = may_be_attached(&found.row.session);
    if is_connected && !connected {
        let who = if found.row.session.attached { "Somebody is" } else { "Somebody may be" };
        let text = format!("{who} attached to session {:?}: delete it all the same?", found.name());
        questions.push(Question { text, needs: Some("--connected") });
    }
    Ok(found.deed("delete", questions, move |found, host| {
        if !is_connected && !connected {
            still_alone(host.get(&found.id).ok().as_ref())?;
        }
        host.delete(&found.id).map_err(|error| found.said(&error))?;
        let mut findings = host.findings();
        let line = format!("Deleted session {}", found.told());
        findings.extend(found.hosts.sync_dns([&found.row.session.dns_name, ""]));
        if let Some(stopped) = findings.iter().find(|finding| finding.code == "stopped") {
            let message = format!("session {} is deleted; {}", found.told(), stopped.message);
            let hint = "there is nothing more to do";
            return Err(Refusal::new("stopped", message, hint).exit(Exit::Interrupted));
        }
        Ok(done(&found.row, vec![line], findings))
    }))
}

/// Whether somebody is attached, or nobody knows, as its container does not tell. What nobody knows to run at all is not
/// deleted.
fn may_be_attached(session: &Session) -> bool {
    session.attached || session.unknown == Some(Unknown::Attached)
}

/// Refuses a session that somebody has attached to since nobody was seen there, or may have: this is how it stands now,
/// if it can be read.
pub(crate) fn still_alone(now: Option<&Session>) -> Result<(), Refusal> {
    let Some(session) = now.filter(|session| may_be_attached(session)) else { return Ok(()) };
    let Session { name, uuid, .. } = session;
    let who = if session.attached { "somebody has" } else { "nobody knows whether somebody has" };
    let message = format!("{who} attached to session {name:?} ({uuid}) meanwhile: nothing was done");
    let hint = "say it again; with --yes, --connected deletes it all the same";
    Err(Refusal::new("connected", message, hint))
}
