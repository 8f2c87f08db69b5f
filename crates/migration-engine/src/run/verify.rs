//! Whether what a run left still stands: bytes by the engine, meaning by the tool.

use session_model::Finding;

use super::Run;
use crate::receipt::arrived;
use crate::{Cx, ItemId, Look, State, Step, StepError, Task, Verdict, WaveKind, Worlds};

impl<S: Step> Run<S> {
    /// Looks at every step that was done (an item in conflict at one place may have arrived at another), then lets the
    /// tool judge every item that arrived.
    pub fn verify<W: Worlds<S>>(&self, worlds: &W, look: Look, cx: &Cx<'_>) -> Result<Verdict, StepError> {
        let mut verdict = Verdict::default();
        cx.progress.begin("verifying", 0, self.plan.tasks().count() as u64);
        for lane in 0..self.plan.lanes.len() {
            let mut world = worlds.world(lane)?;
            self.look_at_bytes(&mut world, lane, look, cx, &mut verdict)?;
            for id in self.index.items_of(lane).iter().copied().filter(|id| self.has_arrived(*id)) {
                let findings = worlds.judge(&mut world, self.plan.item(id));
                verdict.findings.extend(findings.into_iter().map(|finding| (Some(id), finding)));
            }
        }
        cx.progress.end();
        Ok(verdict)
    }

    /// Newest first, as before an undo: a world may have to know the later of two things to judge the earlier.
    fn look_at_bytes(
        &self,
        world: &mut S::World,
        lane: usize,
        look: Look,
        cx: &Cx<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), StepError> {
        let kinds = self.plan.lanes[lane].iter().rev().map(|wave| wave.kind);
        let tasks = kinds
            .zip(self.newest_first(lane))
            .flat_map(|(kind, tasks)| tasks.into_iter().map(move |task| (kind, task)));
        for (kind, (number, task)) in tasks {
            cx.check()?;
            cx.progress.step_done();
            if task.item.is_some_and(|item| self.has_failed(item)) {
                continue;
            }
            let evidence = self.ledger.evidence(number);
            let found = match task.step.inspect(world, evidence.as_ref(), look, cx) {
                Err(StepError::Item(cause)) => Some(Finding::error(cause.code, cause.message)),
                state => finding(kind, task, state?),
            };
            verdict.findings.extend(found.map(|finding| (task.item, finding)));
        }
        Ok(())
    }

    fn has_arrived(&self, id: ItemId) -> bool {
        arrived(&self.plan.item(id).planned) && !self.has_failed(id)
    }

    fn has_failed(&self, id: ItemId) -> bool {
        self.ledger.look(|history| history.failed.contains_key(&id))
    }
}

fn finding<S: Step>(kind: WaveKind, task: &Task<S>, state: State) -> Option<Finding> {
    let step = task.step.describe();
    match state {
        State::Done => None,
        State::Superseded(more) => Some(Finding::note(Verdict::SUPERSEDED, format!("{step}: {more}"))),
        State::Pending if kind == WaveKind::Retire => {
            Some(Finding::error("source-stays", format!("{step}: it is still where it was")))
        }
        State::Pending => Some(Finding::error("missing", format!("{step}: it is not there"))),
        State::Conflict(found) => Some(Finding::error("changed", format!("{step}: {found}"))),
    }
}
