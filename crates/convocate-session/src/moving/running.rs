//! Whether a session runs where it is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use migration_cli::Stop;
use remote_transfer::Remote;
use session_control::{AgentError, Containers, ContainersError, Profile, Use};
use session_model::Finding;

use super::settings::End;
use crate::watched::Watched;

/// What is known of it.
pub(super) enum Runs {
    /// It does, and which container it is where that is told.
    Yes(Option<String>),
    /// It does not.
    No,
    /// Its agent says that it does not, and its engine could not be asked: why.
    Perhaps(String),
}

/// Why nothing is.
pub(super) enum NotKnown {
    /// The agent has not said.
    Agent(AgentError),
    /// The agent does not know the session.
    NotThere,
    /// The agent's engine does not tell it what runs.
    NotTold,
    /// The engine of this machine has not said.
    Engine(ContainersError),
}

impl std::fmt::Display for NotKnown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Agent(error) => error.fmt(f),
            Self::NotTold => f.write_str("its container engine does not say what runs"),
            Self::NotThere => f.write_str("it is not there"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

/// Asks whoever has it: an agent, or the engine of this machine.
pub(super) fn runs(
    (end, remote): (&End, &Remote),
    uuid: &str,
    containers: &Containers,
    stop: &Stop,
) -> Result<Runs, NotKnown> {
    let Some(api) = &end.api else { return here(end, uuid, containers) };
    let mut link = Watched::new(api.open(), stop);
    let told = session_control::get(&mut link, uuid).map_err(NotKnown::Agent)?.ok_or(NotKnown::NotThere)?;
    match told.runs() {
        Some(true) => return Ok(Runs::Yes(None)),
        Some(false) => {}
        None => return Err(NotKnown::NotTold),
    }
    let agent = session_control::ping(&mut link).map_err(NotKnown::Agent)?;
    Ok(if agent.is_ours() { Runs::No } else { as_its_engine_tells((end, remote), uuid, stop) })
}

fn here(end: &End, uuid: &str, containers: &Containers) -> Result<Runs, NotKnown> {
    let folder = Path::new(OsStr::from_bytes(&end.base)).join(uuid);
    let folder = folder.canonicalize().unwrap_or(folder);
    let running = containers.running().map_err(NotKnown::Engine)?;
    let using = running.iter().find(|container| container.use_of(uuid, &folder) == Some(Use::InUse));
    Ok(using.map_or(Runs::No, |container| Runs::Yes(Some(container.name().to_owned()))))
}

/// An original agent says that a session does not run whenever its engine does not answer it (formats/convocate.md §20.3).
/// There is a shell on that host, and so a way to the engine itself.
fn as_its_engine_tells((end, remote): (&End, &Remote), uuid: &str, stop: &Stop) -> Runs {
    let command = end.command(include_str!("engine.sh"), &[]);
    let names = match remote.far().link().run(&command, b"", &mut stop.clone()) {
        Ok(ended) if ended.is_success() => String::from_utf8_lossy(&ended.stdout).into_owned(),
        Ok(ended) => return Runs::Perhaps(ended.complaint()),
        Err(error) => return Runs::Perhaps(error.to_string()),
    };
    let its = names.split([',', '\n']).find(|name| Profile::any_names(name, uuid));
    its.map_or(Runs::No, |name| Runs::Yes(Some(name.to_owned())))
}

/// That it was not the engine that said so.
pub(super) fn perhaps(end: &End, uuid: &str, why: &str) -> Finding {
    let message = format!(
        "agent {} says that {uuid} does not run, as it does when its container engine is in trouble; the engine itself was \
         not asked: {why}",
        end.id
    );
    Finding::warning("engine-not-asked", message)
}
