//! `ao-migrate` on a home of 10,000 sessions, beside the bare insertion of the same rows, and beside Python's.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::ao_database::{self, Version};

use super::files::clear;
use super::measure::{self, Taken};
use super::race::Race;
use super::rows;
use super::{Given, ROUNDS};
use crate::shell::{self, Outcome};

const PROJECTS: usize = 10;
const SESSIONS_EACH: usize = 1000;

pub(super) fn run(given: &Given) -> Outcome {
    let tool = shell::built("ao-migrate", &["--release"])?;
    let home = Home { home: given.folder().canonicalize()? };
    home.lay_out()?;
    let filled = home.filled(&tool)?;
    let rows = rows::of(&filled)?;
    let empty = || home.empty_database();

    let mut race = Race::new();
    let whole = race.enter("ao-migrate, all of it", || home.migrate(&tool));
    let steps = race.enter("the rows alone, by our steps", || rows::insert_by_steps(&rows, &empty()?));
    let bare = race.enter("the rows alone, bare", || rows::insert_bare(&rows, &empty()?));
    let python = race.enter("the rows alone, executemany", || rows::insert_in_python(&filled, &empty()?));
    let title = format!("ao: {} sessions in {PROJECTS} projects", PROJECTS * SESSIONS_EACH);
    let results = race.run(&title, ROUNDS)?;
    results.at_most(whole, bare, 2.5);
    results.at_least(python, steps, 1.25);
    Ok(())
}

/// The home of a user with many sessions.
struct Home {
    home: PathBuf,
}

impl Home {
    fn lay_out(&self) -> Outcome {
        let legacy = self.home.join(".agent-orchestrator");
        let mut registry = String::from("projects:\n");
        for project in 0..PROJECTS {
            writeln!(
                registry,
                "  project-{project}: {{path: ~/src/project-{project}, sessionPrefix: p{project}}}"
            )?;
            let sessions = legacy.join(format!("projects/project-{project}/sessions"));
            fs::create_dir_all(&sessions)?;
            for number in 1..=SESSIONS_EACH {
                fs::write(sessions.join(format!("p{project}-{number}.json")), session(number))?;
            }
        }
        fs::write(legacy.join("config.yaml"), registry)?;
        Ok(())
    }

    /// A database into which everything was migrated.
    fn filled(&self, tool: &Path) -> Outcome<PathBuf> {
        self.migrate(tool)?;
        let filled = self.home.join("filled.db");
        fs::rename(self.data().join("ao.db"), &filled)?;
        Ok(filled)
    }

    fn empty_database(&self) -> Outcome<PathBuf> {
        let path = self.home.join("rows.db");
        clear(&path)?;
        ao_database::create(&path, Version(12));
        Ok(path)
    }

    fn migrate(&self, tool: &Path) -> Outcome<Taken> {
        let state = self.home.join("state");
        clear(&self.data())?;
        clear(&state)?;
        fs::create_dir(self.data())?;
        ao_database::create(&self.data().join("ao.db"), Version(12));
        let mut command = Command::new(tool);
        command.arg("--data-dir").arg(self.data()).arg("--state-dir").arg(state);
        measure::program(command.env("HOME", &self.home))
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }
}

/// A session as the old orchestrator leaves it.
fn session(number: usize) -> String {
    let minute = number % 60;
    let time = format!("2026-01-12T08:{minute:02}:00.000Z");
    serde_json::json!({
        "issue": number.to_string(), "branch": format!("feat/{number}"), "agent": "codex",
        "displayName": format!("Task number {number}"), "userPrompt": "Round the tax to cents.\nThen report. ".repeat(8),
        "createdAt": time, "codexThreadId": format!("0b1f5a3e-9d36-4a53-8d54-{number:012}"),
        "lifecycle": {
            "version": 2,
            "session": {"kind": "worker", "state": "working", "reason": "task_in_progress", "startedAt": time,
                        "completedAt": null, "terminatedAt": null, "lastTransitionAt": time},
            "runtime": {"state": "alive", "lastObservedAt": time, "handle": {"id": format!("tmux-{number}")}},
        },
    })
    .to_string()
}
