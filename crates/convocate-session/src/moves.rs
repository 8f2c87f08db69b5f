//! `move`, and `clone --to`: what was asked for, as the moving of sessions understands it.

use convocate_migrate::OnConflict;
use durable_files::PathText;
use migration_cli::{Ask, Refusal, Surroundings, settings_of};
use migration_engine::Header;
use serde::{Deserialize, Serialize};
use session_control::{Place, SessionId};
use session_model::Finding;

use crate::hosts;
use crate::moving::{self, CopyOf, Request};
use crate::options::Options;
use crate::refusals;
use crate::tool::ConvocateSession;
use crate::verbs::Verb;

/// The folders that keep two moves apart.
pub(crate) fn targets(options: &Options, here: &Surroundings) -> Result<Vec<PathText>, Refusal> {
    moving::targets(&network(options, here)?)
}

/// What shall move where; none if the verb moves nothing.
pub(crate) fn request(
    ask: Ask<'_, ConvocateSession>,
    here: &Surroundings,
) -> Result<Option<(Request, moving::Network)>, Refusal> {
    let mut network = network(ask.options, here)?;
    let (session, to, copy) = match ask.verb {
        Some(Verb::Move { session, to, on_port_conflict, on_dns_conflict }) => {
            (network.options.on_port_conflict, network.options.on_dns_conflict) =
                (*on_port_conflict, *on_dns_conflict);
            (session, to, None)
        }
        Some(Verb::Clone { session, name, dns, to: Some(to) }) => {
            let id = SessionId::fresh();
            let copy = CopyOf::named(id, name, dns.as_deref().unwrap_or_default())?;
            (network.options.on_port_conflict, network.options.on_dns_conflict) =
                (OnConflict::Clear, OnConflict::Refuse);
            (session, to, Some(copy))
        }
        _ => return Ok(None),
    };
    let all = hosts::Hosts::of(ask.options, here)?;
    let row = all.find_to_change(&session.session)?;
    let session: SessionId = row.session.uuid.parse().map_err(refusals::of_session)?;
    let goes_to_an_agent =
        all.cluster.members().iter().any(|host| host.id == *to && host.place == Place::Agent);
    if !goes_to_an_agent {
        let message = format!("{to:?} is no agent that a session could go to");
        return Err(Refusal::new("agent", message, "convocate-session agents shows all that are registered"));
    }
    Ok(Some((Request { session, from: row.member, to: to.clone(), copy }, network)))
}

/// What a run remembers beside what the moving does.
#[derive(Serialize, Deserialize)]
struct Remembered {
    options: Options,
}

/// Has a run remember what was said on its command line: the engine, the registry, the file of names.
pub(crate) fn remember(header: &mut Header, options: &Options, here: &Surroundings) -> Result<(), Refusal> {
    let Some(settings) = header.settings.as_object_mut() else { return Ok(()) }; // nothing moves
    let options = serde_json::to_value(options.anywhere(here)).map_err(|error| {
        Refusal::failure("plan", error.to_string(), "this is a defect of the tool: please report it")
    })?;
    settings.insert("options".to_owned(), options);
    Ok(())
}

/// What was said on the command line of a run.
pub(crate) fn remembered(header: &Header) -> Result<Options, Refusal> {
    settings_of(header).map(|Remembered { options }| options)
}

/// Has the names written anew if what a run has moved, or moved back, has one.
pub(crate) fn make_known(header: &Header, here: &Surroundings) -> Result<Vec<Finding>, Refusal> {
    if !moving::has_a_name(header)? {
        return Ok(Vec::new());
    }
    Ok(hosts::Hosts::of(&remembered(header)?, here)?.write_names(&[]))
}

/// The hosts that a move knows, as the options say.
pub(crate) fn network(options: &Options, here: &Surroundings) -> Result<moving::Network, Refusal> {
    let options_of_a_move = convocate_migrate::Options {
        allow_unverified_dns: options.allow_unverified_dns,
        ssh: options.ssh.clone(),
        ..convocate_migrate::Options::default()
    };
    Ok(moving::Network {
        registry: hosts::registry(options, here)?,
        base: hosts::base(options, here)?,
        profile: options.profile,
        containers: hosts::local(options, here)?.containers,
        options: options_of_a_move,
    })
}
