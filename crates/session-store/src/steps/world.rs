//! The world of a store: files, and the lock that keeps other programs off it.

use std::path::{Path, PathBuf};

use migration_engine::steps::{FileWorld, Files};
use migration_engine::{Cause, Cx, StepError, World};

use crate::{Held, LockError, Patience};

/// Files, and the lock of the store while entries are merged.
#[derive(Debug, Default)]
pub struct StoreFiles {
    files: Files,
    patience: Patience,
    held: Option<Held>,
    /// A folder where a killed program of ours may have left its lock.
    abandoned: Option<PathBuf>,
}

impl StoreFiles {
    /// The world of somebody who waits this long for a lock.
    pub fn new(patience: Patience) -> Self {
        Self { patience, ..Self::default() }
    }

    /// Locks the store in a folder until what is done there is settled or given up.
    pub(super) fn lock(&mut self, folder: &Path, cx: &Cx<'_>) -> Result<(), StepError> {
        if self.held.is_none() {
            self.held = Some(Held::take(folder, &self.patience, cx.stop).map_err(cause)?);
        }
        Ok(())
    }

    /// Fails if somebody has taken the lock from us.
    pub(super) fn must_be_locked(&self) -> Result<(), StepError> {
        self.held.as_ref().map_or(Ok(()), |held| held.check().map_err(cause))
    }

    /// Has an abandoned lock of ours removed once everything is settled.
    pub(super) fn clear(&mut self, folder: &Path) {
        self.abandoned = Some(folder.to_path_buf());
    }
}

impl FileWorld for StoreFiles {
    fn files(&mut self) -> &mut Files {
        &mut self.files
    }
}

impl World for StoreFiles {
    fn persist(&mut self) -> Result<(), StepError> {
        self.files.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.files.settle()?;
        self.held.take().map_or(Ok(()), Held::release)?;
        match self.abandoned.take().filter(|folder| folder.is_dir()) {
            Some(folder) => Ok(Held::clear_abandoned(&folder)?),
            None => Ok(()),
        }
    }

    fn abandon(&mut self) {
        self.files.abandon();
        self.held = None;
    }
}

/// Whatever is wrong with the lock is wrong for every entry.
fn cause(error: LockError) -> StepError {
    match error {
        LockError::Stopped => StepError::Stopped,
        LockError::File(error) => error.into(),
        LockError::TimedOut { .. } | LockError::Lost(_) => {
            Cause::new("store-locked", error.to_string()).world()
        }
    }
}
