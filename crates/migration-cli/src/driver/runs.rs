//! The runs themselves: listing and showing them.

use migration_engine::{ReadRunError, RunId, RunSummary};
use session_model::Finding;

use super::session::Session;
use crate::arguments::RunsVerb;
use crate::report::{Asked, Report, Row, RunFacts, RunState};
use crate::speak::Speaker;
use crate::{Refusal, Tool};

pub(super) fn runs<T: Tool>(
    session: &Session<'_, T>,
    verb: Option<&RunsVerb>,
    speaker: &mut Speaker<'_, '_>,
) -> Result<Report, Refusal> {
    match verb {
        None | Some(RunsVerb::List) => session.list(),
        Some(RunsVerb::Show { run }) => session.show(run),
        Some(RunsVerb::Forget { runs }) => session.forget(runs, speaker),
        Some(RunsVerb::Gc { older_than }) => session.forget_old(*older_than, speaker),
    }
}

impl<T: Tool> Session<'_, T> {
    /// Every run of every tool, oldest first.
    fn list(&self) -> Result<Report, Refusal> {
        let mut listed = self.root.summaries()?;
        listed.sort_by_key(|(id, run)| (run.as_ref().ok().map(RunSummary::began), id.clone()));
        if listed.is_empty() {
            let message = format!("there are no runs in {}", self.root.path().display());
            let mut report = Report::nothing::<T>(Asked::Runs, "no-runs", message);
            report.findings.extend(self.lying_about()?);
            return Ok(report);
        }
        let items = listed.iter().map(|(id, run)| row(id, run.as_ref())).collect();
        Ok(Report { items, findings: self.lying_about()?, ..Report::new::<T>(Asked::Runs) })
    }

    /// What became of every input of a run, whatever tool made it.
    fn show(&self, id: &RunId) -> Result<Report, Refusal> {
        let run = self.root.summary(id).map_err(|error| Refusal::from(error).about(id))?;
        let state = RunState::of(&run).in_a_word();
        let stands = Finding::note(
            "run-state",
            format!(
                "run {id} of {} {} is {state}; it lies in {}",
                run.header.tool,
                run.header.version,
                run.dir.display()
            ),
        );
        let mut report = Report::of_receipt::<T>(Asked::Runs, run.receipt(), true);
        report.exit = crate::Exit::Done;
        report.findings.insert(0, stands);
        if run.stands() && !run.is_running() {
            report.then("undo", self.command_of(&run.header.tool, "undo", id));
        }
        Ok(report)
    }
}

fn row(id: &RunId, run: Result<&RunSummary, &ReadRunError>) -> Row {
    match run {
        Ok(run) => Row::of_run(id, facts(run)),
        Err(error) => {
            let unknown = RunFacts {
                state: None,
                made_by: None,
                began: None,
                counts: None,
                bytes: None,
                forgotten: None,
            };
            let findings = vec![Finding::error("unreadable-run", error.to_string())];
            Row { findings, ..Row::of_run(id, unknown) }
        }
    }
}

/// What a list says of a run.
pub(super) fn facts(run: &RunSummary) -> RunFacts {
    RunFacts {
        state: Some(RunState::of(run)),
        made_by: Some(run.header.tool.clone()),
        began: Some(run.began()),
        // What became of an unfinished run's inputs is not known yet.
        counts: (!run.is_unfinished()).then(|| run.receipt().summary()),
        bytes: None,
        forgotten: None,
    }
}
