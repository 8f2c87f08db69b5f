//! Whether what a run left still stands.

use migration_engine::{Look, Phase, Run, RunId};

use super::choose::is_unfinished;
use super::session::Session;
use crate::report::{Asked, Report};
use crate::{Exit, Purpose, Refusal, Tool};

pub(super) fn verify<T: Tool>(session: &Session<'_, T>, id: Option<&RunId>) -> Result<Report, Refusal> {
    let Some(summary) = session.named_or_newest(id)? else {
        let message =
            format!("there is no run of {} to verify in {}", T::NAME, session.root.path().display());
        return Err(Refusal::new("no-run", message, format!("`{} runs` lists what there is", T::NAME)));
    };
    if is_unfinished(&summary) {
        return Err(session.unfinished(&summary));
    }
    if summary.phase() == Phase::Undone {
        let message = format!("run {} is undone: there is nothing to verify", summary.id);
        return Err(Refusal::new("undone", message, format!("`{} runs` lists the others", T::NAME))
            .about(&summary.id));
    }
    let run = Run::<T::Step>::open(&session.root, &summary.id)?;
    let worlds = session.tool.worlds(&run.plan().header, run.dir(), Purpose::Verify, session.here)?;
    let verdict =
        run.verify(&worlds, Look::Full, &session.cx()).map_err(|error| session.unseen(error, &run))?;
    let mut report = Report::of_receipt::<T>(Asked::Verify, run.receipt());
    report.exit = if verdict.passes() { Exit::Done } else { Exit::Unverified };
    report.add_findings(verdict.findings);
    report.then("undo", session.command("undo", run.id()));
    Ok(report)
}
