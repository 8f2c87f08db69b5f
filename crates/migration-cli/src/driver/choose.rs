//! Which run is meant.

use migration_engine::{Phase, RunId, RunSummary};

use super::session::Session;
use crate::{Exit, Refusal, Tool};

impl<T: Tool> Session<'_, T> {
    /// The named run, which must be one of this tool.
    pub(super) fn named(&self, id: &RunId) -> Result<RunSummary, Refusal> {
        let run = self.root.summary(id).map_err(|error| Refusal::from(error).about(id))?;
        if run.header.tool == T::NAME {
            return Ok(run);
        }
        let maker = &run.header.tool;
        Err(Refusal::new(
            "another-tool",
            format!("run {id} was made by {maker}, not by {}", T::NAME),
            format!("say it to {maker}"),
        )
        .about(id))
    }

    /// The runs of this tool, newest first: those that began at the same time by name. One that cannot be read may be
    /// just the one that is meant: it is a refusal.
    pub(super) fn own_runs(&self) -> Result<Vec<RunSummary>, Refusal> {
        let listed = self.root.summaries()?.into_iter();
        let mut runs: Vec<RunSummary> = listed
            .map(|(id, run)| run.map_err(|error| Refusal::from(error).about(&id)))
            .collect::<Result<_, _>>()?;
        runs.retain(|run| run.header.tool == T::NAME);
        runs.sort_by(|one, other| (other.began(), &other.id).cmp(&(one.began(), &one.id)));
        Ok(runs)
    }

    /// The named run, else the newest that changed something and is not undone.
    pub(super) fn named_or_newest(&self, id: Option<&RunId>) -> Result<Option<RunSummary>, Refusal> {
        match id {
            Some(id) => self.named(id).map(Some),
            None => Ok(self.own_runs()?.into_iter().find(RunSummary::stands)),
        }
    }

    /// The refusal that a run calls for which has not ended: because it was interrupted, or is at work right now.
    pub(super) fn unfinished(&self, run: &RunSummary) -> Refusal {
        if run.at_work {
            let message = format!("run {} of {} is at work right now", run.id, run.header.tool);
            let hint = "wait until it has ended, then say the same command again";
            return Refusal::new("running", message, hint).about(&run.id);
        }
        let [resume, undo] = ["resume", "undo"].map(|verb| self.command_of(&run.header.tool, verb, &run.id));
        let (what, next, hint) = if run.phase() == Phase::Undoing {
            ("the undo of run", vec![undo.clone()], format!("`{undo}` finishes it"))
        } else {
            let hint = format!("`{resume}` finishes it, `{undo}` takes it back");
            ("run", vec![resume, undo], hint)
        };
        let message = format!("{what} {} of {} was interrupted", run.id, run.header.tool);
        Refusal::new("interrupted-run", message, hint).exit(Exit::Unfinished).about(&run.id).next(next)
    }
}
