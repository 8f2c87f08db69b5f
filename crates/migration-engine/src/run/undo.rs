//! Taking a run back, in the journal of the run itself.

use std::path::PathBuf;

use super::{ApplyError, Run};
use crate::journal::{Changed, Phase, Record};
use crate::{Cx, ItemId, Look, State, Step, StepError, Task, World, Worlds};

/// Something that is no longer as the run left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The item it belongs to.
    pub item: Option<ItemId>,
    /// What the step had done.
    pub step: String,
    /// What was found instead.
    pub found: String,
    /// Where it is moved if it is set aside; none if it cannot be.
    pub aside: Option<String>,
}

/// Why a run was not taken back.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// Something has changed since; nothing was touched.
    #[error("{} of the things this run left have changed since; nothing was touched", .0.len())]
    Drifted(Vec<Drift>),
    /// Something cannot be taken back; nothing was touched.
    #[error("cannot be undone: {0}")]
    Irreversible(String),
    /// The undo was begun and did not end: say `undo` again.
    #[error(transparent)]
    Halted(ApplyError),
}

impl From<StepError> for UndoError {
    fn from(error: StepError) -> Self {
        Self::Halted(ApplyError::from_step(error))
    }
}

/// Every step of the run that drifted, by number.
type Drifted = std::collections::BTreeMap<u32, Drift>;

impl<S: Step> Run<S> {
    /// Takes back everything this run did, newest first, after looking at all of it.
    ///
    /// Answers what had changed and was therefore kept or set aside; an undo under way goes on as
    /// it was begun, unless it is told by now what to do with what has changed. Of a run that is
    /// undone but for what was kept, that can still be set aside.
    pub fn undo<W: Worlds<S>>(
        &self,
        worlds: &W,
        changed: Changed,
        cx: &Cx<'_>,
    ) -> Result<Vec<Drift>, UndoError> {
        let may_set_aside = changed == Changed::SetAside && !self.items_done().is_empty();
        if self.phase() == Phase::Undone && !may_set_aside {
            return Ok(Vec::new());
        }
        let changed = match changed {
            Changed::Refuse if self.phase() == Phase::Undoing => {
                self.ledger.look(|history| history.changed).unwrap_or(changed)
            }
            said => said,
        };
        let mut lanes = Vec::new();
        let mut drifted = Drifted::new();
        cx.progress.begin("looking", 0, self.plan.tasks().count() as u64);
        // Whose world could not be opened cannot be asked to open it now; and there is nothing to take back.
        let untouched = self.untouched().clone();
        for lane in (0..self.plan.lanes.len()).filter(|lane| !untouched.contains(lane)) {
            let mut world = worlds.world(lane)?;
            drifted.extend(self.look_at(&mut world, lane, cx)?);
            lanes.push((lane, world));
        }
        cx.progress.end();
        let refuses = match changed {
            Changed::Refuse => !drifted.is_empty(),
            Changed::SetAside => drifted.values().any(|drift| drift.aside.is_none()),
            Changed::Keep => false,
        };
        if refuses {
            return Err(UndoError::Drifted(drifted.into_values().collect()));
        }
        self.ledger.record([Record::Undoing { at: (cx.now)(), changed }])?;
        cx.progress.begin("undoing", 0, self.plan.tasks().count() as u64);
        for (lane, mut world) in lanes.into_iter().rev() {
            let outcome = self.revert_lane(&mut world, lane, changed, &drifted, cx);
            if outcome.is_err() {
                world.abandon();
            }
            outcome?;
        }
        cx.progress.end();
        let kept = if changed == Changed::Keep { drifted.keys().copied().collect() } else { Vec::new() };
        self.ledger.record([Record::Undone { at: (cx.now)(), kept }])?;
        Ok(drifted.into_values().collect())
    }

    /// The folder of the run for what had changed and is not on another host.
    fn set_aside(&self) -> PathBuf {
        self.dir.join("set-aside")
    }

    fn look_at(&self, world: &mut S::World, lane: usize, cx: &Cx<'_>) -> Result<Drifted, UndoError> {
        let mut drifted = Drifted::new();
        for (number, task) in self.newest_first(lane).flatten() {
            cx.check()?;
            cx.progress.step_done();
            let Some(evidence) = self.ledger.evidence(number) else { continue };
            let (found, aside) = match task.step.inspect(world, Some(&evidence), Look::Full, cx) {
                Ok(State::Pending) => continue,
                Ok(State::Done) if task.step.reversible() => continue,
                Ok(State::Done) => return Err(UndoError::Irreversible(task.step.describe())),
                Ok(State::Superseded(found) | State::Conflict(found)) => {
                    (found, task.step.aside(&self.slot(number), &self.set_aside()))
                }
                Err(StepError::Item(cause)) => (cause.message, None),
                Err(error) => return Err(error.into()),
            };
            drifted.insert(number, Drift { item: task.item, step: task.step.describe(), found, aside });
        }
        Ok(drifted)
    }

    fn revert_lane(
        &self,
        world: &mut S::World,
        lane: usize,
        changed: Changed,
        drifted: &Drifted,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        for tasks in self.newest_first(lane) {
            cx.check()?;
            for (number, task) in tasks {
                let outcome = if drifted.contains_key(&number) {
                    self.revert_drifted(world, number, task, changed, cx)
                } else {
                    let evidence = self.ledger.evidence(number);
                    self.revert(world, number, task, evidence.as_ref(), cx)
                };
                // What changed between the look and the deed must not be walked past.
                outcome.map_err(StepError::fatal)?;
                cx.progress.step_done();
            }
            world.settle()?;
        }
        Ok(())
    }

    fn revert_drifted(
        &self,
        world: &mut S::World,
        number: u32,
        task: &Task<S>,
        changed: Changed,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let Some(evidence) = self.ledger.evidence(number) else { return Ok(()) };
        if changed != Changed::SetAside {
            return self.unstage(world, number, task, &evidence, cx);
        }
        let folder = self.set_aside();
        durable_files::create_private_dirs(&folder)?;
        task.step.set_aside(world, &self.slot(number), &evidence, &folder, cx)
    }
}
