//! What a tool has brought from elsewhere for its runs: it goes with the last run that needs it, and what no run needs
//! goes once it is old.

use std::path::{Path, PathBuf};

use durable_files::{DirLock, LockError, PathText, remove_tree_if_there};
use migration_engine::{RunId, RunSummary};
use session_model::{Finding, Timestamp};

use super::session::Session;
use super::sizes::size_of;
use crate::report::bytes;
use crate::{Refusal, Tool};

const CODE: &str = "brought";

impl<T: Tool> Session<'_, T> {
    /// What no run needs, as if those of `but` were not there.
    pub(super) fn unneeded(&self, but: &[RunId]) -> Result<Vec<PathBuf>, Refusal> {
        let mut brought = self.tool.brought(&self.root)?;
        for (id, run) in if brought.is_empty() { Vec::new() } else { self.root.summaries()? } {
            match run {
                Ok(run) if run.header.tool != T::NAME || but.contains(&id) => {}
                Ok(run) => brought.retain(|path| !self.needs(&run, path)),
                Err(_) => return Ok(Vec::new()), // it may need any of it
            }
        }
        Ok(brought)
    }

    /// Whether a run needs it; one that does not say may need any of it.
    pub(super) fn needs(&self, run: &RunSummary, brought: &Path) -> bool {
        let Ok(needed) = self.tool.needs(&run.header) else { return true };
        needed.iter().any(|needed| needed == brought || real(needed) == real(brought))
    }

    /// Names what no run needs.
    pub(super) fn lying_about(&self) -> Result<Vec<Finding>, Refusal> {
        let name = |path: PathBuf| {
            let (size, gc) = (bytes(size_of(&path)), self.gc());
            let message =
                format!("{} ({size}) was brought for a run that never came; `{gc}` removes it", shown(&path));
            Finding::note(CODE, message)
        };
        Ok(self.unneeded(&[])?.into_iter().map(name).collect())
    }

    /// What no run needs and nobody has added to since then.
    pub(super) fn unneeded_since(&self, limit: i64) -> Result<Vec<PathBuf>, Refusal> {
        let mut brought = self.unneeded(&[])?;
        brought.retain(|path| touched(path) <= limit);
        Ok(brought)
    }

    /// Removes what was brought for no run, or only says so.
    pub(super) fn clear(&self, path: &Path, for_real: bool) -> Result<Finding, Refusal> {
        let (size, what) = (bytes(size_of(path)), if for_real { "was removed" } else { "would be removed" });
        let message =
            format!("{} ({size}), which was brought for a run that never came, {what}", shown(path));
        let stays = if for_real { self.remove(path)? } else { None };
        Ok(stays.unwrap_or_else(|| Finding::note(CODE, message)))
    }

    /// Removes it, unless somebody is at work with it, or has been: whoever was asked may have taken long to answer.
    pub(super) fn remove(&self, brought: &Path) -> Result<Option<Finding>, Refusal> {
        let stays = |why| Some(Finding::warning(CODE, format!("{} stays: {why}", shown(brought))));
        let _lock = match DirLock::take(brought) {
            Err(LockError::Held(_)) => return Ok(stays("a run is being made of it")),
            lock => lock?,
        };
        if !self.unneeded(&[])?.iter().any(|path| path == brought) {
            return Ok(stays("a run needs it by now"));
        }
        remove_tree_if_there(brought)?;
        Ok(None)
    }
}

/// When something was last put into it: files have the times that they had elsewhere.
fn touched(folder: &Path) -> i64 {
    let Ok(metadata) = folder.symlink_metadata() else { return i64::MIN };
    if !metadata.is_dir() {
        return i64::MIN;
    }
    let own = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    let below = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| touched(&entry.path()));
    below.chain(own.map(Timestamp::as_second)).max().unwrap_or(i64::MIN)
}

fn shown(path: &Path) -> String {
    PathText::from(path.to_path_buf()).display().to_string()
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
