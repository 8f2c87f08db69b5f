//! Whatever bytes stand in any of the files: no panic, and nothing uncounted.

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::fixtures::each_input_once;
use crate::read;

const FILES: [&str; 8] = [
    ".agent-orchestrator/config.yaml",
    ".agent-orchestrator/portfolio/preferences.json",
    ".agent-orchestrator/portfolio/registered.json",
    ".agent-orchestrator/projects/ledger/sessions/led-1.json",
    ".agent-orchestrator/projects/ledger/orchestrator.json",
    ".agent-orchestrator/29931f5a1c76-ledger/sessions/led-2",
    ".agent-orchestrator/081234567890/sessions/led-3",
    "src/ledger/agent-orchestrator.yaml",
];

const REGISTRY: &str = "projects:\n  ledger:\n    path: ~/src/ledger\n    storageKey: 081234567890\n";

/// Text made of what the formats are made of, so that parsers get further than their first character.
fn shards() -> impl Strategy<Value = Vec<u8>> {
    let shard = prop_oneof![
        Just("projects:\n"),
        Just("  ledger:\n"),
        Just("    path: ~/x\n"),
        Just("- "),
        Just(": "),
        Just("\n"),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just("\""),
        Just("\\"),
        Just("\\ud83d"),
        Just("&a "),
        Just("*a"),
        Just("|"),
        Just("!!str "),
        Just("---\n"),
        Just("..."),
        Just("%YAML 1.2\n"),
        Just("? "),
        Just("\"lifecycle\":"),
        Just("\"session\":"),
        Just("\"{\\\"session\\\":{}}\""),
        Just("lifecycle="),
        Just("="),
        Just("#"),
        Just("\t"),
        Just("\u{feff}"),
        Just("\0"),
        Just("null"),
        Just("1e999"),
        Just("zoë"),
        Just("  "),
    ];
    vec(shard, 0..40).prop_map(|shards| shards.concat().into_bytes())
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..200), shards()]
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn usual(file: &str) -> &'static [u8] {
    if file == FILES[0] { REGISTRY.as_bytes() } else { b"{}" }
}

#[test]
fn arbitrary_bytes_as_any_file_are_counted_and_never_a_panic() {
    let home = tempfile::tempdir().unwrap();
    for file in FILES {
        fs::create_dir_all(home.path().join(file).parent().unwrap()).unwrap();
        fs::write(home.path().join(file), usual(file)).unwrap();
    }
    proptest!(config(2000), |(file in select(&FILES), bytes in content())| {
        fs::write(home.path().join(file), bytes).unwrap();
        let survey = read(home.path());
        fs::write(home.path().join(file), usual(file)).unwrap();
        each_input_once(&survey);
        prop_assert_eq!(survey.found.sessions.len(), 4);
    });
}

#[test]
fn arbitrary_names_are_each_counted_once() {
    proptest!(config(200), |(names in vec("[a-z.{}= -]{1,12}|[\\PC]{1,6}", 1..6))| {
        let home = tempfile::tempdir().unwrap();
        let sessions = home.path().join(".agent-orchestrator/29931f5a1c76-ledger/sessions");
        fs::create_dir_all(&sessions).unwrap();
        for name in names.iter().filter(|name| !name.contains('/') && *name != "." && *name != "..") {
            fs::write(sessions.join(name), "status=idle").unwrap();
        }
        let survey = read(home.path());
        each_input_once(&survey);
        prop_assert_eq!(survey.found.sessions.len(), fs::read_dir(&sessions).unwrap().count());
    });
}
