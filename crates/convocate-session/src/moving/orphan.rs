//! An orphan brought to an agent from a program that shows it itself: convocate-migrate's work, under its own name, so that
//! its verbs know the run.

use std::sync::Arc;

use camino::Utf8Path;
use convocate_migrate::ConvocateMigrate;
use migration_cli::{Migrated, Refusal, Surroundings, migrate_within};
use migration_engine::Progress;
use session_control::SessionId;

use super::Network;

/// Moves an orphan session of this machine to an agent. The stop flag is that of the surroundings.
pub fn migrate_orphan(
    session: &SessionId,
    agent: &str,
    network: &Network,
    state_dir: Option<&Utf8Path>,
    progress: Arc<dyn Progress>,
    here: &Surroundings,
) -> Result<Migrated, Refusal> {
    let options = convocate_migrate::Options {
        session: vec![session.to_string()],
        jobs: 1,
        docker: Some(network.containers.program.clone()),
        docker_argument: network.containers.arguments.clone(),
        shell_base: Utf8Path::from_path(&network.base).map(Utf8Path::to_owned),
        ..network.options_for(agent)
    };
    migrate_within(&ConvocateMigrate, &options, state_dir, progress, here)
}
