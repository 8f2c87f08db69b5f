//! One lane, wave by wave: stage, record, publish, settle.

use std::collections::BTreeSet;

use session_model::{Finding, Level};

use super::Run;
use crate::journal::Record;
use crate::{Bucket, Cause, Cx, ItemId, Look, State, Step, StepError, Task, Wave, WaveKind, World, Worlds};

/// A lane being applied, with its world.
pub(super) struct LaneRun<'a, S: Step, W> {
    run: &'a Run<S>,
    worlds: &'a W,
    world: S::World,
    lane: usize,
    /// The number of the first step of each wave.
    starts: Vec<u32>,
    cx: Cx<'a>,
}

/// A step of the wave under way, with its number in the plan.
type Numbered<'a, S> = (u32, &'a Task<S>);

/// A staged step and what is needed to publish it.
type Staged<'a, S> = (Numbered<'a, S>, <S as Step>::Evidence);

impl<'a, S: Step, W: Worlds<S>> LaneRun<'a, S, W> {
    pub(super) fn open(run: &'a Run<S>, worlds: &'a W, lane: usize, cx: Cx<'a>) -> Result<Self, StepError> {
        let starts = run.wave_starts(lane);
        Ok(Self { run, worlds, world: worlds.world(lane)?, lane, starts, cx })
    }

    /// Applies every wave that is not settled, and in the settled ones what was taken back and is tried again.
    pub(super) fn apply(&mut self) -> Result<(), StepError> {
        let run = self.run;
        for (number, wave) in run.plan.lanes[self.lane].iter().enumerate() {
            self.cx.check()?;
            let outcome = self.apply_wave(number, wave);
            if outcome.is_err() {
                self.world.abandon();
            }
            outcome?;
        }
        Ok(())
    }

    fn apply_wave(&mut self, number: usize, wave: &'a Wave<S>) -> Result<(), StepError> {
        let settled_name = (count(self.lane), count(number));
        let mut todo: Vec<Numbered<'a, S>> = (self.starts[number]..).zip(&wave.tasks).collect();
        self.run.ledger.look(|history| {
            if history.settled.contains(&settled_name) {
                todo.retain(|(_, task)| task.item.is_none_or(|item| history.ever_failed.contains(&item)));
            }
        });
        let mut todo = self.pending(wave.kind, todo)?;
        if wave.kind == WaveKind::Retire {
            todo = self.verified(todo)?;
        }
        let staged = self.stage(wave, &todo)?;
        self.publish(wave, &staged)?;
        self.world.settle()?;
        self.run.ledger.note(Record::Settled { lane: settled_name.0, wave: settled_name.1 });
        Ok(())
    }

