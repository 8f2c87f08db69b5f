//! A guide is held true: every message of a tool has its line in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What makes a refusal or finding, whose code comes first.
const MAKERS: [&str; 5] =
    ["Refusal::new(", "Refusal::usage(", "Finding::note(", "Finding::warning(", "Finding::error("];

/// The guide of this name in a workspace of which this is one of the crates.
pub fn path(manifest_dir: &str, name: &str) -> PathBuf {
    Path::new(manifest_dir).join("../../docs/guide").join(name)
}

/// Expects a line of the guide for each code in the sources of a crate: what comes first in every refusal and finding,
/// and what has the shape of a code after one of these `others`. One that is put together in an odd place is not seen.
///
/// # Panics
/// If a code has none, or there are not `at_least` so many: then they were not found.
#[track_caller]
pub fn assert_complete(guide: &Path, manifest_dir: &str, others: &[&str], at_least: usize) {
    let text = fs::read_to_string(guide).unwrap();
    let mut codes = BTreeSet::new();
    let mut ahead = vec![Path::new(manifest_dir).join("src")];
    while let Some(folder) = ahead.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                ahead.push(path);
            } else {
                codes.extend(codes_of(&fs::read_to_string(path).unwrap_or_default(), others));
            }
        }
    }
    assert!(codes.len() >= at_least, "{codes:?}");
    let missing: Vec<_> = codes.iter().filter(|code| !text.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Expects that what stands in the guide's console blocks is what happens: `answer` says what comes of a line that is a
/// command, and `None` of every other. With `INSTA_UPDATE=always` what happens is written into the guide.
///
/// # Panics
/// If it is not.
#[track_caller]
pub fn assert_happens(guide: &Path, mut answer: impl FnMut(&str) -> Option<String>) {
    let text = fs::read_to_string(guide).unwrap();
    let mut now = String::new();
    let mut in_console = false;
    for line in text.lines() {
        match in_console.then(|| answer(line)).flatten() {
            Some(answered) => now.extend([line, "\n", &answered]),
            None if in_console && line != "```" => {}
            None => {
                in_console = line == "```console";
                now.extend([line, "\n"]);
            }
        }
    }
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(guide, &now).unwrap();
    }
    for (told, happened) in text.lines().zip(now.lines()) {
        assert_eq!(told, happened, "INSTA_UPDATE=always writes what happens into the guide");
    }
    assert_eq!(text, now);
}

fn codes_of(source: &str, others: &[&str]) -> BTreeSet<String> {
    let first = |rest: &str| Some(rest.split_once('"')?.0.to_owned());
    let after = |maker: &str| source.split(maker).skip(1).map(str::trim_start).collect::<Vec<_>>();
    let is_code = |text: &String| {
        let of_a_code = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        text.contains('-') && !text.starts_with('-') && text.bytes().all(of_a_code)
    };
    let made = MAKERS.iter().flat_map(|maker| after(maker)).filter_map(|rest| first(rest.strip_prefix('"')?));
    let other = others.iter().flat_map(|maker| after(maker));
    let other = other.filter_map(|rest| first(rest.strip_prefix('"').unwrap_or(rest))).filter(is_code);
    made.chain(other).collect()
}
