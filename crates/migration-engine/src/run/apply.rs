//! Doing what the plan says, and going on with it after any interruption: one function for both.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Run, lane::LaneRun};
use crate::journal::{Phase, Record};
use crate::{Cause, Cx, History, ItemId, Receipt, Step, StepError, Task, Worlds};

/// Why a run ended before its end. It stands where it is: `resume` goes on, `undo` takes it back.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The stop flag was set.
    #[error("stopped")]
    Stopped,
    /// The machine failed: no room, I/O, link or database lost, or the journal could not be written.
    #[error("{0}")]
    World(Cause),
    /// The run is being taken back, or is already.
    #[error("the run is being undone, or is undone already")]
    Undone,
    /// The sums do not come out: an error of this program.
    #[error("the receipt does not account for every input; please report this")]
    Unbalanced,
}

impl ApplyError {
    pub(super) fn from_step(error: StepError) -> Self {
        match error {
            StepError::Stopped => Self::Stopped,
            StepError::World(cause) | StepError::Item(cause) => Self::World(cause),
        }
    }
}

impl<S: Step> Run<S> {
    /// Does everything that is not done yet, `jobs` lanes at a time.
    ///
    /// Called on a run that had ended, it tries again what failed and could succeed now.
    pub fn apply<W: Worlds<S>>(&self, worlds: &W, jobs: usize, cx: &Cx<'_>) -> Result<Receipt, ApplyError> {
        if matches!(self.phase(), Phase::Undoing | Phase::Undone) {
            return Err(ApplyError::Undone);
        }
        // Durable before the first effect: killed from here on, a run that had ended counts as interrupted.
        self.ledger.record([Record::Applying { at: (cx.now)() }]).map_err(ApplyError::from_step)?;
        cx.progress.begin("migrating", bytes(self.plan.tasks()), self.plan.tasks().count() as u64);
        let lanes: Vec<usize> = (0..self.plan.lanes.len()).collect();
        let outcome = self.apply_lanes(&lanes, worlds, jobs, cx, LaneRun::apply).and_then(|()| {
            let unswept = lanes.iter().copied().filter(|lane| !self.failed_with_evidence(*lane).is_empty());
            self.apply_lanes(&unswept.collect::<Vec<_>>(), worlds, jobs, cx, LaneRun::sweep)
        });
        cx.progress.end();
        outcome.map_err(ApplyError::from_step)?;
        self.ledger.record([Record::Ended { at: (cx.now)() }]).map_err(ApplyError::from_step)?;
        let receipt = self.receipt();
        if receipt.balances() { Ok(receipt) } else { Err(ApplyError::Unbalanced) }
    }

    /// Says that a lane begins, if it is one of several and has an item to be named after.
    fn announce(&self, lane: usize, cx: &Cx<'_>) {
        let named = self.index.items_of(lane).first().filter(|_| self.plan.lanes.len() > 1);
        if let Some(item) = named {
            let tasks = self.plan.lanes[lane].iter().flat_map(|wave| &wave.tasks);
            cx.progress.lane_begins(&self.plan.item(*item).name, bytes(tasks));
        }
    }

    /// The failed items with steps in a lane that are not all taken back.
    pub(super) fn failed_with_evidence(&self, lane: usize) -> BTreeSet<ItemId> {
        let is_there = |history: &History<S::Evidence>, item: ItemId| {
            let steps = self.index.steps_of(&self.plan, lane, &BTreeSet::from([item]));
            steps.iter().any(|(_, number, _)| history.evidence.contains_key(number))
        };
        let items = self.index.items_of(lane).iter().copied();
        self.ledger.look(|history| {
            items.filter(|item| history.failed.contains_key(item) && is_there(history, *item)).collect()
        })
    }

    /// A few threads take lanes one after another; the first that fails keeps the others from taking a next one.
    fn apply_lanes<'a, W: Worlds<S>>(
        &'a self,
        lanes: &[usize],
        worlds: &'a W,
        jobs: usize,
        cx: &Cx<'a>,
        work_on: impl Fn(&mut LaneRun<'a, S, W>) -> Result<(), StepError> + Sync,
    ) -> Result<(), StepError> {
        let next = AtomicUsize::new(0);
        let halted = AtomicBool::new(false);
        let first_error = Mutex::new(None);
        let work = || {
            while !halted.load(Ordering::Relaxed) {
                let lane = next.fetch_add(1, Ordering::Relaxed);
                let Some(&lane) = lanes.get(lane) else { break };
                self.announce(lane, cx);
                let applied = LaneRun::open(self, worlds, lane, *cx).and_then(|mut lane| work_on(&mut lane));
                cx.progress.lane_ends();
                if let Err(error) = applied {
                    halted.store(true, Ordering::Relaxed);
                    first_error
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .get_or_insert(error);
                }
            }
        };
        // The last job is this very thread, so a run with one lane starts none.
        std::thread::scope(|scope| {
            for _ in 1..jobs.clamp(1, lanes.len().max(1)) {
                scope.spawn(work);
            }
            work();
        });
        first_error.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

/// What passes, in bytes.
fn bytes<'a, S: Step + 'a>(tasks: impl Iterator<Item = &'a Task<S>>) -> u64 {
    let costs = tasks.map(|task| task.step.cost());
    costs.fold(0, |all, cost| all.saturating_add(cost.bytes).saturating_add(cost.passing))
}
