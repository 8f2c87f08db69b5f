//! The guide is held true: every message has its line in it, and every option that it shows is one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::hosts::Hosts;

fn guide() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/convocate.md");
    fs::read_to_string(path).unwrap()
}

#[test]
fn every_message_has_its_line_in_the_guide() {
    let guide = guide();
    let mut codes = BTreeSet::new();
    let mut ahead = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = ahead.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                ahead.push(path);
            } else {
                codes.extend(codes_of(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(codes.len() > 35, "{codes:?}");
    let missing: Vec<_> = codes.iter().filter(|code| !guide.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The first text in every refusal, finding and outcome, and what stands first in a pair: `("code", …`.
fn codes_of(source: &str) -> BTreeSet<String> {
    let makers =
        ["Refusal::new(", "Refusal::usage(", "Finding::note(", "Finding::warning(", "Finding::error("];
    let others = [
        "conflict(",
        "Bucket::Quarantined, ",
        "=> (",
        "=> {\n            (",
        "            (\n",
        "=> \"",
        "        (\"",
    ];
    let made = makers.iter().chain(&others).flat_map(|maker| source.split(maker).skip(1));
    let codes = made.filter_map(|rest| {
        let rest = rest.trim_start();
        let (code, _) = rest.strip_prefix('"').unwrap_or(rest).split_once('"')?;
        let is_code =
            code.contains('-') && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        (is_code && !code.starts_with('-')).then(|| code.to_owned())
    });
    codes.collect()
}

#[test]
fn every_option_that_the_guide_shows_is_one() {
    let guide = guide();
    let help = ["--help", "runs gc --help", "undo --help"]
        .map(|words| Hosts::with(0).expect(0, &words.split(' ').collect::<Vec<_>>()));
    let help = help.concat();
    let words = guide.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let shown: BTreeSet<&str> = words.filter(|word| word.starts_with("--") && word.len() > 3).collect();
    assert!(shown.len() > 10, "{shown:?}");
    let unknown: Vec<_> = shown.iter().filter(|option| !help.contains(**option)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
