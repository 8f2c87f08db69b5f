//! An orphan brought to an agent from a program that shows it itself: convocate-migrate's work, under its own name, so that
//! its verbs know the run.

use camino::Utf8Path;
use convocate_migrate::{ConvocateMigrate, ProfileName};
use migration_cli::{Migrated, Refusal, Surroundings, migrate_within};
use migration_engine::Progress;
use session_control::SessionId;

use super::Hosts;

/// Moves an orphan session of this machine to an agent. The stop flag is that of the surroundings.
pub fn migrate_orphan(
    session: &SessionId,
    agent: &str,
    hosts: &Hosts,
    state_dir: Option<&Utf8Path>,
    progress: &dyn Progress,
    here: &Surroundings,
) -> Result<Migrated, Refusal> {
    let options = convocate_migrate::Options {
        session: vec![session.to_string()],
        jobs: 1,
        docker: Some(hosts.containers.program.clone()),
        docker_argument: hosts.containers.arguments.clone(),
        shell_base: camino::Utf8PathBuf::from_path_buf(hosts.base.clone()).ok(),
        profile: ProfileName::from(hosts.profile),
        ..hosts.options_for(agent)
    };
    migrate_within(&ConvocateMigrate, &options, state_dir, progress, here)
}