    /// The steps of items still standing that have something to do; conflicts fail their item here.
    fn pending(
        &mut self,
        kind: WaveKind,
        todo: Vec<Numbered<'a, S>>,
    ) -> Result<Vec<Numbered<'a, S>>, StepError> {
        let mut pending = Vec::new();
        for (number, task) in todo {
            if task.item.is_some_and(|item| self.has_failed(item)) {
                continue;
            }
            let evidence = self.run.ledger.evidence(number);
            match self.inspect(task, evidence.as_ref(), Look::Quick) {
                Ok(State::Pending) => pending.push((number, task)),
                Ok(State::Done | State::Superseded(_)) => self.cx.progress.step_done(),
                Ok(State::Conflict(found)) => {
                    let cause = Cause::new("occupied", format!("cannot {}: {found}", task.step.describe()));
                    self.give_up(kind, task, Bucket::Conflict, cause)?;
                }
                Err(StepError::Item(cause)) => self.give_up(kind, task, Bucket::Failed, cause)?,
                Err(error) => return Err(error),
            }
        }
        Ok(pending)
    }

    /// Before sources are touched: only steps of items that stand, byte for byte and by meaning.
    fn verified(&mut self, todo: Vec<Numbered<'a, S>>) -> Result<Vec<Numbered<'a, S>>, StepError> {
        let mut verified = Vec::new();
        let mut judged: Option<(ItemId, bool)> = None;
        for (number, task) in todo {
            let Some(item) = task.item else {
                verified.push((number, task));
                continue;
            };
            if judged.is_none_or(|(last, _)| last != item) {
                judged = Some((item, self.stands(item)?));
            }
            if judged.is_some_and(|(_, stands)| stands) {
                verified.push((number, task));
            }
        }
        Ok(verified)
    }

    /// Whether everything done for an item so far is as it was left, and the tool accepts it; if not, says why its
    /// source stays.
    fn stands(&mut self, item: ItemId) -> Result<bool, StepError> {
        let mut findings = Vec::new();
        for (number, task) in self.steps_of(&BTreeSet::from([item])) {
            let Some(evidence) = self.run.ledger.evidence(number) else { continue };
            let state = self.inspect(task, Some(&evidence), Look::Full)?;
            if let State::Pending | State::Conflict(_) = state {
                let found = if let State::Conflict(found) = state { found } else { "it is gone".into() };
                findings.push(Finding::error("not-as-left", format!("{}: {found}", task.step.describe())));
            }
        }
        findings.extend(self.worlds.judge(&mut self.world, self.run.plan.item(item)));
        let stands = findings.iter().all(|finding| finding.level < Level::Error);
        for finding in findings.into_iter().filter(|finding| finding.level == Level::Error) {
            self.run.ledger.note(Record::Noted { item, finding });
        }
        Ok(stands)
    }

    /// Stages the wave and makes its evidence durable with one sync.
    fn stage(&mut self, wave: &Wave<S>, todo: &[Numbered<'a, S>]) -> Result<Vec<Staged<'a, S>>, StepError> {
        let mut staged: Vec<Staged<'a, S>> = Vec::with_capacity(todo.len());
        for (number, task) in todo {
            self.cx.check()?;
            if task.item.is_some_and(|item| self.has_failed(item)) {
                continue;
            }
            match task.step.stage(&mut self.world, &self.run.slot(*number), &self.cx) {
                Ok(evidence) => staged.push(((*number, task), evidence)),
                Err(StepError::Item(cause)) if wave.together => {
                    self.fall_together(wave, task, &cause)?;
                    return Ok(Vec::new());
                }
                Err(StepError::Item(cause)) => self.give_up(wave.kind, task, Bucket::Failed, cause)?,
                Err(error) => return Err(error),
            }
        }
        staged.retain(|((_, task), _)| !task.item.is_some_and(|item| self.has_failed(item)));
        self.run.ledger.record(
            staged
                .iter()
                .map(|((step, _), evidence)| Record::Staged { step: *step, evidence: evidence.clone() }),
        )?;
        Ok(staged)
    }

    fn publish(&mut self, wave: &Wave<S>, staged: &[Staged<'a, S>]) -> Result<(), StepError> {
        for ((number, task), evidence) in staged {
            if task.item.is_some_and(|item| self.has_failed(item)) {
                continue;
            }
            match task.step.publish(&mut self.world, &self.run.slot(*number), evidence) {
                Ok(()) => self.cx.progress.step_done(),
                Err(StepError::Item(cause)) if wave.together => {
                    return self.fall_together(wave, task, &cause);
                }
                Err(StepError::Item(cause)) => self.give_up(wave.kind, task, Bucket::Failed, cause)?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One transaction stands or falls together: what was done in it is gone, and every item in it has failed.
    fn fall_together(&mut self, wave: &Wave<S>, culprit: &Task<S>, cause: &Cause) -> Result<(), StepError> {
        self.world.abandon();
        let Some(culprit) = culprit.item else { return Err(cause.clone().world()) };
        let others: BTreeSet<ItemId> =
            wave.tasks.iter().filter_map(|task| task.item).filter(|item| !self.has_failed(*item)).collect();
        let name = &self.run.plan.item(culprit).name;
        let fell = Cause::new("fell-together", format!("in one transaction with {name}: {cause}"));
        let records = others.iter().map(|item| {
            let cause = if *item == culprit { cause } else { &fell };
            Record::Failed { item: *item, bucket: Bucket::Failed, cause: cause.clone() }
        });
        self.run.ledger.record(records)?;
        self.take_back(&others)
    }

    /// An item will not arrive. In a retire wave it already has: then only its source stays.
    fn give_up(
        &mut self,
        kind: WaveKind,
        task: &Task<S>,
        bucket: Bucket,
        cause: Cause,
    ) -> Result<(), StepError> {
        let Some(item) = task.item else { return Err(cause.world()) };
        if kind == WaveKind::Retire {
            let finding = Finding::warning(cause.code, format!("the source stays: {}", cause.message));
            self.run.ledger.note(Record::Noted { item, finding });
            return Ok(());
        }
        let lost = self.dependants(item);
        let name = &self.run.plan.item(item).name;
        let needed = Cause::new("needs-failed", format!("it needs {name}, which did not arrive: {cause}"));
        let records = lost.iter().map(|lost| {
            let (bucket, cause) = if *lost == item { (bucket, &cause) } else { (Bucket::Failed, &needed) };
            Record::Failed { item: *lost, bucket, cause: cause.clone() }
        });
        self.run.ledger.record(records)?;
        self.take_back(&lost)
    }

    /// The item and everything that needs it, directly or not, and has not failed already.
    fn dependants(&self, item: ItemId) -> BTreeSet<ItemId> {
        let mut lost = BTreeSet::from([item]);
        loop {
            let before = lost.len();
            for (id, other) in (0..).map(ItemId).zip(&self.run.plan.items) {
                if other.needs.iter().any(|need| lost.contains(need)) && !self.has_failed(id) {
                    lost.insert(id);
                }
            }
            if lost.len() == before {
                return lost;
            }
        }
    }

    /// Takes back what was done for these items in this run, newest first. What is no longer ours is left alone.
    fn take_back(&mut self, items: &BTreeSet<ItemId>) -> Result<(), StepError> {
        for (number, task) in self.steps_of(items).into_iter().rev() {
            let evidence = self.run.ledger.evidence(number);
            let ours = match &evidence {
                None => None,
                Some(evidence) => match self.inspect(task, Some(evidence), Look::Full)? {
                    State::Done | State::Pending => Some(evidence),
                    State::Superseded(_) | State::Conflict(_) => None,
                },
            };
            // What cannot be taken back must not be walked past.
            task.step
                .revert(&mut self.world, &self.run.slot(number), ours, &self.cx)
                .map_err(StepError::fatal)?;
            if evidence.is_some() {
                self.run.ledger.note(Record::TakenBack { step: number });
            }
        }
        Ok(())
    }

    fn steps_of(&self, items: &BTreeSet<ItemId>) -> Vec<Numbered<'a, S>> {
        let run = self.run;
        let tasks = run.plan.lanes[self.lane].iter().flat_map(|wave| &wave.tasks);
        (self.starts.first().copied().unwrap_or(0)..)
            .zip(tasks)
            .filter(|(_, task)| task.item.is_some_and(|item| items.contains(&item)))
            .collect()
    }

    fn inspect(
        &mut self,
        task: &Task<S>,
        evidence: Option<&S::Evidence>,
        look: Look,
    ) -> Result<State, StepError> {
        task.step.inspect(&mut self.world, evidence, look)
    }

    fn has_failed(&self, item: ItemId) -> bool {
        self.run.ledger.look(|history| history.failed.contains_key(&item))
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).expect("because a plan has fewer than 2^32 lanes and waves")
}
