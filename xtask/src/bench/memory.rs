//! That memory does not grow with a transcript: a short one, a long one, and one with a very long line.

use super::race::Race;
use super::sessions::Session;
use super::tool::Tool;
use super::{Given, rewrite};
use crate::shell::Outcome;

/// The length of the long line.
const LONG_MB: usize = 200;

pub(super) fn run(given: &Given) -> Outcome {
    let stitch = Tool::built("cowork-stitch", given.folder())?;
    let migrate = Tool::built("cowork-migrate", given.folder())?;
    let long = given.session(12)?;
    of(&long, 0, &stitch, &migrate)?;
    let short = Session::write(given.folder(), 10, 12)?;
    of(&short, 0, &stitch, &migrate)?;
    of(&short.behind_a_line_of(LONG_MB)?, LONG_MB, &stitch, &migrate)
}

/// A line may take room twice.
fn of(session: &Session, longest_mb: usize, stitch: &Tool, migrate: &Tool) -> Outcome {
    let line_kib = 2 * longest_mb as u64 * 1_000_000 / 1024;
    let stitched = session.fresh_copy()?;
    stitch.run([&stitched])?;
    let mut race = Race::new();
    let check = race.enter("cowork-stitch check", || stitch.run(["check".as_ref(), stitched.as_os_str()]));
    let whole = race.enter("cowork-stitch", || stitch.run([session.fresh_copy()?]));
    let paths =
        race.enter("cowork-migrate rewrite", || migrate.run(rewrite::arguments(&session.fresh_copy()?)));
    let results = race.run(&format!("memory: {}", session.name), 1)?;
    results.peak_at_most(check, session.index_kib() + line_kib);
    results.peak_at_most(whole, session.index_kib() + line_kib);
    results.peak_at_most(paths, rewrite::MEMORY_KIB + line_kib);
    Ok(())
}
