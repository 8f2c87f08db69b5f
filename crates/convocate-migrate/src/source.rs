//! This end: the sessions that are here, and which of them are meant.

use std::path::PathBuf;

use camino::Utf8Path;
use legacy_readers::convocate::{self, Session, session_id};
use migration_cli::{Refusal, Surroundings};
use session_model::Survey;

use crate::options::Options;

/// Where the sessions are.
pub(crate) fn base(options: &Options, here: &Surroundings) -> Result<PathBuf, Refusal> {
    let profile = options.profile;
    let base = options.shell_base.as_deref().unwrap_or(Utf8Path::new(profile.home));
    let base = here.named(base)?;
    base.canonicalize().map_err(|error| {
        let message = format!("cannot find the sessions in {}: {error}", base.display());
        Refusal::new("shell-base", message, "name the folder with --shell-base DIR")
    })
}

/// Every session of the base.
pub(crate) fn survey(base: &std::path::Path) -> Result<Survey<Vec<Session>>, Refusal> {
    convocate::read(base).map_err(|error| {
        let message = format!("cannot list the sessions in {}: {error}", base.display());
        Refusal::new("shell-base", message, "say it again as root: sudo convocate-migrate …")
    })
}

/// The sessions that are meant. Nothing said is a usage error that lists what there is.
pub(crate) fn chosen(survey: Survey<Vec<Session>>, options: &Options) -> Result<Vec<Session>, Refusal> {
    if options.all {
        return Ok(survey.found);
    }
    let orphans =
        || survey.found.iter().map(|session| format!("--session {}", session.uuid)).collect::<Vec<_>>();
    if options.session.is_empty() {
        let message = "neither --session UUID nor --all was said";
        let hint = match orphans() {
            none if none.is_empty() => "there are no orphan sessions here".to_owned(),
            orphans => format!("say --all, or one or more of: {}", orphans.join(", ")),
        };
        return Err(Refusal::usage("no-session", message, hint));
    }
    let mut chosen: Vec<Session> = Vec::new();
    for uuid in &options.session {
        if session_id(uuid.as_ref()).is_none() {
            let message =
                format!("{uuid:?} is not the id of a session: expected 36 characters, in lower case");
            return Err(Refusal::usage("not-an-id", message, "convocate-migrate list shows them"));
        }
        let Some(session) = survey.found.iter().find(|session| session.uuid == *uuid) else {
            let message = format!("there is no session {uuid} here: no folder with a session.json");
            return Err(Refusal::new("no-such-session", message, "convocate-migrate list shows them"));
        };
        if chosen.iter().all(|chosen| chosen.uuid != *uuid) {
            chosen.push(session.clone());
        }
    }
    Ok(chosen)
}
