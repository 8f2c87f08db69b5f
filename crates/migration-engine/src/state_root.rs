//! Where runs live: finding them, and knowing which one is in the way.

use std::path::{Path, PathBuf};

use durable_files::{
    DirLock, FileError, InContext, PathText, create_private_dirs, remove_tree_if_there, sync_dir,
};
use session_model::Timestamp;

use crate::{
    Header, History, Item, JournalError, Phase, Plan, Receipt, RunId, Step, journal, plan_file,
    plan_file::PlanFileError,
};

/// The folder that holds the runs of every tool of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRoot {
    path: PathBuf,
}

/// A run that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadRunError {
    /// There is no such run.
    #[error("no run {run} in {}", root.display())]
    Unknown {
        /// The run that was asked for.
        run: RunId,
        /// Where it was looked for.
        root: PathBuf,
    },
    /// Its journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its plan cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanFileError),
    /// It was written by another version of the format.
    #[error("run {run} has format {found}; this version reads and resumes format {}", crate::FORMAT)]
    Format {
        /// The run.
        run: RunId,
        /// Its format.
        found: u32,
    },
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A run as a list shows it, whatever tool made it.
#[derive(Debug, Clone)]
pub struct RunSummary {
    /// Its name.
    pub id: RunId,
    /// Its folder.
    pub dir: PathBuf,
    /// What its plan says about itself.
    pub header: Header,
    /// The items of its plan.
    pub items: Vec<Item>,
    /// What its journal says.
    pub history: History<serde_json::Value>,
    /// Whether a process was at work on it when it was read.
    pub at_work: bool,
}

/// A run in a list, readable or not.
pub type Listed = (RunId, Result<RunSummary, ReadRunError>);

impl RunSummary {
    /// Where it stands.
    pub fn phase(&self) -> Phase {
        self.history.phase
    }

    /// Whether it has begun and not ended, and nobody is at work on it: it must be resumed or undone.
    pub fn is_interrupted(&self) -> bool {
        self.is_unfinished() && !self.at_work
    }

    /// Whether it has begun and not ended, and somebody is at work on it right now.
    pub fn is_running(&self) -> bool {
        self.is_unfinished() && self.at_work
    }

    /// Whether it has begun and not ended.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.phase(), Phase::Interrupted | Phase::Undoing)
    }

    /// When it began.
    pub fn began(&self) -> Timestamp {
        self.history.began
    }

    /// What became of its inputs so far.
    pub fn receipt(&self) -> Receipt {
        Receipt::of(self.id.clone(), self.header.clone(), &self.items, &self.history)
    }

    /// Whether there is something to take back: it is not undone, and not an ended run that changed nothing.
    pub fn stands(&self) -> bool {
        match self.phase() {
            Phase::Undone => false,
            Phase::Applied => !self.history.evidence.is_empty(),
            Phase::Interrupted | Phase::Undoing => true,
        }
    }

    /// How many things its undo left as they were found, because they had changed.
    pub fn kept(&self) -> usize {
        if self.phase() == Phase::Undone { self.history.evidence.len() } else { 0 }
    }

    /// Whether the two runs work on a common target, by whatever names.
    pub fn shares_target(&self, locks: &[PathText]) -> bool {
        let theirs: Vec<PathBuf> = locks.iter().map(real).collect();
        self.header.locks.iter().any(|lock| theirs.contains(&real(lock)))
    }

    /// Whether the two runs may have changed the same thing: what both say that they changed decides, or if they do not,
    /// whether they have a target in common.
    fn meets(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.header.concerns, &other.header.concerns);
        if ours.is_empty() || theirs.is_empty() {
            return self.shares_target(&other.header.locks);
        }
        let theirs: Vec<PathBuf> = theirs.iter().map(real).collect();
        let is_common =
            |path: PathBuf| theirs.iter().any(|other| path.starts_with(other) || other.starts_with(&path));
        ours.iter().map(real).any(is_common)
    }
}

