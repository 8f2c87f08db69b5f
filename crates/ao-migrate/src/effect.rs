//! What a run of `ao-migrate` does, and with which handles.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use migration_engine::steps::{Files, InstallFile};
use migration_engine::{StepError, World, compose_steps};
use sqlite_writer::{InsertRow, Rows, TakeSnapshot};

use crate::worktree::MoveWorktree;

compose_steps! {
    /// One effect.
    pub enum Effect, Trace in Handles {
        /// Keeps a copy of the database as it was.
        Snapshot(TakeSnapshot) with database,
        /// Copies a transcript, or one of its companions.
        Transcript(InstallFile) with files,
        /// Moves a git worktree.
        Worktree(MoveWorktree) with files,
        /// Inserts a row.
        Row(InsertRow) with database,
    }
}

/// The live handles of the one lane.
#[derive(Debug)]
pub struct Handles {
    pub(crate) files: Files,
    pub(crate) database: Lent,
}

impl World for Handles {
    fn persist(&mut self) -> Result<(), StepError> {
        self.files.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.files.settle()?;
        self.database.settle()
    }

    fn abandon(&mut self) {
        self.files.abandon();
        self.database.abandon();
    }
}

/// The one connection to the daemon's database. It is held from the guard to the end, so that no daemon can open it in
/// between, and lent to one world at a time.
#[derive(Debug)]
pub(crate) struct Guarded {
    held: Arc<Mutex<Option<Rows>>>,
    path: PathBuf,
}

/// The connection while a world works with it; it goes back when the world is dropped.
#[derive(Debug)]
pub(crate) struct Lent {
    database: Option<Rows>,
    home: Arc<Mutex<Option<Rows>>>,
}

impl Guarded {
    pub(crate) fn new(database: Rows, path: PathBuf) -> Self {
        Self { held: Arc::new(Mutex::new(Some(database))), path }
    }

    pub(crate) fn lend(&self) -> Result<Lent, StepError> {
        let database = self.held.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(|| {
            let message = format!("the connection to {} is in use already", self.path.display());
            migration_engine::Cause::new("database-lent", message).world()
        })?;
        Ok(Lent { database: Some(database), home: Arc::clone(&self.held) })
    }
}

impl Deref for Lent {
    type Target = Rows;

    fn deref(&self) -> &Rows {
        self.database.as_ref().expect("because it is given back only when this is dropped")
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Rows {
        self.database.as_mut().expect("because it is given back only when this is dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = self.database.take();
    }
}
