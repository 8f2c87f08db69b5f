//! Taking a run back.

use std::collections::{BTreeMap, BTreeSet};

use migration_engine::{ApplyError, Changed, Drift, ItemId, Phase, Run, RunSummary, Step, UndoError};
use session_model::Finding;

use super::session::Session;
use crate::arguments::UndoArgs;
use crate::report::{Asked, Fate, Own, Report, Row, TAKEN_BACK};
use crate::{Exit, Purpose, Refusal, Tool};

pub(super) fn undo<T: Tool>(session: &Session<'_, T>, args: &UndoArgs) -> Result<Report, Refusal> {
    session.refuse_dry_run("undo")?;
    match session.named_or_newest(args.run.as_ref())? {
        None => {
            let message =
                format!("no run of {} is left to undo in {}", T::NAME, session.root.path().display());
            let report = Report::nothing::<T>(Asked::Undo, "nothing-to-undo", message);
            Ok(session.with_kept(report, &session.own_runs()?))
        }
        Some(run) if run.is_running() => Err(session.unfinished(&run)),
        Some(run) if run.phase() == Phase::Undone && !(run.kept() > 0 && args.sets_aside()) => {
            let message = format!("run {} is undone already", run.id);
            let report = Report::nothing::<T>(Asked::Undo, "already-undone", message);
            Ok(session.with_kept(report, &[run]))
        }
        Some(run) => session.take_back(Asked::Undo, &run, args.changed()),
    }
}

