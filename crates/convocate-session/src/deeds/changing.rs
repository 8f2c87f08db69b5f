//! The verbs after which a session goes on: edit, restart, background.

use migration_cli::{Deed, Refusal};
use remote_transfer::TransportError;
use session_control::{
    AgentError, HostError, Invalid, Session, SessionError, SessionHost, SessionId, SessionState,
    valid_dns_name, valid_name, valid_protocol,
};
use session_model::Finding;

use super::{Found, done, refuse};
use crate::hosts::Hosts;
use crate::options::Options;
use crate::verbs::Published;
use crate::{Changes, refusals, rows, words};

/// Changes what is said of a session.
pub(crate) fn edit(
    hosts: Hosts,
    options: &Options,
    (session, name): (&str, Option<&str>),
    published: &Published,
) -> Result<Deed, Refusal> {
    if name.is_none() && published.says_nothing() {
        let hint = "say --name, --port, --protocol or --dns";
        return Err(Refusal::usage("nothing-to-change", "nothing was said that is to change", hint));
    }
    let found = Found::to_work_with(hosts, session)?;
    found.not_locked()?;
    let changes = published.instead(name).map_err(refusals::of_session)?;
    // Asked for now, for whoever only wants to know what would be done.
    found.hosts.may_be_called(&found.row.session, &changes, options)?;
    let options = options.clone();
    Ok(found.deed("edit", Vec::new(), move |found, host| {
        let (before, session) = change(&found.hosts, host, &found.id, &changes, &options)?;
        let row = super::with(&found.row, session);
        let line = format!("Saved session {:?} ({}){}", row.session.name, row.session.uuid, rows::on(&row));
        let mut findings = host.findings();
        findings.extend(found.hosts.sync_dns([&before.dns_name, &row.session.dns_name]));
        if matches!(found.row.state, SessionState::Running | SessionState::Connected) {
            let message = "it runs as it was started: kill and restart it for this to take effect";
            findings.push(Finding::note("takes-effect-later", message));
        }
        let lines = std::iter::once(line).chain(words::reached(&row.session)).collect();
        Ok(done(&row, lines, findings))
    }))
}

/// Says this of a session in the place of what is said of it now; how it was, and how it is.
pub(crate) fn change(
    hosts: &Hosts,
    host: &mut dyn SessionHost,
    id: &SessionId,
    changes: &Changes,
    options: &Options,
) -> Result<(Session, Session), Refusal> {
    let before = host.get(id).map_err(|error| refusals::of_host(&error))?;
    hosts.may_be_called(&before, changes, options)?;
    let after = host.edit(id, &changes.over(&before)).map_err(|error| {
        let mut refusal = refusals::of_host(&error);
        if changes.dns_name.is_some() && may_be_done(&error) {
            refusal.hint.push_str("; then convocate-session dns sync has its DNS name written");
        }
        refusal
    })?;
    Ok((before, after))
}

/// Whether an agent may have done it, or may yet, that nobody listens to any more.
fn may_be_done(error: &HostError) -> bool {
    let HostError::Agent(error) = error else { return false };
    matches!(error, AgentError::Stopped { .. } | AgentError::Link(TransportError::Lost { .. }))
}

impl Hosts {
    /// Refuses a new DNS name that is another session's, or may be.
    fn may_be_called(&self, now: &Session, changes: &Changes, options: &Options) -> Result<(), Refusal> {
        match &changes.dns_name {
            Some(name) if *name != now.dns_name => self.name_is_free(name, Some(&now.uuid), options),
            _ => Ok(()),
        }
    }
}

impl Published {
    fn says_nothing(&self) -> bool {
        self.port.is_none() && self.protocol.is_none() && self.dns.is_none()
    }

    /// The same and a name, if one was said, in the place of what is said now.
    pub(super) fn instead(&self, name: Option<&str>) -> Result<Changes, Invalid> {
        Ok(Changes {
            name: name.map(valid_name).transpose()?.map(str::to_owned),
            port: self.port,
            protocol: self.protocol.as_deref().map(valid_protocol).transpose()?.map(str::to_owned),
            dns_name: self.dns.as_deref().map(valid_dns_name).transpose()?,
        })
    }
}

/// Starts a session.
pub(crate) fn restart(hosts: Hosts, session: &str) -> Result<Deed, Refusal> {
    let found = Found::to_work_with(hosts, session)?;
    if found.row.session.running {
        return Err(refuse(&found.row, SessionError::AlreadyRunning { name: found.name() }));
    }
    found.not_locked()?;
    Ok(found.deed("start", Vec::new(), |found, host| {
        host.restart(&found.id).map_err(|error| found.said(&error))?;
        let line = format!("Started session {}{}", found.told(), rows::on(&found.row));
        let findings = host.findings();
        Ok(done(&found.again(host), vec![line], findings))
    }))
}

/// Detaches everybody.
pub(crate) fn background(hosts: Hosts, session: &str) -> Result<Deed, Refusal> {
    let found = Found::to_work_with(hosts, session)?;
    if found.row.session.runs() == Some(false) {
        return Err(refuse(&found.row, SessionError::NotConnected { name: found.name() }));
    }
    // Whether somebody is attached is its host's to say: an original agent knows only of those that it has attached.
    Ok(found.deed("detach everybody from", Vec::new(), |found, host| {
        host.background(&found.id).map_err(|error| found.said(&error))?;
        let line = format!("Session {:?} backgrounded.", found.name());
        Ok(done(&found.again(host), vec![line], Vec::new()))
    }))
}
