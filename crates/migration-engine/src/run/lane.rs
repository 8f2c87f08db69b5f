//! One lane, wave by wave: stage, record, publish, settle.

use std::collections::{BTreeMap, BTreeSet};

use session_model::{Finding, Level};

use super::Run;
use crate::journal::Record;
use crate::step::OCCUPIED;
use crate::{Bucket, Cause, Cx, ItemId, Look, State, Step, StepError, Task, Wave, WaveKind, World, Worlds};

/// A lane being applied, with its world.
pub(super) struct LaneRun<'a, S: Step, W> {
    run: &'a Run<S>,
    worlds: &'a W,
    world: S::World,
    lane: usize,
    cx: Cx<'a>,
    /// Steps taken back whose folders are not durable yet: told to the journal when the wave is settled.
    taken_back: Vec<u32>,
}

/// A step of the wave under way, with its number in the plan.
type Numbered<'a, S> = (u32, &'a Task<S>);

/// A staged step and what is needed to publish it.
type Staged<'a, S> = (Numbered<'a, S>, <S as Step>::Evidence);

impl<'a, S: Step, W: Worlds<S>> LaneRun<'a, S, W> {
    pub(super) fn open(run: &'a Run<S>, worlds: &'a W, lane: usize, cx: Cx<'a>) -> Result<Self, StepError> {
        let world = worlds.world(lane)?;
        run.untouched().remove(&lane);
        Ok(Self { run, worlds, world, lane, cx, taken_back: Vec::new() })
    }

