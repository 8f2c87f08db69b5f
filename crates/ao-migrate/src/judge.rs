//! Whether an item would be accepted and shown in its new home: by the daemon, and by Claude Code.

use std::io::Read;
use std::path::Path;

use migration_engine::Item;
use session_model::{Finding, Harness, parse_time};
use sqlite_writer::{Database, Row};

use crate::mapping::{ProjectRow, SessionRow};
use crate::{Places, database};

/// Judges one item that arrived.
pub(crate) fn judge(database: &Database, places: &Places, item: &Item) -> Vec<Finding> {
    match item.input.kind.as_str() {
        "project" => judge_row(database, ProjectRow::TABLE, ProjectRow::COLUMNS, item, judge_project),
        "session" => judge_row(database, SessionRow::TABLE, SessionRow::COLUMNS, item, |row| {
            judge_session(row, item, places)
        }),
        _ => item.targets.iter().filter_map(|target| judge_transcript(Path::new(target))).collect(),
    }
}

fn judge_row(
    database: &Database,
    table: &str,
    columns: &'static [&'static str],
    item: &Item,
    judge: impl FnOnce(&Row) -> Vec<Finding>,
) -> Vec<Finding> {
    match database::row(database, table, columns, &item.name) {
        Ok(Some(row)) => judge(&row),
        Ok(None) => vec![Finding::error("row-missing", format!("{table} has no row {}", item.name))],
        Err(error) => vec![Finding::error("row-unreadable", error.to_string())],
    }
}

fn judge_project(row: &Row) -> Vec<Finding> {
    let mut findings = judge_times(row, &["registered_at"]);
    let config = text(row, "config");
    if !config.is_empty() && serde_json::from_str::<serde_json::Map<_, _>>(config).is_err() {
        let message = "the daemon cannot decode the project's config and will use an empty one";
        findings.push(Finding::error("config-unreadable", message));
    }
    findings
}

fn judge_session(row: &Row, item: &Item, places: &Places) -> Vec<Finding> {
    let times = ["activity_last_at", "created_at", "updated_at", "first_signal_at"];
    let mut findings = judge_times(row, &times);
    if text(row, "harness") == Harness::ClaudeCode.as_str() && !text(row, "agent_session_id").is_empty() {
        findings.extend(judge_resume(row, item, places));
    }
    findings
}

/// One time that the daemon cannot read makes its whole list fail (formats/ao.md §7.3).
fn judge_times(row: &Row, columns: &[&str]) -> Vec<Finding> {
    columns
        .iter()
        .filter(|column| !is_loadable(text(row, column)))
        .map(|column| {
            Finding::error("time-unreadable", format!("the daemon cannot read the time in {column}"))
        })
        .collect()
}

/// What we write, or the long form in which the daemon writes times itself.
fn is_loadable(time: &str) -> bool {
    let (first_words, zone) = time.rsplit_once(' ').unwrap_or((time, ""));
    let long_form = || {
        let (date_and_time, offset) = first_words.rsplit_once(' ')?;
        let is_offset = offset.len() == 5 && offset.starts_with(['+', '-']);
        (is_offset && !zone.is_empty()).then_some(parse_time(date_and_time)?)
    };
    parse_time(time).is_some() || long_form().is_some()
}

/// Claude Code looks for the transcript in the folder of the managed path, and nowhere else.
fn judge_resume(row: &Row, item: &Item, places: &Places) -> Option<Finding> {
    let managed = Path::new(item.targets.first()?);
    let id = text(row, "agent_session_id");
    let transcript = places.homes().transcript_dir(managed).join(format!("{id}.jsonl"));
    let known = ["transcript-missing", "transcript-unreadable"];
    let is_known = item.findings.iter().any(|finding| known.contains(&finding.code.as_str()));
    (!is_known && !transcript.is_file()).then(|| {
        let message = format!("Claude Code will not resume it: there is no {}", transcript.display());
        Finding::warning("transcript-missing", message)
    })
}

/// A transcript is lines of JSON objects; an empty one is a session that said nothing yet.
fn judge_transcript(target: &Path) -> Option<Finding> {
    if target.extension().is_none_or(|extension| extension != "jsonl") {
        return None;
    }
    let mut first = [0];
    let read = std::fs::File::open(target).and_then(|mut file| file.read(&mut first));
    match read {
        Ok(0) => Some(Finding::warning("transcript-empty", format!("{} is empty", target.display()))),
        Ok(_) if first == *b"{" => None,
        Ok(_) => Some(Finding::warning(
            "not-a-transcript",
            format!("{} does not begin with a JSON object", target.display()),
        )),
        Err(error) => Some(Finding::error(
            "transcript-unreadable",
            format!("cannot read {}: {error}", target.display()),
        )),
    }
}

fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).and_then(sqlite_writer::Value::as_str).unwrap_or_default()
}
