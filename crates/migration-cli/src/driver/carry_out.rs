//! Doing what a plan says, and the look at what it left.

use migration_engine::{ApplyError, Cause, Look, Run, StepError};
use session_model::Finding;

use super::session::Session;
use super::sizes::size_of;
use crate::report::{Asked, Report, bytes};
use crate::{Exit, Refusal, Tool};

impl<T: Tool> Session<'_, T> {
    /// Applies a run, for the first time or again, and looks at what it left.
    pub(super) fn carry_out(
        &self,
        asked: Asked,
        run: &Run<T::Step>,
        worlds: &T::Worlds,
    ) -> Result<Report, Refusal> {
        let jobs = self.tool.jobs(self.options);
        run.apply(worlds, jobs, &self.cx()).map_err(|error| self.halted(asked, error, run))?;
        let verdict = run.verify(worlds, Look::Quick, &self.cx()).map_err(|error| self.unseen(error, run))?;
        let mut report = Report::of_receipt::<T>(asked, run.receipt(), verdict.passes()); // not in memory during that look
        if verdict.passes() {
            report.findings.extend(self.tool.make_known(&run.plan().header, self.here));
        }
        report.add_findings(verdict.findings);
        report.findings.extend(self.kept(run));
        self.offer(&mut report, run);
        Ok(report)
    }

    /// What lies at the targets only so that the run can be undone, and how to be rid of it.
    fn kept(&self, run: &Run<T::Step>) -> Option<Finding> {
        let stashes = run.stashes();
        let size = bytes(stashes.iter().map(|stash| size_of(stash)).sum());
        let forget = self.command("runs forget", run.id());
        let count =
            if stashes.len() == 1 { "1 thing".to_owned() } else { format!("{} things", stashes.len()) };
        let message = format!(
            "{count} ({size}) set aside so that the run can be undone; `{forget}` removes that for good"
        );
        (!stashes.is_empty()).then(|| Finding::note("set-aside", message))
    }

    /// The commands that go on from an ended run.
    fn offer(&self, report: &mut Report, run: &Run<T::Step>) {
        let undo = self.command("undo", run.id());
        if run.may_go_further() && run.needs_new_plan() {
            let message = format!(
                "`{undo}` takes back the whole run, so also what came of a source that was changed since; then migrate \
                 it as it is now"
            );
            report.findings.push(Finding::note(Cause::SOURCE_CHANGED, message));
        } else if run.may_go_further() {
            report.then("again", self.command("resume", run.id()));
        } else {
            for (label, verb) in self.tool.onward(&run.plan().header) {
                report.then(label, self.command(verb, run.id()));
            }
        }
        if run.lacks_a_source() {
            let message = "what came of a source that is gone may be all there is of it, and an undo of this run would \
                           remove it: save that first, or do not undo it";
            report.findings.push(Finding::note(Cause::SOURCE_GONE, message));
        } else {
            report.then("undo", undo);
        }
    }

    /// A run that was stopped stands where it is.
    fn halted(&self, asked: Asked, error: ApplyError, run: &Run<T::Step>) -> Refusal {
        let has_begun = asked == Asked::Resume || !run.items_done().is_empty();
        let [resume, undo] = ["resume", "undo"].map(|verb| self.command(verb, run.id()));
        let hint = match &error {
            ApplyError::World(_) => {
                format!("`{resume}` goes on from there once the cause is gone, `{undo}` takes it back")
            }
            _ => format!("`{resume}` goes on from there, `{undo}` takes it back"),
        };
        let refusal = match error {
            ApplyError::Stopped => {
                let exit = self.here.stop.exit().unwrap_or(Exit::Interrupted);
                Refusal::failure("stopped", format!("stopped; run {} stands where it is", run.id()), hint)
                    .exit(exit)
            }
            ApplyError::World(cause) if T::REFUSALS.contains(&&*cause.code) && !has_begun => {
                Refusal::new(cause.code, cause.message, hint)
            }
            ApplyError::World(cause) => {
                let message = format!("run {} stopped in the middle: {}", run.id(), cause.message);
                Refusal::failure(cause.code, message, hint)
            }
            ApplyError::Undone => {
                Refusal::new("undone", error.to_string(), format!("`{undo}` finishes that"))
            }
            ApplyError::Unbalanced => Refusal::failure("unbalanced", error.to_string(), hint),
        };
        refusal.about(run.id()).next([resume, undo])
    }

    /// Everything was done, but could not be looked at.
    pub(super) fn unseen(&self, error: StepError, run: &Run<T::Step>) -> Refusal {
        let [verify, undo] = ["verify", "undo"].map(|verb| self.command(verb, run.id()));
        let hint = format!("`{verify}` looks again, `{undo}` takes it back");
        let refusal = match error {
            StepError::Stopped => {
                let exit = self.here.stop.exit().unwrap_or(Exit::Interrupted);
                let message = format!("stopped while looking at what run {} left", run.id());
                Refusal::failure("stopped", message, hint).exit(exit)
            }
            StepError::Item(cause) | StepError::World(cause) => {
                let message = format!("cannot look at what run {} left: {}", run.id(), cause.message);
                Refusal::failure(cause.code, message, hint)
            }
        };
        refusal.about(run.id()).next([verify, undo])
    }
}
