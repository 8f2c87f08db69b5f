//! Forgetting runs: the only thing that removes what was kept for an undo.

use std::path::Path;

use migration_engine::{ForgetError, Run, RunId, RunSummary};
use session_model::Finding;

use super::choose::is_unfinished;
use super::runs::facts;
use super::session::Session;
use crate::report::{Asked, Report, Row, RunFacts, bytes};
use crate::speak::Speaker;
use crate::{Refusal, Tool};

const SECONDS_A_DAY: i64 = 86_400;

/// A run about to be forgotten, with the locks on its targets and the size of what it keeps.
struct Doomed<T: Tool> {
    summary: RunSummary,
    run: Run<T::Step>,
    size: u64,
}

impl<T: Tool> Session<'_, T> {
    /// Forgets the named runs, or none of them.
    pub(super) fn forget(&self, ids: &[RunId], speaker: &mut Speaker<'_, '_>) -> Result<Report, Refusal> {
        let mut doomed = Vec::new();
        for id in ids {
            let summary = self.named(id)?;
            if is_unfinished(&summary) {
                return Err(self.unfinished(&summary));
            }
            doomed.push(self.doom(summary)?);
        }
        self.forget_all(doomed, Vec::new(), speaker)
    }

    /// Forgets what ended so many days ago; what cannot be forgotten now is named and left.
    pub(super) fn forget_old(&self, days: u32, speaker: &mut Speaker<'_, '_>) -> Result<Report, Refusal> {
        let limit = (self.here.now)().as_second() - i64::from(days) * SECONDS_A_DAY;
        let (mut doomed, mut left) = (Vec::new(), Vec::new());
        let old = |run: &RunSummary| run.began().as_second() <= limit;
        for summary in self.own_runs()?.into_iter().filter(old) {
            if is_unfinished(&summary) {
                left.push(Finding::warning("left", self.unfinished(&summary).message));
                continue;
            }
            let id = summary.id.clone();
            match self.doom(summary) {
                Ok(run) => doomed.push(run),
                Err(refusal) => left.push(Finding::warning("left", format!("run {id}: {refusal}"))),
            }
        }
        if doomed.is_empty() {
            let message = format!("no run of {} has ended {days} days ago or earlier", T::NAME);
            let mut report = Report::nothing::<T>(Asked::Runs, "nothing-to-forget", message);
            report.findings.extend(left);
            return Ok(report);
        }
        self.forget_all(doomed, left, speaker)
    }

    fn doom(&self, summary: RunSummary) -> Result<Doomed<T>, Refusal> {
        let run = Run::<T::Step>::open(&self.root, &summary.id)?;
        let size = run.stashes().iter().map(|stash| size_of(stash)).sum::<u64>() + size_of(run.dir());
        Ok(Doomed { summary, run, size })
    }

    fn forget_all(
        &self,
        doomed: Vec<Doomed<T>>,
        left: Vec<Finding>,
        speaker: &mut Speaker<'_, '_>,
    ) -> Result<Report, Refusal> {
        let mut report = Report { findings: left, ..Report::new::<T>(Asked::Runs) };
        if !self.common.dry_run {
            speaker.confirm(&question(&doomed))?;
        }
        for Doomed { summary, run, size } in doomed {
            if !self.common.dry_run {
                run.forget().map_err(|error| not_forgotten(&error, &summary.id))?;
            }
            let facts =
                RunFacts { bytes: Some(size), forgotten: Some(!self.common.dry_run), ..facts(&summary) };
            report.items.push(Row::of_run(&summary.id, facts));
        }
        Ok(report)
    }
}

fn question<T: Tool>(doomed: &[Doomed<T>]) -> String {
    let size = bytes(doomed.iter().map(|run| run.size).sum());
    let kept: usize = doomed.iter().map(|run| run.run.stashes().len()).sum();
    let runs = if doomed.len() == 1 {
        format!("run {}", doomed[0].summary.id)
    } else {
        format!("{} runs", doomed.len())
    };
    let what = if kept == 1 { "1 thing".to_owned() } else { format!("{kept} things") };
    format!("forget {runs}: {size}, among it {what} set aside at the targets? It cannot be undone afterwards.")
}

fn not_forgotten(error: &ForgetError, id: &RunId) -> Refusal {
    Refusal::failure("not-forgotten", error.to_string(), "say the same command again once the cause is gone")
        .about(id)
}

/// The bytes below a path; what cannot be looked at counts nothing.
fn size_of(path: &Path) -> u64 {
    let Ok(metadata) = path.symlink_metadata() else { return 0 };
    if !metadata.is_dir() {
        return metadata.len();
    }
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries.flatten().map(|entry| size_of(&entry.path())).sum()
}
