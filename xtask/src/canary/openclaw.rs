//! The real `OpenClaw`: does its own doctor take over every session, with every message on the branch that it shows?
//!
//! What counts is what it reports and what is in its database then: it ends with 0 whatever it took.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::client::{a_minute_for, all_it_said};
use super::{Sung, npm};
use crate::shell::{self, Outcome};

pub(super) const PACKAGE: &str = "openclaw";

/// Messages that no chain of a few would show to be cut.
const MANY: usize = 300;

pub(super) fn sings() -> Outcome<Sung> {
    let temp = tempfile::tempdir()?;
    let doctor = match Doctor::called(&temp.path().canonicalize()?)? {
        Ok(doctor) => doctor,
        Err(reason) => return Ok(super::skipped(PACKAGE, &reason)),
    };
    println!("canary: {PACKAGE} {}", doctor.version);
    takes_over_all(&doctor).map_err(|error| format!("{PACKAGE}: {error}"))?;
    println!("canary:   every session was taken over, and every message is active");
    Ok(Sung::Passed)
}

fn takes_over_all(doctor: &Doctor) -> Outcome {
    let workspace = doctor.home.join(".openclaw");
    let sessions = lay_out(&workspace.join(".sessions"))?;
    migrate(&workspace, &doctor.home)?;
    let folder = workspace.join("agents/main/sessions");
    let written = lines(&folder, &sessions)?;
    let store: BTreeMap<String, Value> = serde_json::from_slice(&fs::read(folder.join("sessions.json"))?)?;
    let events = written.values().map(Vec::len).sum::<usize>();

    let totals = [("legacyEntries", store.len()), ("validatedEntries", store.len())];
    doctor.reports("dry-run", &totals)?;
    let totals = [("importedEntries", store.len()), ("importedTranscriptEvents", events)];
    doctor.reports("import", &totals)?;
    doctor.reports("validate", &[])?;
    shows(&workspace.join("agents/main/agent/openclaw-agent.sqlite"), &store, &written)
}

/// The program, at home in a folder of its own, with no way to anybody else.
struct Doctor {
    program: PathBuf,
    version: String,
    /// With a Node that it takes.
    path: OsString,
    home: PathBuf,
}

impl Doctor {
    /// The inner error says why there is none.
    fn called(home: &Path) -> Outcome<Result<Self, String>> {
        let cache = match npm::fetched(PACKAGE)? {
            Ok(cache) => cache,
            Err(reason) => return Ok(Err(reason)),
        };
        let program = cache.join("node_modules/.bin").join(PACKAGE);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let here = Self { program, version: String::new(), path, home: home.to_owned() };
        Ok(match here.tried() {
            Ok(doctor) => Ok(doctor),
            // As a rule because the machine's Node is older than what it asks for.
            Err(doctor) => match npm::node_for(PACKAGE, &cache)? {
                Ok(node) => {
                    let paths = std::iter::once(node).chain(std::env::split_paths(&doctor.path));
                    let path = std::env::join_paths(paths)?;
                    Self { path, ..doctor }
                        .tried()
                        .map_err(|_| "it does not start with the Node of npm".into())
                }
                Err(reason) => Err(reason),
            },
        })
    }

    /// Itself with its version, if it starts; otherwise as it was.
    fn tried(self) -> Result<Self, Self> {
        match shell::capture(self.start().arg("--version")) {
            Ok(output) if output.status.success() => {
                let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                Ok(Self { version, ..self })
            }
            _ => Err(self),
        }
    }

    /// A network of its own is one without anybody.
    fn start(&self) -> Command {
        let mut command = a_minute_for(Path::new("unshare"));
        command.args(["--map-root-user", "--net"]).arg(&self.program);
        command.env("HOME", &self.home).env("TMPDIR", &self.home).env("PATH", &self.path);
        command
    }

    /// Lets it look at the sessions, or take them over. There must be no issue, and so many of each.
    fn reports(&self, mode: &str, totals: &[(&str, usize)]) -> Outcome {
        let mut doctor = self.start();
        doctor.args(["doctor", "--session-sqlite", mode, "--session-sqlite-all-agents", "--json"]);
        let output = shell::capture(&mut doctor)?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("{mode}: no report ({error}): {}", all_it_said(&output)))?;
        for (name, expected) in totals.iter().chain(&[("issues", 0)]) {
            if report["totals"][name] != *expected {
                return Err(
                    format!("{mode}: expected {expected} {name}, found this report: {report:#}").into()
                );
            }
        }
        Ok(())
    }
}

/// Moves the sessions as a user would.
fn migrate(workspace: &Path, home: &Path) -> Outcome {
    let mut tool = Command::new(shell::built("openclaw-migrate", &[])?);
    tool.arg(workspace).args(["--format", "openclaw"]).env_clear().env("HOME", home);
    let output = shell::capture(&mut tool)?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("openclaw-migrate ended with {}: {}", output.status, all_it_said(&output)).into())
}

/// The lines of each session's transcript, of which the first is no message.
fn lines(folder: &Path, sessions: &BTreeMap<&str, usize>) -> Outcome<BTreeMap<String, Vec<String>>> {
    let mut written = BTreeMap::new();
    for (session, messages) in sessions {
        let text = fs::read_to_string(folder.join(format!("{session}.jsonl")))?;
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() != messages + 1 {
            let found = lines.len();
            return Err(format!("{session}: {found} lines for a header and {messages} messages").into());
        }
        written.insert((*session).to_owned(), lines);
    }
    Ok(written)
}

