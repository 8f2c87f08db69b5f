//! `move`, and `clone --to`: what was asked for, as the moving of sessions understands it.

use std::path::PathBuf;

use convocate_migrate::OnConflict;
use durable_files::PathText;
use migration_cli::{Ask, Refusal, Surroundings};
use session_control::{Place, Registry};

use crate::hosts;
use crate::moving::{self, CopyOf, Request};
use crate::options::Options;
use crate::tool::ConvocateSession;
use crate::verbs::Verb;

/// The folders that keep two moves apart.
pub(crate) fn targets(options: &Options, here: &Surroundings) -> Result<Vec<PathText>, Refusal> {
    moving::targets(&hosts_of(options, here)?)
}

/// What shall move where; none if the verb moves nothing.
pub(crate) fn request(
    ask: Ask<'_, ConvocateSession>,
    here: &Surroundings,
) -> Result<Option<(Request, moving::Hosts)>, Refusal> {
    let mut ends = hosts_of(ask.options, here)?;
    let (session, to, copy) = match ask.verb {
        Some(Verb::Move { session, to, on_port_conflict, on_dns_conflict }) => {
            (ends.options.on_port_conflict, ends.options.on_dns_conflict) =
                (*on_port_conflict, *on_dns_conflict);
            (session, to, None)
        }
        Some(Verb::Clone { session, name, dns, to: Some(to) }) => {
            let id = session_control::SessionId::fresh();
            let copy = CopyOf::named(id, name, dns.as_deref().unwrap_or_default())?;
            (ends.options.on_port_conflict, ends.options.on_dns_conflict) =
                (OnConflict::Clear, OnConflict::Refuse);
            (session, to, Some(copy))
        }
        _ => return Ok(None),
    };
    let all = hosts::Hosts::of(ask.options, here)?;
    let row = all.find_to_change(&session.session)?;
    let session = row.session.uuid.parse().map_err(|error: session_control::NotAnId| {
        Refusal::usage("not-an-id", error.to_string(), "convocate-session list shows the ids")
    })?;
    if !row.also.is_empty() {
        let hosts =
            std::iter::once(&row.member).chain(&row.also).map(String::as_str).collect::<Vec<_>>().join(", ");
        let message = format!("several hosts have a session {session}: {hosts}; all are kept");
        let hint = "say which one is meant: --agent ID, or --local; convocate-session delete removes one";
        return Err(Refusal::usage("duplicate", message, hint));
    }
    let goes_to_an_agent =
        all.cluster.members().iter().any(|host| host.id == *to && host.place == Place::Agent);
    if !goes_to_an_agent {
        let message = format!("{to:?} is no agent that a session could go to");
        return Err(Refusal::new("agent", message, "convocate-session agents shows all that are registered"));
    }
    Ok(Some((Request { session, from: row.member, to: to.clone(), copy }, ends)))
}

/// The hosts, as the options say.
pub(crate) fn hosts_of(options: &Options, here: &Surroundings) -> Result<moving::Hosts, Refusal> {
    let folder: PathBuf = match &options.agent_keys_dir {
        Some(folder) => here.named(folder)?,
        None => options.profile.registry.into(),
    };
    let options_of_a_move = convocate_migrate::Options {
        allow_unverified_dns: options.allow_unverified_dns,
        ssh: options.ssh.clone(),
        ..convocate_migrate::Options::default()
    };
    Ok(moving::Hosts {
        registry: Registry::at(folder.clone()),
        folder,
        base: hosts::base(options, here)?,
        profile: options.profile,
        containers: hosts::local(options, here)?.containers,
        options: options_of_a_move,
    })
}
