//! Traces of an interrupted run whose journal is kept somewhere else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use migration_engine::{Plan, RunId, Step};

use super::session::Session;
use crate::{Refusal, Tool};

impl<T: Tool> Session<'_, T> {
    /// Refuses to work beside the staged files of a run that this state root knows nothing of.
    pub(super) fn refuse_leftovers(&self, plan: &Plan<T::Step>) -> Result<(), Refusal> {
        let folders: BTreeSet<PathBuf> = plan.tasks().filter_map(|task| task.step.cost().at).collect();
        let known = self.root.ids()?;
        for (leftover, run) in folders.iter().flat_map(|folder| staged_in(folder)) {
            if !known.contains(&run) {
                let root = self.root.path().display();
                return Err(Refusal::new(
                    "leftover",
                    format!("{} was left by run {run}, which is not kept in {root}", leftover.display()),
                    "pass the --state-dir of that run and resume or undo it; if that is lost, remove the file",
                )
                .about(&run));
            }
        }
        Ok(())
    }
}

/// The files in a folder that some run has staged or was about to remove, with the run.
fn staged_in(folder: &Path) -> Vec<(PathBuf, RunId)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let staged = entries.flatten().filter_map(|entry| {
        let run = run_of_staged(entry.file_name().to_str()?)?;
        Some((entry.path(), run))
    });
    staged.collect()
}

/// The run in a name like `.NAME.rehome-RUN-STEP.tmp`.
fn run_of_staged(name: &str) -> Option<RunId> {
    let tag = name.strip_prefix('.')?.strip_suffix(".tmp").or_else(|| name.strip_suffix(".old"))?;
    let (_, tag) = tag.rsplit_once(".rehome-")?;
    let (run, step) = tag.rsplit_once('-')?;
    step.parse::<u32>().ok()?;
    run.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_run_has_staged_is_taken_for_a_leftover() {
        let run = |name| run_of_staged(name).map(|run| run.to_string());
        assert_eq!(
            run(".a.jsonl.rehome-20260131-174501-3f9a-12.tmp").as_deref(),
            Some("20260131-174501-3f9a")
        );
        assert!(run(".a.rehome-20260131-174501-3f9a-0.old").is_some());
        for other in [
            "a.rehome-20260131-174501-3f9a-1.tmp",
            ".a.rehome-20260131-174501-3f9a-1.stash",
            ".a.rehome-20260131-174501-3f9a.tmp",
            ".a.tmp",
            ".rehome-x-1.tmp",
        ] {
            assert_eq!(run(other), None, "{other}");
        }
    }
}