impl<T: Tool> Session<'_, T> {
    /// Names the runs that are undone but for what had changed since, and what can be done about it.
    fn with_kept(&self, mut report: Report, runs: &[RunSummary]) -> Report {
        for run in runs.iter().filter(|run| run.kept() > 0) {
            let set_aside = format!("{} --set-aside", self.command("undo", &run.id));
            let message = format!(
                "run {} is undone, but {} that had changed since stayed: leave that, or `{set_aside}` moves it to a \
                 folder of the run and restores what was there before",
                run.id,
                count(run.kept())
            );
            report.findings.push(Finding::note("kept", message));
            report.then("aside", set_aside);
        }
        report
    }

    /// Undoes a run that stands, or goes on undoing it.
    pub(super) fn take_back(
        &self,
        asked: Asked,
        summary: &RunSummary,
        changed: Changed,
    ) -> Result<Report, Refusal> {
        self.refuse_newer(summary)?;
        let run = Run::<T::Step>::open(&self.root, &summary.id)?;
        let worlds =
            self.tool.worlds(&run.plan().header, run.dir(), self.options, Purpose::Undo, self.here)?;
        // An undo under way goes on as it was begun, unless it is told otherwise by now.
        let goes_on = changed == Changed::Refuse && summary.phase() == Phase::Undoing;
        let changed = summary.history.changed.filter(|_| goes_on).unwrap_or(changed);
        let done = run.items_done();
        let drifted = run.undo(&worlds, changed, &self.cx()).map_err(|error| self.not_undone(error, &run))?;
        let keeps = changed != Changed::SetAside && !drifted.is_empty() && can_be_set_aside(&drifted);
        let mut report = Self::undone(asked, &run, changed, &done, drifted);
        report.findings.extend(self.tool.left(&run.plan().header));
        report.findings.extend(self.tool.make_known(&run.plan().header, self.here));
        if keeps {
            report.then("aside", format!("{} --set-aside", self.command("undo", run.id())));
        }
        Ok(report)
    }

    fn refuse_newer(&self, run: &RunSummary) -> Result<(), Refusal> {
        let newer = self.root.newer_than(run)?;
        if newer.is_empty() {
            return Ok(());
        }
        if let Some(running) = newer.iter().find(|run| run.is_running()) {
            return Err(self.unfinished(running));
        }
        let undo = |run: &RunSummary| self.command_of(&run.header.tool, "undo", &run.id);
        let next: Vec<String> = newer.iter().chain([run]).map(undo).collect();
        let names: Vec<&str> = newer.iter().map(|run| run.id.as_str()).collect();
        let message =
            format!("run {} has newer runs on the same target, which go first: {}", run.id, names.join(", "));
        Err(Refusal::new("newer-runs", message, format!("`{}`", next[0])).about(&run.id).next(next))
    }

    fn undone(
        asked: Asked,
        run: &Run<T::Step>,
        changed: Changed,
        done: &BTreeMap<ItemId, Vec<u32>>,
        drifted: Vec<Drift>,
    ) -> Report {
        let mut report = Report { run: Some(run.id().clone()), was_done: true, ..Report::new::<T>(asked) };
        let (fate, code) = match changed {
            Changed::SetAside => (Fate::SetAside, "set-aside"),
            Changed::Keep | Changed::Refuse => (Fate::Kept, "kept"),
        };
        if fate == Fate::Kept && !drifted.is_empty() {
            report.exit = Exit::Partial;
        }
        if fate == Fate::SetAside {
            let places: BTreeSet<&String> = drifted.iter().filter_map(|drift| drift.aside.as_ref()).collect();
            report.findings.extend(places.into_iter().map(|place| {
                Finding::note("set-aside", format!("what had changed since was moved to {place}"))
            }));
        }
        let mut by_item: BTreeMap<Option<ItemId>, Vec<Finding>> = BTreeMap::new();
        for drift in drifted {
            let finding = Finding::warning(code, format!("{}: {}", drift.step, drift.found));
            by_item.entry(drift.item).or_default().push(finding);
        }
        report.findings.extend(by_item.remove(&None).unwrap_or_default());
        let (tasks, kept): (Vec<_>, _) = (run.plan().tasks().collect(), run.items_done());
        for (id, steps) in done {
            let mut findings = by_item.remove(&Some(*id)).unwrap_or_default();
            if let Some(kept) = kept.get(id) {
                let taken_back = steps.iter().filter(|step| !kept.contains(step));
                findings.extend(taken_back.map(|step| {
                    let step = tasks[*step as usize].step.describe();
                    Finding::note(TAKEN_BACK, format!("taken back: {step}"))
                }));
            }
            let undone = if findings.is_empty() { Fate::Restored } else { fate };
            let own = Own::Undone { undone };
            report.items.push(Row { findings, own, ..Row::named(run.plan().item(*id)) });
        }
        report
    }

    fn not_undone(&self, error: UndoError, run: &Run<T::Step>) -> Refusal {
        let undo = self.command("undo", run.id());
        let refusal = match error {
            UndoError::Drifted(drifted) => {
                let message = format!(
                    "{} of what run {} left has changed since; nothing was touched",
                    count(drifted.len()),
                    run.id()
                );
                let keep = format!("`{undo} --keep-changed` leaves that and takes back the rest");
                let (hint, flags) = if can_be_set_aside(&drifted) {
                    let hint = format!(
                        "{keep}, `{undo} --set-aside` moves it out of the way and takes back everything"
                    );
                    (hint, &["--keep-changed", "--set-aside"][..])
                } else {
                    (keep, &["--keep-changed"][..])
                };
                let findings = drifted.into_iter().map(|Drift { step, found, aside, .. }| {
                    let stays = if aside.is_some() { "" } else { "; that cannot be set aside" };
                    Finding::warning("drifted", format!("{step}: {found}{stays}"))
                });
                Refusal::new("drifted", message, hint)
                    .findings(findings.collect())
                    .next(flags.iter().map(|flag| format!("{undo} {flag}")))
            }
            UndoError::Irreversible(what) => {
                let message = format!("run {} cannot be undone: {what}", run.id());
                let verify = self.command("verify", run.id());
                Refusal::new("irreversible", message, format!("`{verify}` shows what it left"))
            }
            UndoError::Halted(ApplyError::Stopped) => {
                let exit = self.here.stop.exit().unwrap_or(Exit::Interrupted);
                let message = format!("stopped while undoing run {}", run.id());
                Refusal::failure("stopped", message, format!("`{undo}` goes on")).exit(exit).next([undo])
            }
            UndoError::Halted(error) => {
                let message = format!("cannot go on undoing run {}: {error}", run.id());
                Refusal::failure("undo-halted", message, format!("`{undo}` goes on once the cause is gone"))
                    .next([undo])
            }
        };
        refusal.about(run.id())
    }
}

fn can_be_set_aside(drifted: &[Drift]) -> bool {
    drifted.iter().all(|drift| drift.aside.is_some())
}

fn count(things: usize) -> String {
    if things == 1 { "one thing".to_owned() } else { format!("{things} things") }
}
