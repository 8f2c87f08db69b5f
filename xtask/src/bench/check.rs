//! `cowork-stitch check`, beside those who count lines and those who parse them.

use std::process::Command;

use super::Given;
use super::measure;
use super::race::Race;
use super::tool::Tool;
use crate::shell::Outcome;

pub(super) fn run(given: &Given) -> Outcome {
    let tool = Tool::built("cowork-stitch", given.folder())?;
    let session = given.session(100)?;
    tool.run([&session.path])?; // only what loads whole passes the check

    let on = |program: &str, words: &[&str]| {
        measure::program(Command::new(program).args(words).arg(&session.path))
    };
    let mut race = Race::new();
    let ours = race.enter("cowork-stitch check", || tool.run(["check".as_ref(), session.path.as_os_str()]));
    let wc = race.enter("wc -l", || on("wc", &["-l"]));
    let python = race
        .enter("json.loads per line", || measure::program(measure::python("loads.py").arg(&session.path)));
    race.enter("jq -c .uuid", || on("jq", &["-c", ".uuid"]));
    let results = race.run(&format!("check: {}", session.name), given.rounds())?;
    results.at_most(ours, wc, 4.0);
    results.at_least(python, ours, 8.0);
    results.peak_at_most(ours, session.index_kib());
    Ok(())
}
