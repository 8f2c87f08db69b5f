//! A home in which a session was begun by the legacy tool and has to go on under the rewrite.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use testkit::ao_database::{self, Version};
use transcript_relocate::project_slug;

use super::Stage;
use super::client::{Place, a_minute_for, all_it_said};
use crate::shell::{self, Outcome};

const PROJECT: &str = "web_shop.v2";
const SESSION: &str = "ws-1";

/// The two places of one session, and the home they share.
pub(super) struct Home {
    /// `$HOME` of the client.
    pub(super) user: PathBuf,
    /// The worktree of the legacy tool, where the session began.
    pub(super) legacy: PathBuf,
    /// The worktree of the rewrite, where it has to go on.
    pub(super) rewrite: PathBuf,
    /// What makes the paths long or odd: the legacy tool's folder and the rewrite's stand in it.
    below: PathBuf,
}

impl Home {
    /// Lays both worktrees out below the stage's folder.
    pub(super) fn lay_out(stage: &Stage) -> Outcome<Self> {
        let user = stage.place.clone();
        let below = user.join(stage.folder);
        let home = Self {
            legacy: below.join(".agent-orchestrator/projects").join(PROJECT).join("worktrees").join(SESSION),
            rewrite: below.join(".ao/data/worktrees").join(PROJECT).join(SESSION),
            user,
            below,
        };
        fs::create_dir_all(&home.legacy)?;
        fs::create_dir_all(&home.rewrite)?;
        Ok(home)
    }

    /// Where the client keeps the transcript of a session of this worktree.
    pub(super) fn transcript(&self, worktree: &Path, id: &str) -> PathBuf {
        let slug = project_slug(&worktree.to_string_lossy());
        self.user.join(".claude/projects").join(slug).join(format!("{id}.jsonl"))
    }

    /// Does something while a file is out of everybody's sight.
    pub(super) fn without(&self, file: &Path, act: impl FnOnce() -> Outcome) -> Outcome {
        let aside = self.user.join("aside");
        fs::rename(file, &aside)?;
        let outcome = act();
        fs::rename(&aside, file)?;
        outcome
    }

    /// Moves the session as a user would: with the built tool, the legacy tool's record of it, and a database.
    pub(super) fn migrate(&self, id: &str) -> Outcome {
        let (legacy, data) = (self.below.join(".agent-orchestrator"), self.below.join(".ao/data"));
        self.record(&legacy, id)?;
        ao_database::create(&data.join("ao.db"), Version(12));
        let mut tool = Command::new(shell::built("ao-migrate", &[])?);
        tool.arg("--legacy-root").arg(&legacy).arg("--legacy-config").arg(legacy.join("config.yaml"));
        tool.arg("--data-dir").arg(data).env_clear().env("HOME", &self.user);
        let output = shell::capture(&mut tool)?;
        let said = all_it_said(&output);
        if output.status.success() {
            Ok(())
        } else {
            Err(format!("ao-migrate: {}: {said}", output.status).into())
        }
    }

    /// What the legacy tool knows of the session.
    fn record(&self, legacy: &Path, id: &str) -> Outcome {
        let repository = self.below.join("src/shop");
        let session = json!({
            "worktree": self.legacy, "branch": "feat/canary", "agent": "claude-code", "claudeSessionUuid": id,
            "createdAt": "2026-01-12T08:00:00.000Z",
            "lifecycle": {"version": 2, "session": {
                "kind": "worker", "state": "working", "reason": "task_in_progress",
                "startedAt": "2026-01-12T08:00:05.000Z", "lastTransitionAt": "2026-01-12T09:30:00.000Z",
            }},
        });
        let registry = json!({"projects": {PROJECT: {"path": repository, "sessionPrefix": "ws"}}});
        let sessions = legacy.join("projects").join(PROJECT).join("sessions");
        fs::create_dir_all(&repository)?;
        fs::create_dir_all(&sessions)?;
        fs::write(sessions.join(format!("{SESSION}.json")), session.to_string())?;
        // JSON is YAML too, and quotes whatever the path is made of.
        Ok(fs::write(legacy.join("config.yaml"), registry.to_string())?)
    }
}

impl Place for Home {
    fn home(&self) -> &Path {
        &self.user
    }

    fn start(&self, program: &Path, folder: &Path) -> Command {
        let mut command = a_minute_for(program);
        command.current_dir(folder).env("HOME", &self.user).env("TMPDIR", &self.user);
        command
    }
}
