//! The document for people: compact whatever its size; in trouble first, sums and commands last.

use std::collections::BTreeMap;

use migration_engine::{Bucket, Sums};

use super::page::{BOLD, Page, RED, Style};
use super::table::align;
use super::{Asked, Fate, Own, Report, Row, lists};
use crate::Exit;
use crate::escape::visible;

/// The report as text; empty if there is nothing to say on standard output.
pub(crate) fn to_text(report: &Report, style: Style) -> String {
    if report.error.is_some() {
        return String::new();
    }
    let mut page = Page::new(style);
    headline(&mut page, report);
    report.words.block.iter().for_each(|line| page.line(line));
    report.findings.iter().for_each(|finding| page.finding("", finding));
    lists::runs(&mut page, &report.items);
    lists::listed(&mut page, report);
    if style.verbose && !report.is_list {
        lists::every_item(&mut page, &report.items);
    } else {
        lists::trouble(&mut page, &report.items);
        lists::findings_by_code(&mut page, &report.items);
    }
    if report.ends_in_a_table {
        lists::outcomes(&mut page, &report.items);
    }
    sums(&mut page, report);
    reasons(&mut page, report);
    endings(&mut page, report);
    resumes(&mut page, report);
    report.words.closing.iter().for_each(|line| page.line(line));
    page.text()
}

/// A refusal or failure: what was found in detail, one line of what is wrong, one of what to do.
pub(crate) fn error_text(report: &Report, color: bool) -> String {
    let mut page = Page::new(Style { color, verbose: true });
    if let Some(error) = &report.error {
        report.findings.iter().for_each(|finding| page.finding("", finding));
        page.styled(RED, "error");
        page.line(&format!(": {}", error.message));
        page.styled(BOLD, "hint");
        page.line(&format!(": {}", error.hint));
    }
    page.text()
}

fn headline(page: &mut Page, report: &Report) {
    let Some(what) = in_a_word(report) else { return };
    page.styled(BOLD, &format!("{} {}", report.tool, report.version));
    page.line(&format!("  {what}"));
}

/// How it went; nothing for lists, which speak for themselves.
fn in_a_word(report: &Report) -> Option<String> {
    let fates = || {
        report
            .items
            .iter()
            .filter_map(|row| if let Own::Undone { undone } = row.own { Some(undone) } else { None })
    };
    let all = report.items.len();
    Some(match report.mode {
        Asked::Runs | Asked::Completions | Asked::Man => return None,
        Asked::Own(_) if report.is_list => return None,
        Asked::Plan if all == 0 => "plan: nothing to migrate; nothing was written".to_owned(),
        Asked::Plan => format!(
            "plan: {}; nothing was written",
            unmoved(report).unwrap_or_else(|| "this would happen".to_owned())
        ),
        Asked::Verify if report.exit == Exit::Done => {
            let grown = match report.items.iter().filter(|row| row.has_grown()).count() {
                0 => String::new(),
                grown => format!("; {} since the run", has_grown(grown)),
            };
            format!("verified: everything stands{grown}")
        }
        Asked::Verify => "verification failed".to_owned(),
        Asked::Undo | Asked::Resume if fates().next().is_some() => {
            let kept = fates().filter(|fate| *fate == Fate::Kept).count();
            let in_part = report.items.iter().filter(|row| row.is_taken_back_in_part()).count();
            let counts = [
                (all - kept, "taken back"),
                (in_part, "taken back in part"),
                (kept.saturating_sub(in_part), "kept"),
            ];
            let mut counts = counts.into_iter().filter(|(count, _)| *count > 0);
            let first = counts.next().map(|(count, fate)| format!("undone: {} {fate}", items(count)));
            counts.fold(first.unwrap_or_default(), |all, (count, fate)| format!("{all}, {count} {fate}"))
        }
        Asked::Undo | Asked::Resume if report.run.is_some() && report.sums.is_empty() => {
            "undone: there was nothing to take back".to_owned()
        }
        Asked::Undo => "nothing to undo".to_owned(),
        Asked::Resume if report.run.is_none() => "nothing to resume".to_owned(),
        Asked::Apply | Asked::Own(_) if all == 0 => "nothing to migrate".to_owned(),
        Asked::Apply | Asked::Own(_) if report.run.is_none() => {
            let unmoved = unmoved(report).unwrap_or_else(|| "nothing left to do".to_owned());
            format!("{unmoved}; nothing was written")
        }
        Asked::Apply | Asked::Own(_) | Asked::Resume => {
            let done = format!("{} of {} migrated", report.count(Bucket::Migrated), items(all));
            if report.exit == Exit::Unverified {
                format!("not verified: {done}")
            } else {
                format!("done: {done}")
            }
        }
    })
}

