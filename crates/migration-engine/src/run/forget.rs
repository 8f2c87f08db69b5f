//! Forgetting a run, and with it everything that was kept so that it could be undone.

use std::path::PathBuf;

use durable_files::{FileError, InContext, remove_tree_if_there, sync_dir};

use super::Run;
use crate::journal::Phase;
use crate::{RunId, Step};

/// Why a run was not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// Only its journal knows how to finish it or take it back.
    #[error("run {0} must be resumed or undone before it can be forgotten")]
    Unfinished(RunId),
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

impl<S: Step> Run<S> {
    /// What lies outside the run's folder and only an undo needs: replaced files, retired sources.
    pub fn stashes(&self) -> Vec<PathBuf> {
        let stashes_of = |(number, step): (u32, &S)| {
            let evidence = self.ledger.evidence(number)?;
            Some(step.stashes(&self.slot(number), &evidence))
        };
        let mut stashes: Vec<PathBuf> =
            (0..).zip(self.plan.tasks().map(|task| &task.step)).filter_map(stashes_of).flatten().collect();
        stashes.retain(|path| path.symlink_metadata().is_ok());
        stashes
    }

    /// Removes for good what the run set aside, then the run itself. Killed in between, it can be forgotten again.
    pub fn forget(self) -> Result<(), ForgetError> {
        if matches!(self.phase(), Phase::Interrupted | Phase::Undoing) {
            return Err(ForgetError::Unfinished(self.id.clone()));
        }
        for stash in self.stashes() {
            remove_tree_if_there(&stash)?;
            sync_dir(stash.parent().unwrap_or(&stash))?;
        }
        let Self { id, dir, ledger, _locks, .. } = self;
        drop(ledger); // its journal is open, and Windows removes no folder of an open file
        let runs = dir.parent().unwrap_or(&dir);
        let gone = runs.join(format!(".gone-{id}"));
        std::fs::rename(&dir, &gone).doing("forget", &dir)?;
        sync_dir(runs)?;
        Ok(remove_tree_if_there(&gone)?)
    }
}
