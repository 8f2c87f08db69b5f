//! `unstitch`: an earlier stitch taken back from a transcript that may have gone on since.

use std::fs::File;
use std::path::Path;

use durable_files::digest_prefix;
use jsonl_stitch::{Edit, unstitch};
use migration_engine::steps::SplicedFile;
use migration_engine::{Cx, RunSummary, StateRoot, Task};

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

impl Stitched {
    /// Whether the file still begins with what was left there.
    fn begins(&self, transcript: &Transcript, cx: &Cx<'_>) -> bool {
        let size = self.left.file.size;
        transcript.fingerprint.size >= size
            && digest_prefix(&transcript.path, size, &mut { *cx })
                .is_ok_and(|found| found.digest == self.left.after)
    }
}

pub(crate) fn add(draft: &mut Draft, file: &Path, root: &StateRoot, cx: &Cx<'_>) -> Result<(), Unfit> {
    let (transcript, _) = Transcript::read_to_change(file, cx)?;
    let unfit = |message: String| Unfit {
        code: "not-as-stitched",
        message,
        hint: "the newest run that stitched it is shown by `cowork-stitch runs`".into(),
    };
    // Of a stitch that was taken back the file is not what it left: then it is the one before.
    let Some(stitched) = known(file, root)?.into_iter().find(|known| known.begins(&transcript, cx)) else {
        return Err(unfit(format!("{} does not begin with what was left there", file.display())));
    };
    let splices = File::open(file)
        .and_then(|input| unstitch(&stitched.edits, stitched.left.file.size, input))
        .map_err(|error| unfit(format!("cannot read {}: {error}", file.display())))?;
    transcript.must_be_replaceable()?;
    draft.taken_back(&transcript, splices);
    Ok(())
}

/// The runs that stitched this file and still stand, or of which an undo left just that: the newest first, and at least
/// one.
fn known(file: &Path, root: &StateRoot) -> Result<Vec<Stitched>, Unfit> {
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
    let known: Vec<Stitched> = runs.iter().flat_map(|run| of_run(run, file, root)).collect();
    if known.is_empty() {
        return Err(none(format!("no run is known that stitched {}", file.display())));
    }
    Ok(known)
}

/// What a run did to a file, by whatever name.
fn of_run(run: &RunSummary, file: &Path, root: &StateRoot) -> Vec<Stitched> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let Ok(plan) = root.plan::<Effect>(&run.id) else { return Vec::new() };
    let stitched = |(number, task): (u32, &Task<Effect>)| {
        let (Effect::Splice(step), Some(item)) = (&task.step, task.item) else { return None };
        let evidence = run.history.evidence.get(&number).cloned()?;
        let Ok(Trace::Splice(left)) = serde_json::from_value(evidence) else { return None };
        let edits = plan.item(item).own.get(EDITS).and_then(|said| edits::of(said, &step.splices))?;
        (real(&step.target) == real(file)).then_some(Stitched { edits, left })
    };
    (0..).zip(plan.tasks()).filter_map(stitched).collect()
}