    /// Applies every wave that is not settled, and in the settled ones what was taken back or had to stay and is tried
    /// again.
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
        let mut todo: Vec<Numbered<'a, S>> =
            self.run.index.tasks_of(&self.run.plan, self.lane, number).collect();
        self.run.ledger.look(|history| {
            let is_open = |item| {
                history.ever_failed.contains(&item)
                    || wave.kind == WaveKind::Retire && history.ever_stayed.contains(&item)
            };
            if history.settled.contains(&settled_name) {
                todo.retain(|(_, task)| task.item.is_none_or(is_open));
            }
        });
        let mut todo = self.pending(wave.kind, todo)?;
        if wave.kind == WaveKind::Retire {
            todo = self.verified(todo)?;
        }
        let staged = self.stage(wave, &todo)?;
        self.publish(wave, &staged)?;
        self.settle()?;
        self.run.ledger.note(Record::Settled { lane: settled_name.0, wave: settled_name.1 });
        Ok(())
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.world.settle()?;
        self.taken_back.drain(..).for_each(|step| self.run.ledger.note(Record::TakenBack { step }));
        Ok(())
    }

    /// Takes back the items that failed while this lane was not at work: for want of an item of another lane, or just
    /// before the run was killed.
    pub(super) fn sweep(&mut self) -> Result<(), StepError> {
        let failed = self.run.failed_with_evidence(self.lane);
        self.take_back(&failed)?;
        self.settle()
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
                Ok(State::Done | State::Superseded(_)) => {
                    if let Some(evidence) = &evidence {
                        self.run.unstage(&mut self.world, number, task, evidence, &self.cx)?;
                    }
                    self.cx.progress.step_done();
                }
                Ok(State::Conflict(found)) => {
                    let message = format!("cannot {}: {found}", task.step.describe());
                    let cause = match kind {
                        WaveKind::Publish => Cause::new(OCCUPIED, message),
                        WaveKind::Retire => Cause::source_changed(message),
                    };
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
                judged = Some((item, self.stands(item, number)?));
            }
            if judged.is_some_and(|(_, stands)| stands) {
                verified.push((number, task));
            }
        }
        Ok(verified)
    }

    /// Whether everything done for an item before this step is as it was left, and the tool accepts it; if not, says why
    /// its source stays.
    fn stands(&mut self, item: ItemId, before: u32) -> Result<bool, StepError> {
        let mut findings = Vec::new();
        let steps = self.run.index.steps_of(&self.run.plan, self.lane, &BTreeSet::from([item]));
        let published =
            |(kind, number, _): &(WaveKind, u32, _)| *kind == WaveKind::Publish && *number < before;
        for (_, number, task) in steps.into_iter().filter(published) {
            let evidence = self.run.ledger.evidence(number);
            let found = match self.inspect(task, evidence.as_ref(), Look::Full) {
                Ok(State::Done | State::Superseded(_)) => continue,
                Ok(State::Pending) => "it is gone".into(),
                Ok(State::Conflict(found)) => found,
                Err(StepError::Item(cause)) => cause.message,
                Err(error) => return Err(error),
            };
            findings.push(Finding::error("not-as-left", format!("{}: {found}", task.step.describe())));
        }
        findings.extend(self.worlds.judge(&mut self.world, self.run.plan.item(item)));
        self.cx.check()?; // whoever wants to stop may have kept the tool from looking to the end
        let stands = findings.iter().all(|finding| finding.level < Level::Error);
        for finding in findings.into_iter().filter(|finding| finding.level == Level::Error) {
            self.run.ledger.note(Record::Noted { item, finding });
        }
        Ok(stands)
    }

    /// Stages the wave, makes its content durable, and then its evidence with one sync.
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
        self.world.persist().map_err(StepError::fatal)?;
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
        let together = wave.tasks.iter().filter_map(|task| task.item).filter(|item| !self.has_failed(*item));
        let name = &self.run.plan.item(culprit).name;
        let fell = Cause::new("fell-together", format!("in one transaction with {name}: {cause}"));
        let fates = together.map(|item| (item, (Bucket::Failed, fell.clone()))).collect();
        self.fail(culprit, Bucket::Failed, cause, fates)
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
            let source = if cause.code == Cause::SOURCE_GONE { "is gone" } else { "stays" };
            let finding = Finding::warning(cause.code, format!("the source {source}: {}", cause.message));
            self.run.ledger.note(Record::Noted { item, finding });
            return Ok(());
        }
        self.fail(item, bucket, &cause, BTreeMap::new())
    }

    /// Fails an item, those that share its fate, and everything that needs any of them; then takes them all back.
    fn fail(
        &mut self,
        culprit: ItemId,
        bucket: Bucket,
        cause: &Cause,
        mut fates: BTreeMap<ItemId, (Bucket, Cause)>,
    ) -> Result<(), StepError> {
        fates.insert(culprit, (bucket, cause.clone()));
        let name = &self.run.plan.item(culprit).name;
        let mut needed =
            Cause::new("needs-failed", format!("it needs {name}, which did not arrive: {cause}"));
        // What it needs comes with a new plan or not at all: then the same holds for this.
        needed.needs_new_plan = bucket == Bucket::Conflict || cause.needs_new_plan;
        let mut lost = self.run.index.dependants(fates.keys().copied().collect());
        lost.retain(|item| !self.has_failed(*item));
        let records = lost.iter().map(|item| {
            let (bucket, cause) = fates.remove(item).unwrap_or_else(|| (Bucket::Failed, needed.clone()));
            Record::Failed { item: *item, bucket, cause }
        });
        self.run.ledger.record(records.collect::<Vec<_>>())?;
        self.take_back(&lost)
    }

    /// Takes back what was done for these items in this run, newest first. What is no longer ours is left alone, and its
    /// evidence kept: an undo will name it.
    fn take_back(&mut self, items: &BTreeSet<ItemId>) -> Result<(), StepError> {
        let steps = self.run.index.steps_of(&self.run.plan, self.lane, items);
        for (_, number, task) in steps.into_iter().rev() {
            let evidence = self.run.ledger.evidence(number);
            let ours = match &evidence {
                None => true,
                Some(evidence) => match self.inspect(task, Some(evidence), Look::Full) {
                    Ok(State::Done | State::Pending) => true,
                    Ok(State::Superseded(_) | State::Conflict(_)) | Err(StepError::Item(_)) => false,
                    Err(error) => return Err(error),
                },
            };
            match self.run.revert(&mut self.world, number, task, evidence.as_ref(), &self.cx) {
                Ok(()) if evidence.is_some() => self.taken_back.push(number),
                Err(StepError::Item(_)) if !ours => {}
                outcome => outcome.map_err(StepError::fatal)?,
            }
        }
        Ok(())
    }

    fn inspect(
        &mut self,
        task: &Task<S>,
        evidence: Option<&S::Evidence>,
        look: Look,
    ) -> Result<State, StepError> {
        task.step.inspect(&mut self.world, evidence, look, &self.cx)
    }

    fn has_failed(&self, item: ItemId) -> bool {
        self.run.ledger.look(|history| history.failed.contains_key(&item))
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).expect("because a plan has fewer than 2^32 lanes and waves")
}
