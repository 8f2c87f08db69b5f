//! The document for people: compact whatever its size; in trouble first, sums and commands last.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::builder::styling::{AnsiColor, Style as Ansi};
use migration_engine::{Bucket, Sums};
use session_model::{Finding, Level};

use super::table::{align, bytes};
use super::{Asked, Fate, Own, Report, Row, RunFacts};
use crate::escape::visible;

/// How many of a kind are listed before the rest is only counted.
const LISTED: usize = 10;

/// How the text is to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) color: bool,
    pub(crate) verbose: bool,
}

const BOLD: Ansi = Ansi::new().bold();
const RED: Ansi = AnsiColor::Red.on_default().bold();
const YELLOW: Ansi = AnsiColor::Yellow.on_default().bold();
const GREEN: Ansi = AnsiColor::Green.on_default();

/// Text under construction. Whatever is put on it is made visible first, so nothing from outside reaches the terminal
/// as it is.
struct Page {
    out: String,
    style: Style,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(&visible(text));
        self.out.push('\n');
    }

    fn styled(&mut self, ansi: Ansi, text: &str) {
        let text = visible(text);
        if self.style.color {
            let _ = write!(self.out, "{ansi}{text}{ansi:#}");
        } else {
            self.out.push_str(&text);
        }
    }

    fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// The first few of a list, or all of them when asked for.
    fn few<'a, T>(&self, list: &'a [T]) -> &'a [T] {
        if self.style.verbose { list } else { &list[..list.len().min(LISTED)] }
    }

    fn more(&mut self, indent: &str, all: usize, what: &str) {
        if all > LISTED && !self.style.verbose {
            let rest = all - LISTED;
            self.line(&format!("{indent}… and {rest} more{what}; --verbose or --json shows all"));
        }
    }
}

/// The report as text; empty if there is nothing to say on standard output.
pub(crate) fn to_text(report: &Report, style: Style) -> String {
    let mut page = Page { out: String::new(), style };
    if report.error.is_some() {
        return String::new();
    }
    headline(&mut page, report);
    report.findings.iter().for_each(|finding| page.finding("", finding));
    page.runs(&report.items);
    if style.verbose {
        page.every_item(&report.items);
    } else {
        page.trouble(&report.items);
        page.findings_by_code(&report.items);
    }
    page.sums(report);
    page.endings(report);
    page.out
}

/// A refusal or failure: what was found in detail, one line of what is wrong, one of what to do.
pub(crate) fn error_text(report: &Report, color: bool) -> String {
    let mut page = Page { out: String::new(), style: Style { color, verbose: true } };
    if let Some(error) = &report.error {
        report.findings.iter().for_each(|finding| page.finding("", finding));
        page.styled(RED, "error");
        page.line(&format!(": {}", error.message));
        page.styled(BOLD, "hint");
        page.line(&format!(": {}", error.hint));
    }
    page.out
}

fn headline(page: &mut Page, report: &Report) {
    let restored = || report.items.iter().filter(|row| matches!(row.own, Own::Undone { .. })).count();
    let what = match report.mode {
        Asked::Plan => "plan: this would happen; nothing was written".to_owned(),
        Asked::Apply | Asked::Resume if report.items.is_empty() && restored() == 0 => "nothing to do".to_owned(),
        Asked::Apply | Asked::Resume if report.run.is_none() => "nothing left to do; nothing was written".to_owned(),
        Asked::Resume | Asked::Undo if restored() > 0 => format!("undone: {} taken back", items(restored())),
        Asked::Undo => "nothing to undo".to_owned(),
        Asked::Apply | Asked::Resume => format!("done: {} of {} migrated", report.count(Bucket::Migrated), items(report.items.len())),
        Asked::Verify if report.exit == crate::Exit::Done => "verified: everything stands".to_owned(),
        Asked::Verify => "verification failed".to_owned(),
        Asked::Runs | Asked::Completions | Asked::Man => return,
    };
    page.styled(BOLD, &format!("{} {}", report.tool, report.version));
    page.line(&format!("  {what}"));
}

