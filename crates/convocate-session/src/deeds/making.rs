//! Making a session: from nothing, or from another.

use migration_cli::{Deed, Exit, Refusal, shell_word};
use session_control::{Profile, Row, Session, SessionHost, valid_dns_name, valid_name};
use session_model::Finding;

use super::{Found, done};
use crate::hosts::Hosts;
use crate::options::Options;
use crate::verbs::Published;
use crate::{Changes, refusals, rows, words};

/// A new session.
pub(crate) fn new(
    hosts: Hosts,
    options: &Options,
    name: &str,
    published: &Published,
) -> Result<Deed, Refusal> {
    let said = published.instead(Some(name)).map_err(refusals::of_session)?;
    let wishes = said.over(&Session::default());
    let member = hosts.for_new()?.clone();
    hosts.name_is_free(&wishes.dns_name, None, options)?;
    let row = Row::of(&member, Session { name: wishes.name.clone(), ..Session::default() });
    let mut listing = migration_cli::Listing::default();
    listing.words.block = vec![format!("would create session {:?}{}", wishes.name, rows::on(&row))];
    let act = move |_: &_| {
        let mut host = member.open();
        let session = host.create(&wishes).map_err(|error| refusals::of_host(&error))?;
        let mut findings = host.findings();
        let row = Row::of(&member, session);
        let mut lines = vec![words::created(&row.session, &rows::on(&row))];
        lines.extend(words::reached(&row.session));
        findings.extend(hosts.sync_dns(["", &row.session.dns_name]));
        Ok(done(&row, lines, findings))
    };
    Ok(Deed { listing, questions: Vec::new(), act: Box::new(act) })
}

/// A new session with the files of this one.
pub(crate) fn duplicate(
    hosts: Hosts,
    options: &Options,
    (source, name): (&str, &str),
    dns: Option<&str>,
) -> Result<Deed, Refusal> {
    let name = valid_name(name).map_err(refusals::of_session)?.to_owned();
    let dns = valid_dns_name(dns.unwrap_or_default()).map_err(refusals::of_session)?;
    let found = Found::to_work_with(hosts, source)?;
    found.not_locked()?;
    found.hosts.name_is_free(&dns, None, options)?;
    // What somebody else has in a session may be closed to us.
    let by_root = format!("sudo convocate-session clone{} {} {}", said(options), found.id, shell_word(&name));
    Ok(found.deed("clone", Vec::new(), move |found, host| {
        let made = host.duplicate(&found.id, &name).map_err(|error| {
            let refusal = found.said(&error);
            if refusals::forbidden(&error).is_some() {
                Refusal { hint: by_root.clone(), ..refusal }
            } else {
                refusal
            }
        })?;
        let mut findings = host.findings();
        let row = super::with(&found.row, named(found, host, made, &dns)?);
        let line = words::cloned(&row.session, &found.row.session.uuid, &rows::on(&row));
        findings.extend(found.hosts.sync_dns(["", &row.session.dns_name]));
        findings.extend(copied_live(Some(&found.row.session)));
        let lines = std::iter::once(line).chain(words::reached(&row.session)).collect();
        Ok(done(&row, lines, findings))
    }))
}

/// The copy with its DNS name, if it is to have one.
fn named(found: &Found, host: &mut dyn SessionHost, made: Session, dns: &str) -> Result<Session, Refusal> {
    let Some(id) = made.id().filter(|_| !dns.is_empty()) else { return Ok(made) };
    let changes = Changes { dns_name: Some(dns.to_owned()), ..Changes::default() };
    host.edit(&id, &changes.over(&made)).map_err(|error| {
        let refusal = found.said(&error).exit(Exit::Failed);
        let message = if refusal.code == "stopped" {
            format!("session {id} was made; stopped while it was given its DNS name")
        } else {
            format!("session {id} was made, but without its DNS name: {}", refusal.message)
        };
        // Whoever says the same again has a second copy.
        let hint = format!("convocate-session edit {id} --dns {dns}");
        Refusal { message, hint, ..refusal }
    })
}

/// That a session ran while it was copied.
pub(crate) fn copied_live(session: Option<&Session>) -> Option<Finding> {
    let message = "it runs: what it was writing meanwhile may have been copied half";
    session.is_some_and(|it| it.running).then(|| Finding::warning("copied-live", message))
}

/// The options that say which sessions are those of this machine, as they are said again.
fn said(options: &Options) -> String {
    let base = options.base.iter().map(|base| format!(" --base {}", shell_word(base.as_str())));
    let profile = Some(options.profile.name).filter(|name| *name != Profile::default().name);
    base.chain(profile.map(|name| format!(" --profile {name}"))).collect()
}
