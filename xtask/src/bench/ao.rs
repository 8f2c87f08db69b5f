//! `ao-migrate` on a home of 10,000 sessions, beside the bare insertion of the same rows, and beside Python's.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::ao_database::{self, Version};

use super::measure::{self, Taken, median};
use super::rows;
use crate::shell::{self, Outcome};

const PROJECTS: usize = 10;
const SESSIONS_EACH: usize = 1000;
const ROUNDS: usize = 5;

pub(super) fn run() -> Outcome {
    let tool = shell::built("ao-migrate", &["--release"])?;
    let folder = tempfile::tempdir()?;
    let home = Home { home: folder.path().canonicalize()? };
    home.lay_out()?;

    let (mut whole, mut steps, mut bare, mut python) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        whole.push(home.migrate(&tool, round)?);
        let source = home.database(round);
        let rows = rows::of(&source)?;
        steps.push(rows::insert_by_steps(&rows, &home.empty_database("steps", round))?);
        bare.push(rows::insert_bare(&rows, &home.empty_database("bare", round))?);
        python.push(rows::insert_in_python(&source, &home.empty_database("python", round))?);
    }
    report(&whole, median(steps), median(bare), median(python));
    Ok(())
}

fn report(whole: &[Taken], steps: f64, bare: f64, python: f64) {
    let peak = whole.iter().map(|taken| taken.peak_kib).max().unwrap_or_default() / 1024;
    let whole = median(whole.iter().map(|taken| taken.seconds).collect());
    println!(
        "\n{} sessions in {PROJECTS} projects; medians of {ROUNDS} runs in turn",
        PROJECTS * SESSIONS_EACH
    );
    println!("  ao-migrate, all of it             {whole:.3} s, {peak} MiB");
    println!("  the rows alone, by our steps      {steps:.3} s");
    println!("  the rows alone, bare              {bare:.3} s");
    println!("  the rows alone, Python            {python:.3} s (executemany)");
    println!("  ao-migrate / bare insertion       {:.2} (target: at most 2.5)", whole / bare);
    println!("  executemany / our steps           {:.2} (target: at least 1.25)", python / steps);
    println!("  executemany / bare insertion      {:.2}", python / bare);
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

    fn database(&self, round: usize) -> PathBuf {
        self.home.join(format!("data-{round}/ao.db"))
    }

    fn empty_database(&self, way: &str, round: usize) -> PathBuf {
        let path = self.home.join(format!("{way}-{round}.db"));
        ao_database::create(&path, Version(12));
        path
    }

    fn migrate(&self, tool: &Path, round: usize) -> Outcome<Taken> {
        let database = self.database(round);
        let data = database.parent().expect("the database stands in a folder");
        fs::create_dir(data)?;
        ao_database::create(&database, Version(12));
        let mut command = Command::new(tool);
        command.arg("--data-dir").arg(data).arg("--state-dir").arg(self.home.join(format!("state-{round}")));
        measure::program(command.env("HOME", &self.home))
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
