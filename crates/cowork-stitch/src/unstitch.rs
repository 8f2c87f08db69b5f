//! `unstitch`: an earlier stitch taken back from a transcript that may have gone on since.

use std::fs::File;
use std::path::Path;

use durable_files::digest_prefix;
use jsonl_stitch::{Edit, unstitch};
use migration_engine::steps::SplicedFile;
use migration_engine::{Cx, RunSummary, StateRoot};

use crate::CoworkStitch;
use crate::edits;
use crate::effect::{Effect, Trace};
use crate::plan::{Draft, EDITS};
use crate::transcript::{Transcript, Unfit};

/// What an earlier run did to a file, and what it left.
struct Stitched {
    edits: Vec<Edit>,
    left: SplicedFile,
}

pub(crate) fn add(draft: &mut Draft, file: &Path, root: &StateRoot, cx: &Cx<'_>) -> Result<(), Unfit> {
    let (transcript, _) = Transcript::read_to_change(file, cx)?;
    let stitched = find(file, root)?;
    let unfit = |message: String| Unfit {
        code: "not-as-stitched",
        message,
        hint: "the newest run that stitched it is shown by `cowork-stitch runs`".into(),
    };
    let size = stitched.left.file.size;
    let begins = transcript.fingerprint.size >= size
        && digest_prefix(file, size, &mut { *cx }).is_ok_and(|found| found.digest == stitched.left.after);
    if !begins {
        return Err(unfit(format!("{} does not begin with what was left there", file.display())));
    }
    let splices = File::open(file)
        .and_then(|input| unstitch(&stitched.edits, size, input))
        .map_err(|error| unfit(format!("cannot read {}: {error}", file.display())))?;
    transcript.must_be_replaceable()?;
    draft.taken_back(&transcript, splices);
    Ok(())
}

/// The newest run that stitched this file and still stands, or of which an undo left just that.
fn find(file: &Path, root: &StateRoot) -> Result<Stitched, Unfit> {
    let none = |message: String| Unfit {
        code: "no-stitch-known",
        message,
        hint: "name the --state-dir of the run that stitched it".into(),
    };
    let runs = root.summaries().map_err(|error| none(format!("cannot list runs: {error}")))?;
    let mut runs: Vec<RunSummary> = runs.into_iter().filter_map(|(_, run)| run.ok()).collect();
    runs.retain(|run| {
        run.header.tool == <CoworkStitch as migration_cli::Tool>::NAME && (run.stands() || run.kept() > 0)
    });
    runs.sort_by_key(|run| std::cmp::Reverse(run.began()));
    for run in runs {
        let Ok(plan) = root.plan::<Effect>(&run.id) else { continue };
        for (number, task) in (0..).zip(plan.tasks()) {
            let (Effect::Splice(step), Some(item)) = (&task.step, task.item) else { continue };
            let evidence = run.history.evidence.get(&number).cloned().unwrap_or_default();
            let Ok(Trace::Splice(left)) = serde_json::from_value(evidence) else { continue };
            let item = plan.item(item);
            if &*step.target != file {
                continue;
            }
            let said = item.own.get(EDITS);
            let Some(edits) = said.and_then(|said| edits::of(said, &step.splices)) else { continue };
            return Ok(Stitched { edits, left });
        }
    }
    Err(none(format!("no run is known that stitched {}", file.display())))
}
