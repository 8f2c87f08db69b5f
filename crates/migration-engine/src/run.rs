//! A run: a plan, its journal, and the locks on its targets.

mod apply;
mod forget;
mod index;
mod lane;
mod ledger;
mod undo;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use durable_files::{DirLock, FileError, InContext, LockError, PathText, Traits, write_with};
use session_model::Timestamp;

pub use apply::ApplyError;
pub use forget::ForgetError;
pub use undo::{Drift, UndoError};

use crate::journal::{FORMAT, Journal, JournalError, Phase, Record};
use crate::state_root::ReadRunError;
use crate::{Cx, History, ItemId, Plan, Receipt, RunId, Slot, StateRoot, Step, StepError, Task, plan_file};
use index::Index;
use ledger::Ledger;

/// The locks that keep every other run off a target, whatever its state root or user; released when dropped.
#[derive(Debug)]
pub struct TargetLocks {
    locks: Vec<DirLock>,
}

impl TargetLocks {
    /// Locks every folder, or none. One that goes by several names is locked once.
    pub fn take(dirs: &[PathText]) -> Result<Self, LockError> {
        let mut real = BTreeMap::new();
        for dir in dirs {
            real.entry(dir.canonicalize().doing("open the folder", dir)?).or_insert(dir);
        }
        Ok(Self { locks: real.into_values().map(|dir| DirLock::take(dir)).collect::<Result<_, _>>()? })
    }

    /// Locks those of the folders that are still there: what is gone, nobody works on.
    fn take_what_is_there(dirs: &[PathText]) -> Result<Self, LockError> {
        let there = dirs.iter().filter(|dir| dir.try_exists().unwrap_or(true)).cloned();
        Self::take(&there.collect::<Vec<_>>())
    }

    /// With the lock on the folder of a run, so that two processes cannot take up one run even if its targets are gone.
    fn and(mut self, run: DirLock) -> Self {
        self.locks.push(run);
        self
    }
}

/// A run in progress, or one taken up again.
#[derive(Debug)]
pub struct Run<S: Step> {
    id: RunId,
    dir: PathBuf,
    plan: Plan<S>,
    index: Index,
    ledger: Ledger<S::Evidence>,
    /// The lanes whose worlds nobody has opened since the run was made: nothing was done there.
    untouched: Mutex<BTreeSet<usize>>,
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
    /// Its folder could not be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
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
        let lock = DirLock::take(&prepared)?;
        let file = prepared.join("plan.jsonl");
        let written = write_with(&file, Traits::PRIVATE, |out| plan_file::write(&plan, out))?;
        let mut journal = Journal::create(&prepared.join("journal"))?;
        let began = Record::Began { format: FORMAT, plan: written.digest, at: now };
        journal.append(&began);
        journal.sync()?;
        durable_files::sync_dir(&prepared)?;
        let dir = root.adopt(&prepared, &id)?;
        let locks = locks.and(lock.renamed(&dir)?);
        let history = History::begin(&began).expect("because this record begins a journal");
        let (index, ledger) = (Index::of(&plan), Ledger::new(journal, history));
        let untouched = Mutex::new((0..plan.lanes.len()).collect());
        Ok(Self { id, dir, plan, index, ledger, untouched, _locks: locks })
    }

    /// Takes up a run, with the locks on its targets.
    pub fn open(root: &StateRoot, id: &RunId) -> Result<Self, OpenError> {
        let summary = root.summary(id)?;
        if summary.history.format != FORMAT {
            let found = summary.history.format;
            return Err(ReadRunError::Format { run: id.clone(), found }.into());
        }
        let dir = summary.dir;
        let locks = TargetLocks::take_what_is_there(&summary.header.locks)?.and(DirLock::take(&dir)?);
        let (journal, history) = Journal::open(&dir.join("journal")).map_err(ReadRunError::from)?;
        let plan = plan_file::read(&dir.join("plan.jsonl"), history.plan).map_err(ReadRunError::from)?;
        let (index, ledger) = (Index::of(&plan), Ledger::new(journal, history));
        let untouched = Mutex::default(); // nobody knows
        Ok(Self { id: id.clone(), dir, plan, index, ledger, untouched, _locks: locks })
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

    /// Whether applying it again may do what was not done: see [`History::may_go_further`].
    pub fn may_go_further(&self) -> bool {
        self.ledger.look(History::may_go_further)
    }

    /// Whether an undo may take all there is of something: see [`History::lacks_a_source`].
    pub fn lacks_a_source(&self) -> bool {
        self.ledger.look(History::lacks_a_source)
    }

    /// Whether only another plan can go further: see [`History::needs_new_plan`].
    pub fn needs_new_plan(&self) -> bool {
        self.ledger.look(History::needs_new_plan)
    }

    /// The items of which something was done that is not taken back, each with what: the numbers of steps in the plan.
    pub fn items_done(&self) -> BTreeMap<ItemId, Vec<u32>> {
        let mut done: BTreeMap<ItemId, Vec<u32>> = BTreeMap::new();
        self.ledger.look(|history| {
            for (step, task) in (0..).zip(self.plan.tasks()) {
                if let Some(item) = task.item.filter(|_| history.evidence.contains_key(&step)) {
                    done.entry(item).or_default().push(step);
                }
            }
        });
        done
    }

    fn untouched(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.untouched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, step: u32) -> Slot {
        Slot::new(self.id.clone(), step, self.dir.clone())
    }

    /// The waves of a lane, newest first, each with its numbered tasks, newest first.
    fn newest_first(&self, lane: usize) -> impl Iterator<Item = Vec<(u32, &Task<S>)>> {
        let waves = (0..self.plan.lanes[lane].len()).rev();
        waves.map(move |wave| self.index.tasks_of(&self.plan, lane, wave).rev().collect())
    }

    /// Removes what is left of a step's staging. What bars the way to it bars nothing else.
    fn unstage(
        &self,
        world: &mut S::World,
        number: u32,
        task: &Task<S>,
        evidence: &S::Evidence,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        match task.step.unstage(world, &self.slot(number), evidence, cx) {
            Err(StepError::Item(_)) => Ok(()),
            outcome => outcome,
        }
    }

    /// Takes one step back. What cannot be taken back must not be walked past; but without evidence there is nothing at
    /// the target, and what bars the way to it (a name that cannot exist, no permission) bars nothing else.
    fn revert(
        &self,
        world: &mut S::World,
        number: u32,
        task: &Task<S>,
        evidence: Option<&S::Evidence>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        match task.step.revert(world, &self.slot(number), evidence, cx) {
            Err(StepError::Item(_)) if evidence.is_none() => Ok(()),
            outcome => outcome,
        }
    }
}