fn items(count: usize) -> String {
    if count == 1 { "1 item".to_owned() } else { format!("{count} items") }
}

impl Page {
    fn finding(&mut self, indent: &str, finding: &Finding) {
        self.out.push_str(indent);
        self.level(finding.level);
        self.line(&format!(": {} [{}]", finding.message, finding.code));
    }

    fn level(&mut self, level: Level) {
        let ansi = match level {
            Level::Note => Ansi::new(),
            Level::Warning => YELLOW,
            Level::Error => RED,
        };
        self.styled(ansi, &level.to_string());
    }

    fn every_item(&mut self, rows: &[Row]) {
        self.gap();
        for row in rows.iter().filter(|row| !matches!(row.own, Own::Run(_))) {
            self.item(row);
            row.findings.iter().for_each(|finding| self.finding("    ", finding));
        }
    }

    fn trouble(&mut self, rows: &[Row]) {
        let trouble: Vec<&Row> = rows.iter().filter(|row| row.is_trouble()).collect();
        if !trouble.is_empty() {
            self.gap();
            self.few(&trouble).iter().for_each(|row| self.item(row));
            self.more("", trouble.len(), " that need attention");
        }
    }

    /// `conflict         session app-1  /from -> /to: why [code]`
    fn item(&mut self, row: &Row) {
        let (word, ansi) = match (row.bucket, &row.own) {
            (Some(bucket), _) if bucket.is_trouble() => (bucket.as_text(), RED),
            (Some(bucket), _) => (bucket.as_text(), GREEN),
            (None, Own::Undone { undone: Fate::Restored }) => ("restored", GREEN),
            (None, Own::Undone { undone: Fate::Kept }) => ("kept", YELLOW),
            (None, Own::Undone { undone: Fate::SetAside }) => ("set aside", YELLOW),
            (None, _) => ("", Ansi::new()),
        };
        self.styled(ansi, &format!("{word:<15}"));
        let mut text = format!("  {} {}", row.kind, row.id);
        if let Some(source) = &row.source {
            let _ = write!(text, "  {source}");
        }
        if self.style.verbose && !row.targets.is_empty() {
            let _ = write!(text, " -> {}", row.targets.join(", "));
        }
        if let Some(detail) = &row.detail {
            let _ = write!(text, ": {detail}");
        }
        if let Some(reason) = &row.reason {
            let _ = write!(text, " [{reason}]");
        }
        self.line(&text);
        if !self.style.verbose && row.bucket.is_none() {
            row.findings.iter().for_each(|finding| self.finding("    ", finding));
        }
    }

    /// Warnings and errors about items, grouped, so that ten thousand of one code do not drown one of another.
    fn findings_by_code(&mut self, rows: &[Row]) {
        let mut groups: BTreeMap<(std::cmp::Reverse<Level>, &str), Vec<(&Row, &Finding)>> = BTreeMap::new();
        let mut notes = 0;
        for row in rows.iter().filter(|row| !matches!(row.own, Own::Undone { .. })) {
            for finding in &row.findings {
                match finding.level {
                    Level::Note => notes += 1,
                    level => groups
                        .entry((std::cmp::Reverse(level), &finding.code))
                        .or_default()
                        .push((row, finding)),
                }
            }
        }
        if !groups.is_empty() || notes > 0 {
            self.gap();
        }
        for ((level, code), group) in groups {
            for (row, finding) in self.few(&group) {
                self.level(level.0);
                self.line(&format!(": {} {}: {} [{code}]", row.kind, row.id, finding.message));
            }
            self.more("  ", group.len(), &format!(" [{code}]"));
        }
        if notes > 0 {
            self.line(&format!("{notes} {}; --verbose shows them", if notes == 1 { "note" } else { "notes" }));
        }
    }