/// What to say where nothing moves: that nothing had to, or what keeps it from moving.
fn unmoved(report: &Report) -> Option<String> {
    if report.count(Bucket::Migrated) > 0 {
        return None;
    }
    let troubled = Bucket::ALL.into_iter().filter(|bucket| bucket.is_trouble() && report.count(*bucket) > 0);
    let counts: Vec<String> = troubled.map(|bucket| format!("{} {bucket}", report.count(bucket))).collect();
    let is_there = report.count(Bucket::AlreadyPresent) + report.count(Bucket::Superseded) > 0;
    Some(match (counts.is_empty(), is_there) {
        (true, _) => "nothing left to do".to_owned(),
        (false, true) => format!("nothing more can be moved: {}", counts.join(", ")),
        (false, false) => format!("nothing can be moved: {}", counts.join(", ")),
    })
}

fn has_grown(count: usize) -> String {
    if count == 1 { "1 item has grown".to_owned() } else { format!("{count} items have grown") }
}

fn items(count: usize) -> String {
    if count == 1 { "1 item".to_owned() } else { format!("{count} items") }
}

/// Which bucket every input is in, kind by kind.
fn sums(page: &mut Page, report: &Report) {
    if report.sums.is_empty() {
        return;
    }
    page.gap();
    let mut head = vec![String::new(), "inputs".to_owned()];
    head.extend(Bucket::ALL.map(|bucket| bucket.as_text().to_owned()));
    let mut rows = vec![head];
    rows.extend(report.sums.iter().map(|(title, sums)| sums_row(&visible(title), sums)));
    if report.sums.len() > 1 {
        rows.push(sums_row("total", &report.summary));
    }
    for line in align(&rows, 1) {
        page.line(&line);
    }
}

fn sums_row(title: &str, sums: &Sums) -> Vec<String> {
    let mut row = vec![title.to_owned(), sums.inputs.to_string()];
    row.extend(Bucket::ALL.map(|bucket| sums.get(bucket).to_string()));
    row
}

/// Why what was skipped was.
fn reasons(page: &mut Page, report: &Report) {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for row in report.items.iter().filter(|row| row.bucket == Some(Bucket::Skipped)) {
        *reasons.entry(row.reason.as_deref().unwrap_or("no reason given")).or_default() += 1;
    }
    let said: Vec<String> = reasons.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if !said.is_empty() {
        page.line(&format!("skipped: {}", said.join(", ")));
    }
}

/// The run, and every command that goes on from here.
fn endings(page: &mut Page, report: &Report) {
    if report.run.is_some() || !report.next.is_empty() {
        page.gap();
    }
    if let Some(run) = &report.run {
        page.line(&format!("run     {run}"));
    }
    for next in &report.next {
        page.line(&format!("{:<7} {}", next.label, next.command));
    }
}

/// The commands that resume what arrived.
fn resumes(page: &mut Page, report: &Report) {
    let arrived = matches!(report.mode, Asked::Apply | Asked::Own(_) | Asked::Resume);
    let rows = report.items.iter().filter(|_| arrived);
    let resumable: Vec<(&Row, &String)> = rows.filter_map(|row| Some((row, row.resume.as_ref()?))).collect();
    if resumable.is_empty() {
        return;
    }
    page.gap();
    page.line("resume a session in its new home:");
    for (row, command) in page.few(&resumable) {
        page.line(&format!("  {command}  # {}", row.id));
    }
    page.more("  ", resumable.len(), "");
}