/// The proof: every key leads to its session, and of each the events are those lines, all of them active.
fn shows(
    database: &Path,
    store: &BTreeMap<String, Value>,
    written: &BTreeMap<String, Vec<String>>,
) -> Outcome {
    let database = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    for (key, entry) in store {
        let sql = "SELECT current_session_id FROM session_nodes WHERE session_key = ?";
        let leads_to: String = database.query_row(sql, [key], |row| row.get(0))?;
        if entry["sessionId"] != leads_to {
            return Err(format!("{key} leads to {leads_to}, not as {entry} says").into());
        }
    }
    for (session, lines) in written {
        let sql = "SELECT count(*) FROM session_transcript_active_events \
                   WHERE session_id = ? AND message_position IS NOT NULL";
        let active: i64 = database.query_row(sql, [session], |row| row.get(0))?;
        if usize::try_from(active)? != lines.len() - 1 {
            return Err(format!("{session}: of {} messages {active} are active", lines.len() - 1).into());
        }
        let sql = "SELECT event_json FROM transcript_events WHERE session_id = ? ORDER BY seq";
        let mut events = database.prepare(sql)?;
        let events = events.query_map([session], |row| row.get::<_, String>(0))?;
        for (event, line) in events.zip(lines) {
            let event = event?;
            if !is_same(&event, line) {
                return Err(format!("{session}: {line} became {event}").into());
            }
        }
    }
    Ok(())
}

/// Half of a surrogate pair is no value to `serde_json`: a line with one is compared as it is spelled.
fn is_same(event: &str, line: &str) -> bool {
    match (serde_json::from_str::<Value>(event), serde_json::from_str::<Value>(line)) {
        (Ok(event), Ok(line)) => event == line,
        _ => event == line,
    }
}

/// Sessions of every shape, and how many messages each has; two keys lead to one of them.
fn lay_out(folder: &Path) -> Outcome<BTreeMap<&'static str, usize>> {
    fs::create_dir_all(folder)?;
    let mut counts = BTreeMap::new();
    for (id, messages) in sessions() {
        let session = json!({
            "session_id": id, "messages": messages, "metadata": {"label": id, "plot": {"rows": 3}},
            "created_at": "2026-01-02T15:00:00+00:00", "updated_at": "2026-01-02T15:05:00+00:00",
        });
        // What no text holds is written as an escape.
        let text = session.to_string().replace("HALF", r"\ud83d");
        fs::write(folder.join(format!("{id}.json")), text)?;
        counts.insert(id, messages.len());
    }
    let map = json!({
        "agent:main:telegram:dm:u9": "texts", "agent:main:main": "texts", "agent:main:discord:group:g1": "tools",
    });
    fs::write(folder.join("session_map.json"), map.to_string())?;
    Ok(counts)
}

fn sessions() -> Vec<(&'static str, Vec<Value>)> {
    let said = |role: &str, content: Value| json!({"role": role, "content": content, "timestamp": TIME});
    let text = |role: &str, text: &str| said(role, json!(text));
    vec![
        ("texts", vec![text("user", "When do I sow peas?"), text("assistant", "Im März. 😀 \u{2028}")]),
        ("system", vec![text("system", "Be brief."), text("user", "hello"), text("system", "Briefer.")]),
        (
            "lists",
            vec![said("user", json!([{"type": "text", "text": "look"}])), said("assistant", json!([]))],
        ),
        ("empty", vec![text("user", ""), said("assistant", Value::Null), json!({"role": "user"}), json!({})]),
        ("none", Vec::new()),
        ("tools", tools()),
        ("unknown", unknown()),
        ("times", times()),
        ("surrogates", vec![text("user", "HALF of it"), text("assistant", "\0\u{1f}"), text("user", "HALF")]),
        ("many", (0..MANY).map(|number| text("user", &format!("the {number}th"))).collect()),
    ]
}

const TIME: &str = "2026-01-02T15:00:01.250000";

fn tools() -> Vec<Value> {
    let call = |arguments: &str| json!({"id": "c1", "type": "function", "function": {"name": "almanac", "arguments": arguments}});
    let asks =
        |calls: Value| json!({"role": "assistant", "content": null, "timestamp": TIME, "tool_calls": calls});
    vec![
        json!({"role": "assistant", "content": "Looking.", "tool_calls": [call(r#"{"q": "peas"}"#)]}),
        json!({"role": "tool", "content": "March", "tool_call_id": "c1", "name": "almanac"}),
        asks(json!([call("no JSON"), call("[1]"), {"odd": 1}, 7])),
        asks(json!("a text")),
        json!({"role": "tool", "content": null, "tool_call_id": null, "name": null}),
        json!({"role": "tool", "content": "x", "tool_call_id": 5}),
    ]
}

fn unknown() -> Vec<Value> {
    vec![
        json!({"role": "user", "content": "q", "mood": "curious", "id": "x", "parentId": "y", "type": "compaction"}),
        json!({"role": "developer", "content": "r", "images": ["a.png"]}),
        json!({"role": 7, "content": {"a": 1}}),
        json!({"role": "user", "content": 5, "name": "Mira", "legacy": {"legacy": null}}),
    ]
}

fn times() -> Vec<Value> {
    let odd =
        [json!("2026-01-02T15:00:01+05:30"), json!("never"), json!(null), json!(1.5), json!("1999-12-31")];
    odd.into_iter().map(|time| json!({"role": "user", "content": "when", "timestamp": time})).collect()
}
