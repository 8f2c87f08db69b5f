//! `cowork-stitch`, beside a copy of the transcript that is made durable.

use super::race::Race;
use super::tool::Tool;
use super::{Given, files};
use crate::shell::Outcome;

pub(super) fn run(given: &Given) -> Outcome {
    let tool = Tool::built("cowork-stitch", given.folder())?;
    let counts: &[u32] = if given.is_large { &[12] } else { &[12, 100] };
    counts.iter().try_for_each(|&compactions| of(given, &tool, compactions))
}

/// Whatever the number of compactions, the bytes are what it costs.
fn of(given: &Given, tool: &Tool, compactions: u32) -> Outcome {
    let session = given.session(compactions)?;
    let copy = given.folder().join("copy.jsonl");
    let mut race = Race::new();
    let ours = race.enter("cowork-stitch", || tool.run([session.fresh_copy()?]));
    let cp = race.enter("cp and fsync", || files::copy(&session.path, &copy));
    let results = race.run(&format!("stitch: {}", session.name), given.rounds())?;
    results.at_most(ours, cp, 2.0);
    results.peak_at_most(ours, session.index_kib());
    files::clear(&copy)
}
