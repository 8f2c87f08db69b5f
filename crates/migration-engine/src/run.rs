//! A run: a plan, its journal, and the locks on its targets.

mod apply;
mod forget;
mod lane;
mod ledger;
mod undo;
mod verify;

use std::path::{Path, PathBuf};

use durable_files::{Digest, DirLock, FileError, LockError, PathText, Traits, write_file};
use session_model::Timestamp;

pub use apply::ApplyError;
pub use forget::ForgetError;
pub use undo::{Drift, UndoError};

use crate::journal::{FORMAT, Journal, JournalError, Phase, Record};
use crate::state_root::ReadRunError;
use crate::{History, Plan, Receipt, RunId, Slot, StateRoot, Step, Task, plan_file};
use ledger::Ledger;

/// The locks that keep every other run off a target, whatever its state root or user; released when dropped.
#[derive(Debug)]
pub struct TargetLocks {
    _locks: Vec<DirLock>,
}

impl TargetLocks {
    /// Locks every folder, or none: in one order, so that two runs cannot wait for each other.
    pub fn take(dirs: &[PathText]) -> Result<Self, LockError> {
        let mut dirs: Vec<&Path> = dirs.iter().map(AsRef::as_ref).collect();
        dirs.sort_unstable();
        dirs.dedup();
        Ok(Self { _locks: dirs.into_iter().map(DirLock::take).collect::<Result<_, _>>()? })
    }
}

/// A run in progress, or one taken up again.
#[derive(Debug)]
pub struct Run<S: Step> {
    id: RunId,
    dir: PathBuf,
    plan: Plan<S>,
    ledger: Ledger<S::Evidence>,
    _locks: TargetLocks,
}

/// Why a run could not be created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The plan could not be written.
    #[error(transparent)]
    Copy(#[from] durable_files::CopyError),
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Why a run could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadRunError),
    /// Another process holds a target.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl<S: Step> Run<S> {
    /// Writes plan and journal of a new run, durably, before anything is done.
    pub fn create(
        root: &StateRoot,
        id: RunId,
        plan: Plan<S>,
        locks: TargetLocks,
        now: Timestamp,
    ) -> Result<Self, CreateError> {
        let prepared = root.prepare(&id)?;
        let bytes = plan_file::write(&plan);
        write_file(&bytes, &prepared.join("plan.jsonl"), Traits::PRIVATE)?;
        let mut journal = Journal::create(&prepared.join("journal"))?;
        let began = Record::Began { format: FORMAT, plan: Digest::of(&bytes), at: now };
        journal.append(&began);
        journal.sync()?;
        durable_files::sync_dir(&prepared)?;
        let dir = root.adopt(&prepared, &id)?;
        let history = History::begin(&began).expect("because this record begins a journal");
        Ok(Self { id, dir, plan, ledger: Ledger::new(journal, history), _locks: locks })
    }

    /// Takes up a run, with the locks on its targets.
    pub fn open(root: &StateRoot, id: &RunId) -> Result<Self, OpenError> {
        let summary = root.summary(id)?;
        if summary.history.format != FORMAT {
            let found = summary.history.format;
            return Err(ReadRunError::Format { run: id.clone(), found }.into());
        }
        let locks = TargetLocks::take(&summary.header.locks)?;
        let dir = summary.dir;
        let (journal, history) = Journal::open(&dir.join("journal")).map_err(ReadRunError::from)?;
        let plan = plan_file::read(&dir.join("plan.jsonl"), history.plan).map_err(ReadRunError::from)?;
        Ok(Self { id: id.clone(), dir, plan, ledger: Ledger::new(journal, history), _locks: locks })
    }

    /// Its name.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// Its folder, which is private: tools may keep there what an undo or a person may need.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its plan.
    pub fn plan(&self) -> &Plan<S> {
        &self.plan
    }

    /// Where it stands.
    pub fn phase(&self) -> Phase {
        self.ledger.look(|history| history.phase)
    }

    /// What became of every input so far.
    pub fn receipt(&self) -> Receipt {
        self.ledger
            .look(|history| Receipt::of(self.id.clone(), self.plan.header.clone(), &self.plan.items, history))
    }

    fn slot(&self, step: u32) -> Slot {
        Slot::new(self.id.clone(), step, self.dir.clone())
    }

    /// The number of the first step of each wave of a lane.
    fn wave_starts(&self, lane: usize) -> Vec<u32> {
        let steps = |waves: &[crate::Wave<S>]| waves.iter().map(|wave| wave.tasks.len()).sum::<usize>();
        let mut next: usize = self.plan.lanes[..lane].iter().map(|waves| steps(waves)).sum();
        let mut starts = Vec::new();
        for wave in &self.plan.lanes[lane] {
            starts.push(u32::try_from(next).expect("because a plan has fewer than 2^32 steps"));
            next += wave.tasks.len();
        }
        starts
    }

    /// The waves of a lane, newest first, each with its numbered tasks, newest first.
    fn newest_first(&self, lane: usize) -> impl Iterator<Item = Vec<(u32, &Task<S>)>> {
        let waves = self.wave_starts(lane).into_iter().zip(&self.plan.lanes[lane]).rev();
        waves.map(|(start, wave)| {
            let mut tasks: Vec<_> = (start..).zip(&wave.tasks).collect();
            tasks.reverse();
            tasks
        })
    }
}
