//! The guide is held true: what it shows is what happens, every message has its line in it, every option is one.

use std::collections::BTreeSet;
use std::fs;

use crate::world::World;

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const NAME: &str = "openclaw.md";

/// What a run is called in the guide.
const RUN: &str = "20260131-174501-3f9a";

/// What the workspace of the guide answers to a command, as it would stand there.
fn answer(world: &World, command: &str) -> String {
    let words: Vec<&str> = command.split(' ').skip(1).filter(|word| *word != RUN).collect();
    let output = world.tool(&words).run();
    let text = [output.stderr, output.stdout].concat();
    let text = world.redacted(&String::from_utf8(text).unwrap());
    let told = text
        .replace("@RUN@", RUN)
        .replace("@HERE@/home", "/home/ada")
        .replace("@HERE@/state", "/home/ada/.local/state/rehome");
    told.lines().flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn what_the_guide_shows_is_what_happens() {
    let world = World::of("app");
    testkit::guide::assert_happens(&testkit::guide::path(HERE, NAME), |line| {
        Some(answer(&world, line.strip_prefix("$ ")?))
    });
}

#[test]
fn every_message_has_its_line_in_the_guide() {
    let others = [
        "Outcome::because(Bucket::Skipped, ",
        "Bucket::Quarantined, ",
        "Bucket::Failed, ",
        "=> (\n            ",
        ", \"",
        "Bucket::Conflict, ",
    ];
    let guide = testkit::guide::path(HERE, NAME);
    testkit::guide::assert_complete(&guide, HERE, &others, 25);
    let reader = format!("{HERE}/../legacy-readers/src/openclaw/");
    let text = fs::read_to_string(guide).unwrap();
    let mut codes = BTreeSet::new();
    for name in ["../openclaw.rs", "flaw.rs", "map.rs", "session.rs"] {
        let source = fs::read_to_string(format!("{reader}{name}")).unwrap();
        let after = ["Kind = (\"", "Kind =\n    (\"", "anomaly(\"", "Anomaly::new(\"", "code: \""];
        let found = after
            .iter()
            .flat_map(|maker| source.split(maker).skip(1))
            .filter_map(|rest| rest.split('"').next());
        codes.extend(found.filter(|code| !code.contains(' ')).map(str::to_owned).collect::<Vec<_>>());
    }
    assert!(codes.len() > 15, "{codes:?}");
    let missing: Vec<_> = codes.iter().filter(|code| !text.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_option_that_the_guide_shows_is_one() {
    let guide = fs::read_to_string(testkit::guide::path(HERE, NAME)).unwrap();
    let world = World::of("app");
    let help = ["--help", "runs gc --help", "undo --help"];
    let help: String =
        help.iter().map(|words| world.say(0, &words.split(' ').collect::<Vec<_>>()).stdout).collect();
    let of_openclaw = ["--session-sqlite", "--session-sqlite-all-agents"];
    let words = guide.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let shown: BTreeSet<&str> = words.filter(|word| word.starts_with("--") && word.len() > 3).collect();
    assert!(shown.len() > 8, "{shown:?}");
    let unknown: Vec<_> =
        shown.iter().filter(|word| !help.contains(**word) && !of_openclaw.contains(word)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
