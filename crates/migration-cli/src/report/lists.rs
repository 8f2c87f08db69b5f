//! Items, findings and runs as lines of text.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;

use clap::builder::styling::Style as Ansi;
use migration_engine::{Bucket, Sums};
use session_model::Level;

use super::page::{GREEN, Page, RED, YELLOW};
use super::table::{align, bytes};
use super::{Fate, Own, Report, Row, RunFacts};
use crate::escape::visible;

/// Every item, with all there is to say about it.
pub(super) fn every_item(page: &mut Page, rows: &[Row]) {
    page.gap();
    for row in rows.iter().filter(|row| !matches!(row.own, Own::Run(_))) {
        item(page, row);
        row.findings.iter().for_each(|finding| page.finding("    ", finding));
    }
}

/// What needs attention, grouped, so that ten thousand of one reason do not drown one of another.
pub(super) fn trouble(page: &mut Page, rows: &[Row]) {
    let troubled = rows.iter().filter(|row| row.is_trouble());
    let groups = grouped(troubled.map(|row| ((row.bucket.map(Reverse), row.reason.as_deref()), row)));
    if !groups.is_empty() {
        page.gap();
    }
    for ((_, reason), group) in groups {
        for row in page.few(&group) {
            item(page, row);
            let is_undone = matches!(row.own, Own::Undone { .. });
            row.findings.iter().filter(|_| is_undone).for_each(|finding| page.finding("    ", finding));
        }
        let what = reason.map_or_else(String::new, |reason| format!(" [{reason}]"));
        page.more("  ", group.len(), &what);
    }
}

/// Warnings and errors about items, grouped likewise; notes are only counted.
pub(super) fn findings_by_code(page: &mut Page, rows: &[Row]) {
    let rows = rows.iter().filter(|row| !matches!(row.own, Own::Undone { .. }));
    let all = rows.flat_map(|row| row.findings.iter().map(move |finding| (row, finding)));
    let (notes, loud): (Vec<_>, Vec<_>) = all.partition(|(_, finding)| finding.level == Level::Note);
    let loud = loud.into_iter();
    let groups = grouped(loud.map(|found| ((Reverse(found.1.level), found.1.code.as_str()), found)));
    if !groups.is_empty() || !notes.is_empty() {
        page.gap();
    }
    for ((Reverse(level), code), group) in groups {
        for (row, finding) in page.few(&group) {
            let text = format!(": {} {}: {} [{code}]", row.kind, row.id, finding.message);
            page.line_of_level("", level, &text);
        }
        page.more("  ", group.len(), &format!(" [{code}]"));
    }
    match notes.len() {
        0 => {}
        1 => page.line("1 note; --verbose shows it"),
        many => page.line(&format!("{many} notes; --verbose shows them")),
    }
}

fn grouped<K: Ord, V>(entries: impl Iterator<Item = (K, V)>) -> BTreeMap<K, Vec<V>> {
    entries.fold(BTreeMap::new(), |mut groups, (key, value)| {
        groups.entry(key).or_insert_with(Vec::new).push(value);
        groups
    })
}

/// `conflict         session app-1  /from -> /to: why [code]`
fn item(page: &mut Page, row: &Row) {
    let (word, ansi) = match (row.bucket, &row.own) {
        (Some(bucket), _) if bucket.is_trouble() => (bucket.as_text(), RED),
        (Some(bucket), _) => (bucket.as_text(), GREEN),
        (None, Own::Undone { undone: Fate::Restored }) => ("restored", GREEN),
        (None, Own::Undone { undone: Fate::Kept }) => ("kept", YELLOW),
        (None, Own::Undone { undone: Fate::SetAside }) => ("set aside", YELLOW),
        (None, Own::Nothing {} | Own::Run(_) | Own::Facts(_)) => ("", Ansi::new()),
    };
    page.styled(ansi, &format!("{word:<15}"));
    let is_told = |place: &str| row.detail.as_ref().is_some_and(|detail| detail.contains(place));
    let mut text = format!("  {} {}", row.kind, row.id);
    if let Some(source) = row.source.as_ref().filter(|source| page.is_verbose() || !is_told(source)) {
        let _ = write!(text, "  {source}");
    }
    if page.is_verbose() && !row.targets.is_empty() {
        let _ = write!(text, " -> {}", row.targets.join(", "));
    }
    if let Some(detail) = &row.detail {
        let _ = write!(text, ": {detail}");
    }
    if let Some(reason) = &row.reason {
        let _ = write!(text, " [{reason}]");
    }
    page.line(&text);
}

/// The table of a verb that only looks.
pub(super) fn listed(page: &mut Page, report: &Report) {
    let (columns, text_columns) = &report.columns;
    if columns.is_empty() || report.items.is_empty() {
        return;
    }
    let mut table = vec![columns.iter().map(|&heading| heading.to_owned()).collect()];
    table.extend(
        report.items.iter().map(|row| row.cells.iter().map(|cell| visible(cell).into_owned()).collect()),
    );
    for line in align(&table, *text_columns) {
        page.line(&line);
    }
}

/// What became of each item: one line each, whatever else is said of it.
pub(super) fn outcomes(page: &mut Page, rows: &[Row]) {
    let head = ["item", "result", "size"].map(str::to_owned).to_vec();
    let mut table = vec![head];
    table.extend(rows.iter().map(|row| {
        let size = match &row.own {
            Own::Facts(facts) => facts.get("bytes").and_then(serde_json::Value::as_u64),
            _ => None,
        };
        let reason = row.reason.as_ref().map(|reason| format!(" [{reason}]")).unwrap_or_default();
        let result = format!("{}{reason}", row.bucket.map(Bucket::as_text).unwrap_or_default());
        vec![visible(&row.id).into_owned(), result, size.map(bytes).unwrap_or_default()]
    }));
    page.gap();
    for line in align(&table, 2) {
        page.line(&line);
    }
}

/// A list of runs.
pub(super) fn runs(page: &mut Page, rows: &[Row]) {
    let head = ["run", "state", "tool", "began", "migrated", "inputs"].map(str::to_owned).to_vec();
    let mut table = vec![head];
    table.extend(rows.iter().filter_map(|row| match &row.own {
        Own::Run(facts) => Some(run(row, facts)),
        _ => None,
    }));
    if table.len() > 1 {
        for line in align(&table, 4) {
            page.line(&line);
        }
    }
}

fn run(row: &Row, facts: &RunFacts) -> Vec<String> {
    let state = match (facts.forgotten, facts.bytes, facts.state) {
        (Some(true), Some(size), _) => format!("forgotten, {}", bytes(size)),
        (Some(false), Some(size), _) => format!("would free {}", bytes(size)),
        (_, _, Some(state)) => state.in_a_word().to_owned(),
        _ => "unreadable".to_owned(),
    };
    let count = |count: fn(&Sums) -> u64| {
        facts.counts.as_ref().map_or_else(String::new, |sums| count(sums).to_string())
    };
    vec![
        row.id.clone(),
        state,
        facts.made_by.as_deref().map(|tool| visible(tool).into_owned()).unwrap_or_default(),
        facts.began.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default(),
        count(|sums| sums.migrated),
        count(|sums| sums.inputs),
    ]
}
