//! A migration within another program, which asks and shows what there is itself.

use std::sync::Arc;

use camino::Utf8Path;
use migration_engine::{Progress, RunId, Sums};
use session_model::Finding;

use super::migrate::migrate;
use super::session::Session;
use crate::arguments::Common;
use crate::{Exit, Refusal, Surroundings, Tool};

/// What became of a migration.
#[derive(Debug, Clone)]
pub struct Migrated {
    /// How the tool would have ended.
    pub exit: Exit,
    /// The run, if anything was to be done.
    pub run: Option<RunId>,
    /// What became of the inputs.
    pub summary: Sums,
    /// What there is to say, of single items too.
    pub findings: Vec<Finding>,
    /// Commands that go on from there, such as its undo.
    pub next: Vec<String>,
}

/// Carries out a tool's migration as its command line would, with these options. The stop flag is that of the surroundings.
///
/// Nothing is printed, and nobody is asked anything.
pub fn migrate_within<T: Tool>(
    tool: &T,
    options: &T::Options,
    state_dir: Option<&Utf8Path>,
    progress: Arc<dyn Progress>,
    here: &Surroundings,
) -> Result<Migrated, Refusal> {
    let common = Common { state_dir: state_dir.map(Utf8Path::to_path_buf), quiet: true, ..Common::default() };
    let session = Session::within((tool, options), &common, here, progress)?;
    let report = migrate(&session, session.ask(None))?;
    let of_items = report.items.iter().flat_map(|item| &item.findings);
    Ok(Migrated {
        exit: report.exit,
        summary: report.summary,
        findings: report.findings.iter().chain(of_items).cloned().collect(),
        next: report.next.into_iter().map(|next| next.command).collect(),
        run: report.run,
    })
}
