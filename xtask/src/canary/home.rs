//! A home in which a session was begun by the legacy tool and has to go on under the rewrite.

use std::fs;
use std::path::{Path, PathBuf};

use transcript_relocate::project_slug;

use crate::shell::Outcome;

/// The two places of one session, and the home they share.
pub(super) struct Home {
    /// `$HOME` of the client.
    pub(super) user: PathBuf,
    /// The worktree of the legacy tool, where the session began.
    pub(super) legacy: PathBuf,
    /// The worktree of the rewrite, where it has to go on.
    pub(super) rewrite: PathBuf,
}

impl Home {
    /// Lays both worktrees out below `folder`, which is what makes a path long or odd.
    pub(super) fn lay_out(temp: &Path, folder: &str) -> Outcome<Self> {
        let user = fs::canonicalize(temp)?;
        let below = user.join(folder);
        let legacy = below.join(".agent-orchestrator/worktrees/web_shop.v2/ws-1");
        let rewrite = below.join(".ao/data/worktrees/web_shop.v2/ws-1");
        fs::create_dir_all(&legacy)?;
        fs::create_dir_all(&rewrite)?;
        Ok(Self { user, legacy, rewrite })
    }

    /// Where the client keeps the transcript of a session of this worktree.
    pub(super) fn transcript(&self, worktree: &Path, session: &str) -> PathBuf {
        let slug = project_slug(&worktree.to_string_lossy());
        self.user.join(".claude/projects").join(slug).join(format!("{session}.jsonl"))
    }

    /// Does something while a file is out of everybody's sight.
    pub(super) fn without(&self, file: &Path, act: impl FnOnce() -> Outcome) -> Outcome {
        let aside = self.user.join("aside");
        fs::rename(file, &aside)?;
        let outcome = act();
        fs::rename(&aside, file)?;
        outcome
    }

    /// Moves the session as a user would: the one place that says how.
    pub(super) fn migrate(&self, session: &str) -> Outcome {
        let target = self.transcript(&self.rewrite, session);
        fs::create_dir_all(target.parent().expect("a transcript stands in a slug directory"))?;
        fs::copy(self.transcript(&self.legacy, session), target)?;
        Ok(())
    }
}
