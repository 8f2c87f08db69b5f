//! Whether what a run left still stands.

use std::collections::BTreeSet;

use migration_engine::{Bucket, ItemId, Look, Outcome, Phase, Receipt, Run, RunId, Verdict};
use session_model::{Finding, Level};

use super::session::Session;
use crate::report::{Asked, GROWN, Report};
use crate::{Exit, Purpose, Refusal, Tool};

pub(super) fn verify<T: Tool>(session: &Session<'_, T>, id: Option<&RunId>) -> Result<Report, Refusal> {
    let Some(summary) = session.named_or_newest(id)? else {
        let message =
            format!("there is no run of {} to verify in {}", T::NAME, session.root.path().display());
        return Err(Refusal::new("no-run", message, format!("`{} runs` lists what there is", T::NAME)));
    };
    if summary.is_unfinished() {
        return Err(session.unfinished(&summary));
    }
    if summary.phase() == Phase::Undone {
        let message = format!("run {} is undone: there is nothing to verify", summary.id);
        return Err(Refusal::new("undone", message, format!("`{} runs` lists the others", T::NAME))
            .about(&summary.id));
    }
    let run = Run::<T::Step>::open(&session.root, &summary.id)?;
    let worlds =
        session.tool.worlds(&run.plan().header, run.dir(), session.options, Purpose::Verify, session.here)?;
    let verdict =
        run.verify(&worlds, Look::Full, &session.cx()).map_err(|error| session.unseen(error, &run))?;
    let exit = if verdict.passes() { Exit::Done } else { Exit::Unverified };
    let mut receipt = run.receipt();
    receipt.header.findings.clear(); // they are of the time of the plan, and were said then
    let rest = take_grown(&mut receipt, verdict.findings);
    let mut report = Report { exit, ..Report::of_receipt::<T>(Asked::Verify, receipt, true) };
    report.add_findings(rest);
    report.then("undo", session.command("undo", run.id()));
    Ok(report)
}

/// Counts as superseded what has honestly grown since, and answers the other findings.
fn take_grown(
    receipt: &mut Receipt,
    findings: Vec<(Option<ItemId>, Finding)>,
) -> Vec<(Option<ItemId>, Finding)> {
    let is_wrong = |finding: &Finding| finding.level == Level::Error;
    let wrong: BTreeSet<Option<ItemId>> =
        findings.iter().filter(|(_, finding)| is_wrong(finding)).map(|(item, _)| *item).collect();
    let (grown, rest): (Vec<_>, Vec<_>) = findings.into_iter().partition(|(item, finding)| {
        item.is_some() && finding.code == Verdict::SUPERSEDED && !wrong.contains(item)
    });
    for (item, finding) in grown {
        let Some((_, outcome)) = item.and_then(|id| receipt.items.get_mut(id.0 as usize)) else { continue };
        let more = match outcome.detail.take().filter(|_| outcome.reason.as_deref() == Some(GROWN)) {
            Some(other) => format!("{other}; {}", finding.message),
            None => finding.message,
        };
        *outcome = Outcome::because(Bucket::Superseded, GROWN).detail(more);
    }
    rest
}
