//! What a user gets to see and to have, as golden snapshots.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::troubled;
use crate::world::{Ended, World};

fn shown(ended: &Ended) -> String {
    format!("{}--- stderr ---\n{}", ended.stdout, ended.stderr)
}

/// Without the times that a run gives.
fn pretty(world: &World, report: &Value) -> String {
    world.redacted(&serde_json::to_string_pretty(report).unwrap())
}

#[test]
fn what_a_person_reads() {
    let world = troubled::workspace();
    assert_snapshot!("text-plan", shown(&world.migrate(3, &["--dry-run"])));
    assert_snapshot!("text-apply", shown(&world.migrate(3, &["--verbose"])));
    assert_snapshot!("store", fs::read_to_string(world.sessions().join("sessions.json")).unwrap());
    assert_snapshot!("text-again", shown(&world.migrate(3, &[])));
    assert_snapshot!("text-verify", shown(&world.say(0, &["verify"])));
    assert_snapshot!("text-undo", shown(&world.say(0, &["rollback"])));
}

#[test]
fn what_a_program_reads() {
    let world = troubled::workspace();
    assert_snapshot!("json-apply", pretty(&world, &world.report(3, &[])));
    world.report_of(0, &["verify"]);
    world.report_of(0, &["undo"]);
    world.report_of(0, &["runs"]);
}

#[test]
fn what_openclaw_gets() {
    let world = World::of("app");
    assert_snapshot!("text-openclaw", shown(&world.migrate(0, &["--format", "openclaw"])));
    let read = |name: &str| world.redacted(&fs::read_to_string(world.agent().join(name)).unwrap());
    assert_snapshot!("openclaw-store", read("sessions.json"));
    assert_snapshot!("openclaw-transcript", read("0b7f6c1e-3a52-4d0e-9c55-7d1f2e6a9b10.jsonl"));
}

#[test]
fn what_help_says() {
    assert_snapshot!("help", World::of("app").say(0, &["--help"]).stdout);
}