    /// Which bucket every input is in, kind by kind, and why what was skipped was.
    fn sums(&mut self, report: &Report) {
        if report.sums.is_empty() {
            return;
        }
        self.gap();
        let mut rows = vec![vec![String::new(), "inputs".to_owned()]];
        rows[0].extend(Bucket::ALL.map(|bucket| bucket.as_text().to_owned()));
        rows.extend(report.sums.iter().map(|(title, sums)| sums_row(&visible(title), sums)));
        if report.sums.len() > 1 {
            rows.push(sums_row("total", &report.summary));
        }
        for line in align(&rows, 1) {
            self.line(&line);
        }
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for row in report.items.iter().filter(|row| row.bucket == Some(Bucket::Skipped)) {
            *reasons.entry(row.reason.as_deref().unwrap_or("no reason given")).or_default() += 1;
        }
        if !reasons.is_empty() {
            let reasons: Vec<String> =
                reasons.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            self.line(&format!("skipped: {}", reasons.join(", ")));
        }
    }

    /// The run, and every command that goes on from here.
    fn endings(&mut self, report: &Report) {
        if report.run.is_some() || !report.next.is_empty() {
            self.gap();
        }
        if let Some(run) = &report.run {
            self.line(&format!("run     {run}"));
        }
        for next in &report.next {
            self.line(&format!("{:<7} {}", next.label, next.command));
        }
        let arrived = matches!(report.mode, Asked::Apply | Asked::Resume | Asked::Verify);
        let resumable: Vec<(&Row, &String)> = report
            .items
            .iter()
            .filter(|row| arrived && !row.is_trouble() && row.bucket != Some(Bucket::Skipped))
            .filter_map(|row| Some((row, row.resume.as_ref()?)))
            .collect();
        if !resumable.is_empty() {
            self.gap();
            self.line("resume a session in its new home:");
            for (row, command) in self.few(&resumable) {
                self.line(&format!("  {command}  # {}", row.id));
            }
            self.more("  ", resumable.len(), "");
        }
    }

    /// A list of runs.
    fn runs(&mut self, rows: &[Row]) {
        let mut table = vec![["run", "state", "tool", "began", "migrated", "inputs"].map(str::to_owned).to_vec()];
        table.extend(rows.iter().filter_map(|row| match &row.own {
            Own::Run(facts) => Some(run_row(row, facts)),
            _ => None,
        }));
        if table.len() > 1 {
            for line in align(&table, 4) {
                self.line(&line);
            }
        }
    }
}

fn sums_row(title: &str, sums: &Sums) -> Vec<String> {
    let mut row = vec![title.to_owned(), sums.inputs.to_string()];
    row.extend(Bucket::ALL.map(|bucket| sums.get(bucket).to_string()));
    row
}

fn run_row(row: &Row, facts: &RunFacts) -> Vec<String> {
    let state = match (facts.forgotten, facts.bytes, facts.state) {
        (Some(true), Some(size), _) => format!("forgotten, {}", bytes(size)),
        (Some(false), Some(size), _) => format!("would free {}", bytes(size)),
        (_, _, Some(phase)) => phase_text(phase).to_owned(),
        _ => "unreadable".to_owned(),
    };
    let count = |count: fn(&Sums) -> u64| facts.counts.as_ref().map_or_else(String::new, |sums| count(sums).to_string());
    vec![
        row.id.clone(),
        state,
        facts.made_by.as_deref().map(|tool| visible(tool).into_owned()).unwrap_or_default(),
        facts.began.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default(),
        count(|sums| sums.migrated),
        count(|sums| sums.inputs),
    ]
}

/// Where a run stands, in a word.
fn phase_text(phase: migration_engine::Phase) -> &'static str {
    use migration_engine::Phase;
    match phase {
        Phase::Interrupted => "interrupted",
        Phase::Applied => "applied",
        Phase::Undoing => "undo interrupted",
        Phase::Undone => "undone",
    }
}
