//! What a run of `openclaw-migrate` does, and the handles it does it with.

use std::sync::OnceLock;

use migration_engine::steps::Files;
use migration_engine::{StepError, World, compose_steps};
use session_store::transcript::Conversion;
use session_store::{InstallTranscript, MergeEntries, StoreFiles};

use crate::judge::Judge;
use crate::step::{BackUp, RemoveOriginal};

compose_steps! {
    /// One effect.
    pub enum Effect, Trace in Handles {
        /// Copies an old file to the backup.
        Backup(BackUp),
        /// Writes the transcript of a session.
        Transcript(InstallTranscript<Conversion>) with store,
        /// Adds the entries of a session to the store, under its lock.
        Entries(MergeEntries) with store,
        /// Removes an old file, of which there is a copy.
        Remove(RemoveOriginal) with files,
    }
}

/// The live handles of the one lane.
#[derive(Debug)]
pub struct Handles {
    pub(crate) files: Files,
    pub(crate) store: StoreFiles,
    /// Whether an undo leaves the backup.
    pub(crate) keeps_backup: bool,
    /// The store as a verdict sees it.
    pub(crate) judge: OnceLock<Judge>,
}

impl World for Handles {
    fn persist(&mut self) -> Result<(), StepError> {
        self.files.persist()?;
        self.store.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.files.settle()?;
        self.store.settle()
    }

    fn abandon(&mut self) {
        self.files.abandon();
        self.store.abandon();
    }
}
