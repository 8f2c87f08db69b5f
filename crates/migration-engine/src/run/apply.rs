//! Doing what the plan says, and going on with it after any interruption: one function for both.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Run, lane::LaneRun};
use crate::journal::{Phase, Record};
use crate::{Cause, Cx, Receipt, Step, StepError, Worlds};

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
        self.ledger.note(Record::Applying { at: (cx.now)() });
        let costs = || self.plan.tasks().map(|task| task.step.cost().bytes);
        cx.progress.begin("migrating", costs().sum(), costs().count() as u64);
        let outcome = self.apply_lanes(worlds, jobs, cx);
        cx.progress.end();
        outcome.map_err(ApplyError::from_step)?;
        self.ledger.record([Record::Ended { at: (cx.now)() }]).map_err(ApplyError::from_step)?;
        let receipt = self.receipt();
        if receipt.balances() { Ok(receipt) } else { Err(ApplyError::Unbalanced) }
    }

    /// A few threads take lanes one after another; the first that fails keeps the others from taking a next one.
    fn apply_lanes<W: Worlds<S>>(&self, worlds: &W, jobs: usize, cx: &Cx<'_>) -> Result<(), StepError> {
        let next = AtomicUsize::new(0);
        let halted = AtomicBool::new(false);
        let first_error = Mutex::new(None);
        let work = || {
            while !halted.load(Ordering::Relaxed) {
                let lane = next.fetch_add(1, Ordering::Relaxed);
                if lane >= self.plan.lanes.len() {
                    break;
                }
                let applied = LaneRun::open(self, worlds, lane, *cx).and_then(|mut lane| lane.apply());
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
            for _ in 1..jobs.clamp(1, self.plan.lanes.len().max(1)) {
                scope.spawn(work);
            }
            work();
        });
        first_error.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
    }
}
