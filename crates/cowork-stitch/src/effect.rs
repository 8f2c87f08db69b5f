//! What a run of `cowork-stitch` does.

use durable_files::PathText;
use migration_engine::compose_steps;
use migration_engine::steps::{Files, InstallFile, SpliceFile};

compose_steps! {
    /// One effect.
    pub enum Effect, Trace in Files {
        /// Keeps a full copy of a transcript elsewhere.
        Backup(InstallFile),
        /// Changes ids and parents in a transcript.
        Splice(SpliceFile),
    }
}

impl Effect {
    /// What it changes.
    pub(crate) fn target(&self) -> &PathText {
        match self {
            Self::Backup(step) => &step.target,
            Self::Splice(step) => &step.target,
        }
    }
}
