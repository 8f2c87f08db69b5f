//! `openclaw-migrate` of many sessions and of a long one, with backup, syncs and verification, beside a script with the
//! first of them only.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::files::clear;
use super::measure;
use super::race::Race;
use super::tool::Tool;
use super::{Given, ROUNDS};
use crate::shell::Outcome;

/// However long a session is, in KiB.
const MEMORY_KIB: u64 = 64 * 1024;

/// About how long a message is.
const TEXT: &str =
    "Peas go into the ground in March, said the almanac; \"not before the 12th\", it went on. ";
const TIMES: usize = 11;

pub(super) fn run(given: &Given) -> Outcome {
    let tool = Tool::built("openclaw-migrate", given.folder())?;
    for (name, sessions, messages) in
        [("1,000 sessions of 200 messages", 1000, 200), ("one session of 500 MB", 1, 420_000)]
    {
        let workspace = Workspace::write(&given.folder().join("workspace"), sessions, messages)?;
        race(&format!("openclaw: {name}, {} MB", workspace.megabytes), &tool, &workspace)?;
        clear(&workspace.path)?;
    }
    Ok(())
}

fn race(title: &str, tool: &Tool, workspace: &Workspace) -> Outcome {
    let mut race = Race::new();
    let ours = race.enter("openclaw-migrate", || {
        workspace.make_old()?;
        tool.run([&workspace.path])
    });
    let python = race.enter("a Python script, no sync", || {
        workspace.make_old()?;
        measure::program(measure::python("openclaw.py").arg(&workspace.path))
    });
    let results = race.run(title, ROUNDS)?;
    results.at_least(python, ours, 3.5);
    results.peak_at_most(ours, MEMORY_KIB);
    Ok(())
}

/// A workspace in the old format.
struct Workspace {
    path: PathBuf,
    megabytes: u64,
}

impl Workspace {
    fn write(path: &Path, sessions: usize, messages: usize) -> Outcome<Self> {
        let folder = path.join(".sessions");
        fs::create_dir_all(&folder)?;
        let mut bytes = 0;
        for number in 0..sessions {
            let id = format!("{number:08x}-3a52-4d0e-9c55-7d1f2e6a9b10");
            let file = folder.join(format!("{id}.json"));
            write_session(&id, messages, &mut BufWriter::new(File::create(&file)?))?;
            bytes += file.metadata()?.len();
        }
        measure::said(std::process::Command::new("sync").arg("-f").arg(path))?;
        Ok(Self { path: path.to_owned(), megabytes: bytes / 1_000_000 })
    }

    /// Removes what a run has left. That is on the disk then, so that nobody pays for it later.
    fn make_old(&self) -> Outcome {
        for entry in fs::read_dir(self.path.join(".sessions"))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if name == "sessions.json" || path.extension().is_none_or(|extension| extension != "json") {
                clear(&path)?;
            }
        }
        measure::said(std::process::Command::new("sync").arg("-f").arg(&self.path)).map(drop)
    }
}

/// As the application writes one: indented, and with its metadata last.
fn write_session(id: &str, messages: usize, out: &mut impl Write) -> Outcome {
    let text = serde_json::to_string(&TEXT.repeat(TIMES))?;
    write!(out, "{{\n  \"session_id\": \"{id}\",\n  \"messages\": [")?;
    for number in 0..messages {
        let comma = if number > 0 { "," } else { "" };
        let role = if number % 2 == 0 { "user" } else { "assistant" };
        let (minute, second) = (number / 60 % 60, number % 60);
        write!(
            out,
            "{comma}\n    {{\n      \"role\": \"{role}\",\n      \"content\": {text},\n      \
             \"timestamp\": \"2026-01-02T15:{minute:02}:{second:02}.250000\",\n      \"tool_calls\": null,\n      \
             \"tool_call_id\": null,\n      \"name\": null,\n      \"images\": null\n    }}"
        )?;
    }
    write!(
        out,
        "\n  ],\n  \"metadata\": {{\n    \"label\": \"garden plan\"\n  }},\n  \
         \"created_at\": \"2026-01-02T15:00:00+00:00\",\n  \"updated_at\": \"2026-01-02T16:00:00+00:00\"\n}}"
    )?;
    Ok(out.flush()?)
}
