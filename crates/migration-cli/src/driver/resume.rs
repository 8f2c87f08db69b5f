//! Going on with a run.

use migration_engine::{Changed, Phase, Run, RunId, RunSummary};
use session_model::Finding;

use super::session::Session;
use crate::report::{Asked, Report};
use crate::{Exit, Purpose, Refusal, Tool};

pub(super) fn resume<T: Tool>(session: &Session<'_, T>, id: Option<&RunId>) -> Result<Report, Refusal> {
    session.refuse_dry_run("resume")?;
    let Some(run) = session.named_or_interrupted(id)? else {
        let message = format!("no run of {} was interrupted", T::NAME);
        return Ok(Report::nothing::<T>(Asked::Resume, "nothing-to-resume", message));
    };
    match run.phase() {
        _ if run.is_running() => Err(session.unfinished(&run)),
        Phase::Undoing => session.take_back(Asked::Resume, &run, Changed::Refuse),
        Phase::Interrupted => session.go_on(&run),
        Phase::Applied if run.history.may_go_further() => session.go_on(&run),
        Phase::Applied => {
            let message = format!("run {} has ended, and nothing in it can be tried again", run.id);
            Ok(Report::nothing::<T>(Asked::Resume, "nothing-to-resume", message))
        }
        Phase::Undone => {
            let message = format!("run {} is undone and cannot be resumed", run.id);
            Err(Refusal::new("undone", message, format!("`{}` begins anew", T::NAME)).about(&run.id))
        }
    }
}

impl<T: Tool> Session<'_, T> {
    /// The named run, else the interrupted one, else the newest if it may go further; several interrupted ones have to be
    /// named. Those at work are not meant, unless there is no other.
    fn named_or_interrupted(&self, id: Option<&RunId>) -> Result<Option<RunSummary>, Refusal> {
        if let Some(id) = id {
            return self.named(id).map(Some);
        }
        let (unfinished, ended): (Vec<_>, Vec<_>) =
            self.own_runs()?.into_iter().partition(RunSummary::is_unfinished);
        let (mut running, mut runs): (Vec<_>, Vec<_>) = unfinished.into_iter().partition(|run| run.at_work);
        if runs.len() < 2 {
            let newest = || ended.into_iter().find(|run| run.phase() == Phase::Applied);
            let open = || newest().filter(|run| run.history.may_go_further());
            return Ok(runs.pop().or_else(|| running.pop()).or_else(open));
        }
        let next: Vec<String> = runs.iter().map(|run| self.command("resume", &run.id)).collect();
        let found = runs.iter().map(|run| {
            let targets: Vec<String> = run.header.locks.iter().map(|dir| dir.display().to_string()).collect();
            Finding::note("interrupted-run", format!("run {} on {}", run.id, targets.join(", ")))
        });
        Err(Refusal::new(
            "several-interrupted",
            format!("{} runs of {} were interrupted: which one?", runs.len(), T::NAME),
            format!("name one: `{}`", next[0]),
        )
        .exit(Exit::Usage)
        .findings(found.collect())
        .next(next))
    }

    fn go_on(&self, summary: &RunSummary) -> Result<Report, Refusal> {
        let run = Run::<T::Step>::open(&self.root, &summary.id)?;
        let worlds =
            self.tool.worlds(&run.plan().header, run.dir(), self.options, Purpose::Apply, self.here)?;
        self.carry_out(Asked::Resume, &run, &worlds)
    }
}
