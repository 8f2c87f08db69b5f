//! What a run of `cowork-stitch` does.

use migration_engine::compose_steps;
use migration_engine::steps::{Files, InstallFile, SpliceFile};

compose_steps! {
    /// One effect.
    pub enum Effect, Trace in Handles {
        /// Keeps a full copy of a transcript elsewhere.
        Backup(InstallFile) with files,
        /// Changes ids and parents in a transcript.
        Splice(SpliceFile) with files,
    }
}

/// The live handles of the one lane.
#[derive(Debug, Default)]
pub struct Handles {
    pub(crate) files: Files,
}

impl migration_engine::World for Handles {
    fn persist(&mut self) -> Result<(), migration_engine::StepError> {
        self.files.persist()
    }

    fn settle(&mut self) -> Result<(), migration_engine::StepError> {
        self.files.settle()
    }

    fn abandon(&mut self) {
        self.files.abandon();
    }
}
