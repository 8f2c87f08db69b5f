//! The migration itself: guards, plan, and what is done with it.

use durable_files::{DirLock, LockError, LockHolder, PathText};
use migration_engine::{Changed, Receipt, Run, RunId, TargetLocks, check_room};

use super::session::Session;
use crate::report::{Asked, Report};
use crate::{Ask, Exit, Mode, Prepared, Refusal, Tool, Verbs};

pub(super) fn migrate<T: Tool>(session: &Session<'_, T>, ask: Ask<'_, T>) -> Result<Report, Refusal> {
    let asked = ask.verb.map_or(Asked::Apply, |verb| Asked::Own(verb.name()));
    let targets = session.tool.targets(ask, session.here)?;
    let locks = TargetLocks::take(&targets).map_err(|error| session.taken(error, &targets))?;
    if let Some(run) = session.root.interrupted_on(&targets)? {
        return Err(session.unfinished(&run));
    }
    let mode = if session.common.dry_run { Mode::DryRun } else { Mode::Apply };
    let Prepared { plan, worlds } = session.prepare(ask, mode, &targets)?;
    session.refuse_leftovers(&plan)?;
    if !plan.is_settled() {
        check_room(&plan, session.root.path())?;
    }
    if mode == Mode::DryRun {
        let pending = !plan.is_settled();
        let mut report =
            Report::of_receipt::<T>(Asked::Plan, Receipt::planned(plan.header, plan.items), true);
        if pending {
            report.then("apply", session.without_dry_run());
        }
        return Ok(report);
    }
    if plan.is_settled() {
        return Ok(Report::of_receipt::<T>(asked, Receipt::planned(plan.header, plan.items), true));
    }
    let now = (session.here.now)();
    let run = Run::create(&session.root, RunId::new(now, session.here.salt), plan, locks, now)?;
    match session.carry_out(asked, &run, &worlds) {
        Err(refusal) if refusal.exit == Exit::Refused => Err(session.not_begun(refusal, run, &worlds)),
        outcome => outcome,
    }
}

impl<T: Tool> Session<'_, T> {
    /// Takes back and forgets a run that was refused before it had done anything.
    fn not_begun(&self, refusal: Refusal, run: Run<T::Step>, worlds: &T::Worlds) -> Refusal {
        let is_gone = run.undo(worlds, Changed::Refuse, &self.cx()).is_ok() && run.forget().is_ok();
        if !is_gone {
            return refusal;
        }
        let hint = "nothing was written; say the same command again once the cause is gone".to_owned();
        Refusal { hint, run: None, next: Vec::new(), ..refusal }
    }

    /// Whoever has a target is at work there, with a run that may be known here already.
    fn taken(&self, error: LockError, targets: &[PathText]) -> Refusal {
        let holder = match &error {
            LockError::Held(dir) => DirLock::holder(dir),
            LockError::File(_) => None,
        };
        let refusal = Refusal::from(error);
        match self.root.interrupted_on(targets) {
            Ok(Some(run)) if run.at_work => {
                let message = format!("{}; that is run {}", refusal.message, run.id);
                // Only of a run of ours it is known that it goes on when it is stopped so.
                let hint = holder.map_or(refusal.hint.clone(), |LockHolder { process, .. }| {
                    format!("{}; `kill -INT {process}` stops it where it can go on later", refusal.hint)
                });
                Refusal { message, hint, ..refusal }.about(&run.id)
            }
            _ => refusal,
        }
    }

    fn prepare(&self, ask: Ask<'_, T>, mode: Mode, targets: &[PathText]) -> Result<Prepared<T>, Refusal> {
        let prepared = self.tool.prepare(ask, mode, self.here, &self.cx());
        if let Some(exit) = self.here.stop.exit() {
            let hint = "say the same command again";
            return Err(Refusal::new("stopped", "stopped before anything was written", hint).exit(exit));
        }
        let mut prepared = prepared?;
        let header = &mut prepared.plan.header;
        (header.tool, header.version) = (T::NAME.to_owned(), T::VERSION.to_owned());
        header.locks = targets.to_vec();
        Ok(prepared)
    }
}