impl StateRoot {
    /// The state root at this path; nothing is created before the first run.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn dir_of(&self, run: &RunId) -> PathBuf {
        self.path.join("runs").join(run.as_str())
    }

    /// The folder in which a new run is put together before it takes its name.
    pub(crate) fn prepare(&self, run: &RunId) -> Result<PathBuf, FileError> {
        let runs = self.path.join("runs");
        create_private_dirs(&runs)?;
        self.sweep();
        let dir = runs.join(format!(".new-{run}"));
        remove_tree_if_there(&dir)?;
        create_private_dirs(&dir)?;
        Ok(dir)
    }

    /// Removes what a killed `forget` had begun to remove. What cannot be removed now is in nobody's way.
    fn sweep(&self) {
        let entries = std::fs::read_dir(self.path.join("runs")).into_iter().flatten().flatten();
        for gone in entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b".gone-")) {
            remove_tree_if_there(&gone.path()).unwrap_or_default();
        }
    }

    /// The run in `prepared` takes its name: from now on it is found by whoever comes next.
    pub(crate) fn adopt(&self, prepared: &Path, run: &RunId) -> Result<PathBuf, FileError> {
        let dir = self.dir_of(run);
        std::fs::rename(prepared, &dir).doing("name the run", &dir)?;
        sync_dir(&self.path.join("runs"))?;
        Ok(dir)
    }

    /// The names of all runs, oldest first. A state root that does not exist has none.
    pub fn ids(&self) -> Result<Vec<RunId>, FileError> {
        let runs = self.path.join("runs");
        let entries = match std::fs::read_dir(&runs) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.doing("list", &runs)?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.doing("list", &runs)?.file_name();
            ids.extend(name.to_str().and_then(|name| name.parse::<RunId>().ok()));
        }
        ids.sort();
        Ok(ids)
    }

    /// One run.
    pub fn summary(&self, run: &RunId) -> Result<RunSummary, ReadRunError> {
        let dir = self.dir_of(run);
        if !dir.is_dir() {
            return Err(ReadRunError::Unknown { run: run.clone(), root: self.path.clone() });
        }
        // Asked before the journal is read, which may end with the work.
        let at_work = DirLock::is_held(&dir);
        let (header, items) = plan_file::read_outline(&dir.join("plan.jsonl"))?;
        let (history, _) = journal::read(&dir.join("journal"))?;
        Ok(RunSummary { id: run.clone(), dir, header, items, history, at_work })
    }

    /// The plan of a run, to be read only: no lock is taken.
    pub fn plan<S: Step>(&self, run: &RunId) -> Result<Plan<S>, ReadRunError> {
        let summary = self.summary(run)?;
        Ok(plan_file::read(&summary.dir.join("plan.jsonl"), summary.history.plan)?)
    }

    /// All runs, oldest first, those that cannot be read among them.
    pub fn summaries(&self) -> Result<Vec<Listed>, FileError> {
        Ok(self.ids()?.into_iter().map(|id| (id.clone(), self.summary(&id))).collect())
    }

    /// The run that must be resumed or undone before another may begin on one of these targets. A run that cannot be
    /// read may be just that one: it is an error.
    pub fn interrupted_on(&self, locks: &[PathText]) -> Result<Option<RunSummary>, ReadRunError> {
        for id in self.ids()? {
            let run = self.summary(&id)?;
            if run.is_unfinished() && run.shares_target(locks) {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// The runs that began after `run`, may have changed the same things and still stand, newest first: they are undone
    /// first.
    pub fn newer_than(&self, run: &RunSummary) -> Result<Vec<RunSummary>, ReadRunError> {
        let mut newer = Vec::new();
        for id in self.ids()?.into_iter().filter(|id| *id != run.id) {
            let other = self.summary(&id)?;
            let is_newer = (other.began(), &other.id) > (run.began(), &run.id);
            if is_newer && other.stands() && other.meets(run) {
                newer.push(other);
            }
        }
        newer.sort_by(|one, other| (other.began(), &other.id).cmp(&(one.began(), &one.id)));
        Ok(newer)
    }
}

/// A path without the links on the way to it, or as it is spelled if nothing is there any more.
fn real(path: &PathText) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
