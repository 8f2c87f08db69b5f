//! The guide is held true: what it shows is what happens, every message has its line in it, every option is one.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use crate::place::{Place, Shell, Typing, lay};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const NAME: &str = "convocate-session.md";

/// The ids that sessions have in the guide, in the order in which they are seen.
const IDS: [&str; 5] = [
    "3f0c1d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f",
    "9a8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d",
    "5d1e9f20-7c3b-4e8a-9b6f-2c4d6e8f0a1b",
    "c2b4d6e8-0f1a-4b3c-8d5e-7f9a1b3c5d7e",
    "e7f9a1b3-c5d7-4e9f-a1b3-c5d7e9f1a3b5",
];

#[test]
fn what_the_guide_shows_is_what_happens() {
    let shell = Shell::alive();
    lay(shell.cluster.agent(1).base(), 1, "notes", &[("port", json!(8080))]);
    lay(&shell.cluster.shell(), 2, "left", &[]);
    let mut seen: Vec<String> = Vec::new();
    testkit::guide::assert_happens(&testkit::guide::path(HERE, NAME), |line| {
        let words: Vec<&str> = line.strip_prefix("$ convocate-session ")?.split(' ').collect();
        let said = shell.says(0, &words);
        let mut text = said.err + &said.out;
        let is_id = |word: &&str| word.len() == 36 && word.matches('-').count() == 4;
        let of_an_id = |c: char| c.is_ascii_hexdigit() || c == '-';
        for id in text.split(|c| !of_an_id(c)).filter(is_id) {
            if !seen.iter().any(|one| one == id) {
                seen.push(id.to_owned());
            }
        }
        for (id, told) in seen.iter().zip(IDS) {
            text = text.replace(id, told);
        }
        let today = session_model::Timestamp::now().strftime("%Y-%m-%d").to_string();
        Some(
            text.replace("root@127.0.0.1:@PORT@", "claude@agent-1")
                .replace(&today, "2026-03-04")
                .replace("@HERE@/names", "/var/lib/convocate"),
        )
    });
}

#[test]
fn every_message_has_its_line_in_the_guide() {
    let others = ["Refusal::failure(", "Cause::new(", "=> (Exit::Refused, ", "\" => (Exit"];
    testkit::guide::assert_complete(&testkit::guide::path(HERE, NAME), HERE, &others, 30);
}

#[test]
fn every_option_and_verb_that_the_guide_shows_is_one() {
    let guide = fs::read_to_string(testkit::guide::path(HERE, NAME)).unwrap();
    let place = Place::new();
    let verbs = [
        "--help",
        "new --help",
        "edit --help",
        "clone --help",
        "move --help",
        "delete --help",
        "override --help",
        "events --help",
        "undo --help",
    ];
    let help: String =
        verbs.iter().map(|words| place.says(0, &words.split(' ').collect::<Vec<_>>()).out).collect();
    let words = guide.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let shown: BTreeSet<&str> = words.filter(|word| word.starts_with("--") && word.len() > 3).collect();
    assert!(shown.len() > 12, "{shown:?}");
    let unknown: Vec<_> = shown.iter().filter(|option| !help.contains(**option)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn help_the_manual_page_and_the_completions_know_every_verb() {
    let place = Place::new();
    insta::assert_snapshot!("help", place.says(0, &["--help"]).out);
    insta::assert_snapshot!("man", place.says(0, &["man"]).out);
    for shell in ["bash", "zsh", "fish"] {
        let said = place.says(0, &["completions", shell]).out;
        for word in ["override", "background", "agent-keys-dir", "connected"] {
            assert!(said.contains(word), "{shell}: {word}");
        }
    }
}
