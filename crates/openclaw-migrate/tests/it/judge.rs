//! Every message of every session is there, field by field, as Python reads both sides with nothing but `json`.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use testkit::tree::Tree;

use crate::troubled;
use crate::world::{World, codes, item};

/// A copy of the old folder, beside the home.
fn copied(world: &World) -> PathBuf {
    let copy = world.path().join("before");
    let copied = Command::new("cp").arg("-a").arg(world.sessions()).arg(&copy).status().unwrap();
    assert!(copied.success());
    copy
}

/// Asks Python whether these sessions of the report are what they were.
#[track_caller]
fn judge(world: &World, before: &PathBuf, report: &Value, format: &str, sessions: usize) {
    let told = world.path().join("report.json");
    std::fs::write(&told, report.to_string()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/judge.py");
    let mut python = Command::new("python3");
    python
        .args(["-I", script])
        .arg(before)
        .arg(world.workspace())
        .arg(told)
        .arg(format)
        .arg(sessions.to_string());
    let judged = python.output().unwrap();
    let said = [judged.stdout, judged.stderr].concat();
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// Every input is in one bucket, and there are as many as there were files.
#[track_caller]
fn assert_all_accounted_for(world: &World, report: &Value) {
    let is_input = |name: &String| {
        let is_json = std::path::Path::new(name).extension().is_some_and(|end| end == "json");
        is_json && !name.contains('/') && name != "sessions.json"
    };
    let inputs = Tree::of(&world.sessions()).names().iter().filter(|name| is_input(name)).count();
    let summary = report["summary"].as_object().unwrap();
    let buckets: u64 =
        summary.iter().filter(|(name, _)| *name != "inputs").map(|(_, count)| count.as_u64().unwrap()).sum();
    assert_eq!(summary["inputs"], inputs);
    assert_eq!(buckets, inputs as u64);
    assert_eq!(report["items"].as_array().unwrap().len(), inputs);
}

#[test]
fn every_message_of_every_session_arrives_whatever_trouble_stands_beside_it() {
    let world = troubled::workspace();
    let before = copied(&world);
    let planned = world.report(3, &["--dry-run"]);
    let report = world.report(3, &[]);
    assert_all_accounted_for(&world, &report);
    assert_eq!(planned["summary"], report["summary"], "the plan is what happens");
    judge(&world, &before, &report, "python", 27);
    world.say(0, &["verify"]);
    world.assert_tidy("migrated");
}

#[test]
fn openclaw_itself_gets_every_message_in_one_chain() {
    let world = troubled::workspace_without_older_run();
    let before = copied(&world);
    let report = world.report(3, &["--format", "openclaw"]);
    assert_all_accounted_for(&world, &report);
    assert_eq!(item(&report, "ünï cödé €")["reason"], "id-not-allowed");
    judge(&world, &before, &report, "openclaw", 23);
    world.say(0, &["verify"]);
}

#[test]
fn nothing_newer_is_overwritten_and_nothing_of_another_touched() {
    let world = World::of("older-run");
    let before = Tree::of(&world.sessions());
    let report = world.report(3, &[]);
    let found = [
        ("as-it-was", "already_present", vec![]),
        ("gone-on", "superseded", vec![]),
        ("compacted", "superseded", vec!["transcript-differs"]),
        ("patched", "superseded", vec![]),
        ("reworded", "conflict", vec![]),
        ("strayed", "conflict", vec![]),
        ("half-done", "migrated", vec!["transcript-there"]),
        ("other-key", "already_present", vec!["key-differs"]),
        ("taken-key", "migrated", vec!["key-collision"]),
    ];
    for (name, bucket, expected) in found {
        let item = item(&report, name);
        assert_eq!(item["bucket"], bucket, "{name}");
        let codes: Vec<_> = codes(item).into_iter().filter(|code| *code != "no-field").collect();
        assert_eq!(codes, expected, "{name}");
    }
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let after = text(std::fs::read(world.sessions().join("sessions.json")).unwrap());
    let old = std::fs::read(before_store()).unwrap();
    let kept = text(old).trim_end().trim_end_matches('}').trim_end().to_owned();
    assert!(after.starts_with(&kept), "what others wrote stays byte for byte:\n{after}");
    assert_eq!(world.store()["agent:main:taken-key"]["session_id"], "taken-key");
    assert_eq!(world.store()["agent:main:half-don"]["session_id"], "half-done");
    let now = Tree::of(&world.sessions()).without(&["sessions.json", "taken-key.jsonl", "backup_old_format"]);

    before.without(&["sessions.json"]).assert_same(&now, "what was there");
}

fn before_store() -> PathBuf {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/openclaw-migrate/older-run/home");
    PathBuf::from(fixtures).join(".openclaw/.sessions/sessions.json")
}

#[test]
fn a_map_that_cannot_be_read_is_reported_and_costs_no_session() {
    for (map, code) in [("[]", "parse-error"), ("{\"agent:main:x\": 7}", "map-entry"), ("", "parse-error")] {
        let world = World::of("app");
        world.put("session_map.json", map);
        let report = world.report(3, &[]);
        let item = item(&report, "session_map");
        assert_eq!(item["bucket"], "quarantined", "{map}");
        assert_eq!(item["reason"], code, "{map}");
        assert_eq!(report["summary"]["migrated"], json!(3), "{map}");
    }
}

#[test]
fn the_zone_of_the_machine_and_the_clock_have_no_say() {
    let made = ["America/St_Johns", "Asia/Tokyo"].map(|zone| {
        let world = troubled::workspace();
        let output = world.migration(&[]).env("TZ", zone).run();
        world.ended(3, &[zone], &output);
        world.result()
    });
    made[0].assert_same(&made[1], "in another zone");
}
