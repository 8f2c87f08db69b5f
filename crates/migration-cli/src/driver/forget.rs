//! Forgetting runs: the only thing that removes what was kept for an undo.

use std::path::PathBuf;

use migration_engine::{ForgetError, Run, RunId, RunSummary};
use session_model::Finding;

use super::runs::facts;
use super::session::Session;
use super::sizes::size_of;
use crate::report::{Asked, Report, Row, RunFacts, bytes};
use crate::speak::Speaker;
use crate::{Refusal, Tool};

const SECONDS_A_DAY: i64 = 86_400;

/// A run about to be forgotten, and what it keeps: in bytes, in things set aside at the targets, and in what was brought
/// for it and no run needs that stays.
struct Doomed {
    summary: RunSummary,
    size: u64,
    set_aside: usize,
    brought: Vec<PathBuf>,
}

impl<T: Tool> Session<'_, T> {
    /// Forgets the named runs, or none of them.
    pub(super) fn forget(&self, ids: &[RunId], speaker: &mut Speaker<'_, '_>) -> Result<Report, Refusal> {
        let mut doomed = Vec::new();
        for id in ids {
            let summary = self.named(id)?;
            if summary.is_unfinished() {
                return Err(self.unfinished(&summary));
            }
            doomed.push(self.doom(summary)?);
        }
        self.forget_all(doomed, &[], Vec::new(), speaker)
    }

    /// Forgets what ended so many days ago; what cannot be forgotten now is named and left.
    pub(super) fn forget_old(&self, days: u32, speaker: &mut Speaker<'_, '_>) -> Result<Report, Refusal> {
        let limit = (self.here.now)().as_second() - i64::from(days) * SECONDS_A_DAY;
        let lying = self.unneeded_since(limit)?;
        let (mut doomed, mut left) = (Vec::new(), Vec::new());
        for (id, summary) in self.root.summaries()? {
            let summary = match summary {
                Ok(run) if run.header.tool != T::NAME || run.began().as_second() > limit => continue,
                Ok(run) => run,
                Err(error) => {
                    left.push(Finding::warning("left", format!("run {id}: {error}")));
                    continue;
                }
            };
            if summary.is_unfinished() {
                left.push(Finding::warning("left", self.unfinished(&summary).message));
                continue;
            }
            match self.doom(summary) {
                Ok(run) => doomed.push(run),
                Err(refusal) => left.push(Finding::warning("left", format!("run {id}: {refusal}"))),
            }
        }
        if doomed.is_empty() && lying.is_empty() {
            let message = format!("no run of {} has ended {days} days ago or earlier", T::NAME);
            let mut report = Report::nothing::<T>(Asked::Runs, "nothing-to-forget", message);
            report.findings.extend(left);
            return Ok(report);
        }
        self.forget_all(doomed, &lying, left, speaker)
    }

    /// Looks at what a run keeps. Its locks are released again: two of the runs may be on one target.
    fn doom(&self, summary: RunSummary) -> Result<Doomed, Refusal> {
        let run = Run::<T::Step>::open(&self.root, &summary.id)?;
        let stashes = run.stashes();
        let size = stashes.iter().map(|stash| size_of(stash)).sum::<u64>() + size_of(run.dir());
        Ok(Doomed { summary, size, set_aside: stashes.len(), brought: Vec::new() })
    }

    /// Gives what goes with them to the last run that needs it.
    fn add_brought(&self, doomed: &mut [Doomed]) -> Result<(), Refusal> {
        let ids: Vec<RunId> = doomed.iter().map(|run| run.summary.id.clone()).collect();
        for path in self.unneeded(&ids)? {
            if let Some(last) = doomed.iter_mut().rev().find(|run| self.needs(&run.summary, &path)) {
                last.size += size_of(&path);
                last.brought.push(path);
            }
        }
        Ok(())
    }

    fn forget_all(
        &self,
        mut doomed: Vec<Doomed>,
        lying: &[PathBuf],
        left: Vec<Finding>,
        speaker: &mut Speaker<'_, '_>,
    ) -> Result<Report, Refusal> {
        let for_real = !self.common.dry_run;
        self.add_brought(&mut doomed)?;
        let mut report = Report { findings: left, was_done: for_real, ..Report::new::<T>(Asked::Runs) };
        if for_real {
            speaker.confirm(&question(&doomed, lying).into())?;
        }
        for Doomed { summary, size, brought, .. } in doomed {
            if for_real {
                let run = Run::<T::Step>::open(&self.root, &summary.id)?;
                run.forget().map_err(|error| not_forgotten(&error, &summary.id))?;
                for bundle in brought {
                    report.findings.extend(self.remove(&bundle)?);
                }
            }
            let facts = RunFacts { bytes: Some(size), forgotten: Some(for_real), ..facts(&summary) };
            report.items.push(Row::of_run(&summary.id, facts));
        }
        for path in lying {
            report.findings.push(self.clear(path, for_real)?);
        }
        Ok(report)
    }
}

fn question(doomed: &[Doomed], lying: &[PathBuf]) -> String {
    let brought = lying.iter().map(|path| size_of(path)).sum::<u64>();
    let size = bytes(doomed.iter().map(|run| run.size).sum::<u64>() + brought);
    let set_aside = match doomed.iter().map(|run| run.set_aside).sum::<usize>() {
        0 => String::new(),
        1 => ", with one thing set aside at its target".to_owned(),
        many => format!(", with {many} things set aside at the targets"),
    };
    let runs = match doomed {
        [] => "what was brought for runs that never came".to_owned(),
        [run] => format!("run {}", run.summary.id),
        runs => format!("{} runs", runs.len()),
    };
    format!("forget {runs} ({size}{set_aside})? It cannot be undone afterwards.")
}

fn not_forgotten(error: &ForgetError, id: &RunId) -> Refusal {
    Refusal::failure("not-forgotten", error.to_string(), "say the same command again once the cause is gone")
        .about(id)
}
