//! The guide is held true: every message has its line in it, and every option that it shows is one.

use std::collections::BTreeSet;

use crate::hosts::Hosts;

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const NAME: &str = "convocate.md";

#[test]
fn every_message_has_its_line_in_the_guide() {
    // Outcomes, and what stands first in a pair: `("code", …`.
    let others = [
        "conflict(",
        "Bucket::Quarantined, ",
        "=> (",
        "=> {\n            (",
        "            (\n",
        "=> \"",
        "        (\"",
    ];
    testkit::guide::assert_complete(&testkit::guide::path(HERE, NAME), HERE, &others, 35);
}

#[test]
fn every_option_that_the_guide_shows_is_one() {
    let guide = std::fs::read_to_string(testkit::guide::path(HERE, NAME)).unwrap();
    let help = ["--help", "runs gc --help", "undo --help"]
        .map(|words| Hosts::with(0).expect(0, &words.split(' ').collect::<Vec<_>>()));
    let help = help.concat();
    let words = guide.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let shown: BTreeSet<&str> = words.filter(|word| word.starts_with("--") && word.len() > 3).collect();
    assert!(shown.len() > 10, "{shown:?}");
    let unknown: Vec<_> = shown.iter().filter(|option| !help.contains(**option)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
