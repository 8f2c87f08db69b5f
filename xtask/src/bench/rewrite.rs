//! `cowork-migrate rewrite` by six rules, beside a copy that is made durable and the usual script.

use std::ffi::OsString;
use std::path::Path;

use super::race::Race;
use super::tool::Tool;
use super::{Given, files, measure};
use crate::shell::Outcome;

/// What moved where.
const RULES: [&str; 6] = [
    r"C:\Users\mira=C:\Users\otto",
    r"C:\Users\mira\projects=D:\work",
    r"C:\Users\mira\projects\drafts=D:\letters\drafts",
    r"C:\Users\mira\Documents=C:\Users\otto\OneDrive\Documents",
    r"D:\archive\2025=E:\archive\2025",
    r"E:\scans=D:\scans",
];

pub(super) fn run(given: &Given) -> Outcome {
    let tool = Tool::built("cowork-migrate", given.folder())?;
    let session = given.session(100)?;
    let copy = given.folder().join("copy.jsonl");
    let mut script = measure::python("rewrite.py");
    script.args([&session.path, &copy]).args(RULES);
    let mut race = Race::new();
    let ours = race.enter("cowork-migrate rewrite", || tool.run(arguments(&session.fresh_copy()?)));
    let cp = race.enter("cp and fsync", || files::copy(&session.path, &copy));
    // All of it in memory, and then some: too much of it for the largest.
    let python = (!given.is_large).then(|| race.enter("a Python script", || measure::program(&script)));
    let results = race.run(&format!("rewrite: {}, 6 rules", session.name), given.rounds())?;
    results.at_most(ours, cp, 2.5);
    if let Some(python) = python {
        results.at_least(python, ours, 10.0);
    }
    results.peak_at_most(ours, MEMORY_KIB);
    files::clear(&copy)
}

/// However long the file is.
pub(super) const MEMORY_KIB: u64 = 32 * 1024;

/// What the tool is told.
pub(super) fn arguments(file: &Path) -> Vec<OsString> {
    let rules = RULES.iter().flat_map(|rule| ["--map".into(), OsString::from(rule)]);
    ["rewrite".into(), file.into()].into_iter().chain(rules).collect()
}
