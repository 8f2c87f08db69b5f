//! What a run of `cowork-stitch` does.

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
