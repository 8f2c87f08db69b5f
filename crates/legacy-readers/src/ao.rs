//! The flat files of the TypeScript agent-orchestrator (formats/ao.md §2 to §4).
//!
//! [`read`] yields [`Legacy`]: the projects of the registry, each with its own settings, and every file that stands where
//! sessions are kept, in the order in which copies of one session decide. What the reader leaves to whoever plans with
//! it: which of several copies counts, which states are over, which ids are valid, and what becomes of the sessions of a
//! project that cannot be read.

mod behaviour;
mod decode;
mod folders;
mod model;
mod origin;
mod owner;
mod portfolio;
mod project;
mod record;
mod registry;
mod session;
mod typed;
mod yaml;

use std::fs;
use std::io;
use std::path::Path;

use camino::Utf8Path;
use session_model::{Anomaly, InputId, Place, Survey};

use crate::{files, text};

pub use model::{Config, Content, Layout, Legacy, Options, Owner, ReadError, SessionFile, Skip, Source};
pub use project::{
    AgentConfig, Behaviour, Defaults, Entry, Local, Preference, Project, Registration, Repo, Role, Stamp,
    default_session_prefix,
};
pub use record::{Field, Lifecycle, SessionRecord};

/// Reads everything the old orchestrator left, changing nothing.
///
/// Bad content is part of the [`Survey`]; see [`ReadError`] for what is an error.
pub fn read(options: &Options) -> Result<Survey<Legacy>, ReadError> {
    check_named(&options.config, "the legacy config", "a readable file", open_file)?;
    check_named(&options.state_root, "the legacy root", "a readable folder", open_folder)?;
    let state_root = options.state_root.path.as_std_path();
    if let Err(why) = folders::entries(state_root)
        && is_closed(&options.config.path)
    {
        return Ok(closed(state_root, why));
    }
    let portfolio = portfolio::read(state_root);
    let registry = registry::read(options, &portfolio);
    let folders = folders::read(state_root, &owner::Projects::new(&registry.projects));
    let anomalies =
        [absence(state_root), portfolio.anomalies, registry.anomalies, folders.anomalies].concat();
    let found = Legacy {
        config: registry.config,
        defaults: registry.defaults,
        projects: registry.projects,
        sessions: folders.sessions,
        not_entered: folders.not_entered,
    };
    Ok(Survey { inputs: inputs(&found), anomalies, found })
}

/// Whether a file cannot even be looked at.
fn is_closed(path: &Utf8Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| !files::is_absence(&error))
}

/// A state root of which nothing can be read, not even the registry: one input that stands for all.
fn closed(state_root: &Path, why: Anomaly) -> Survey<Legacy> {
    let input = InputId::new("project", state_root.display().to_string());
    let found = Legacy { config: Config::Unreadable { input, why }, ..Legacy::default() };
    Survey { inputs: inputs(&found), anomalies: Vec::new(), found }
}

fn absence(state_root: &Path) -> Vec<Anomaly> {
    if state_root.exists() {
        return Vec::new();
    }
    let nothing =
        Anomaly::new("no-legacy-store", "expected the old orchestrator's files, found nothing there");
    vec![nothing.at(Place::new(state_root))]
}

/// Every session file, every registry entry, and a registry that could not be read as a whole: each once.
fn inputs(found: &Legacy) -> Vec<InputId> {
    let registry = match &found.config {
        Config::Unreadable { input, .. } => Some(input),
        Config::Missing | Config::Read { .. } => None,
    };
    let projects = found.projects.iter().map(|project| &project.input);
    let sessions = found.sessions.iter().map(|file| &file.input);
    registry.into_iter().chain(projects).chain(sessions).cloned().collect()
}

/// A path that the user named must be there; a default one need not.
fn check_named(
    source: &Source,
    what: &'static str,
    expected: &'static str,
    open: impl Fn(&Path) -> io::Result<()>,
) -> Result<(), ReadError> {
    let path = source.path.clone();
    match open(path.as_std_path()) {
        Err(error) if source.named && files::is_absence(&error) => {
            Err(ReadError::NamedMissing { what, path })
        }
        Err(source_error) if source.named => {
            Err(ReadError::NamedUnreadable { what, path, expected, source: source_error })
        }
        _ => Ok(()),
    }
}

fn open_file(path: &Path) -> io::Result<()> {
    files::open(path).map(drop)
}

fn open_folder(path: &Path) -> io::Result<()> {
    let is_folder = fs::metadata(path)?.is_dir();
    if is_folder { fs::read_dir(path).map(drop) } else { Err(io::ErrorKind::InvalidInput.into()) }
}
