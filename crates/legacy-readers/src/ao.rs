//! The flat files of the TypeScript agent-orchestrator (formats/ao.md §2 to §4).

mod model;
mod project;
mod record;

pub use model::{Config, Content, Layout, Legacy, Options, Owner, ReadError, SessionFile, Skip, Source};
pub use project::{
    AgentConfig, Behaviour, Defaults, Entry, Local, Preference, Project, Registration, Repo, Role, Stamp,
    default_session_prefix,
};
pub use record::{Field, Lifecycle, SessionRecord};

use session_model::Survey;

/// Reads everything the old orchestrator left, changing nothing.
///
/// Bad content is part of the [`Survey`]; see [`ReadError`] for the one thing that is an error.
pub fn read(options: &Options) -> Result<Survey<Legacy>, ReadError> {
    let _ = options;
    Ok(Survey::default())
}
