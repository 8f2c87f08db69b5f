//! A second run changes nothing, whatever became of what the first one made.

use std::io::Write as _;

use serde_json::json;
use testkit::tree::Tree;

use crate::troubled;
use crate::world::{World, item};

/// The same command once more: no byte, no run.
#[track_caller]
fn assert_settled(world: &World, code: i32, more: &[&str]) {
    let before = Tree::of(&world.path());
    let report = world.report(code, more);
    assert_eq!(report["summary"]["migrated"], json!(0));
    assert_eq!(report["run"], json!(null));
    before.assert_same(&Tree::of(&world.path()), "once more");
}

#[test]
fn once_more_not_a_byte_is_written_and_no_run_made() {
    let world = troubled::workspace();
    world.migrate(3, &[]);
    assert_settled(&world, 3, &[]);
    assert_settled(&world, 3, &["--remove-originals", "--dry-run"]);
    let world = troubled::workspace_without_older_run();
    world.migrate(3, &["--format", "openclaw"]);
    assert_settled(&world, 3, &["--format", "openclaw"]);
}

#[test]
fn what_was_appended_patched_and_added_since_stays() {
    let world = World::of("app");
    world.migrate(0, &[]);
    let transcript = world.sessions().join("9e2f4b6d-1c3a-4e5f-a7b8-c9d0e1f2a3b4.jsonl");
    let mut transcript = std::fs::File::options().append(true).open(transcript).unwrap();
    transcript.write_all(b"{\"role\": \"user\", \"content\": \"and now?\"}\n").unwrap();
    let mut store = world.store();
    store["agent:main:telegram:dm:ada"]["updated_at"] = json!(1_800_000_000_000_i64);
    store["agent:main:main"]["model_override"] = json!("large");
    store["agent:main:new"] =
        json!({"session_id": "new", "updated_at": 1_800_000_000_000_i64, "of_tomorrow": [1]});
    world.put("sessions.json", store.to_string());
    assert_settled(&world, 0, &[]);
}

#[test]
fn a_session_that_came_later_joins_the_others() {
    let world = World::of("app");
    world.migrate(0, &[]);
    let before = world.tree();
    world.put("later.json", troubled::session("later", &json!({})).to_string());
    let report = world.report(0, &[]);
    assert_eq!(report["summary"]["migrated"], json!(1));
    assert_eq!(world.store()["agent:main:later"]["session_id"], "later");
    world.say(0, &["undo"]);
    std::fs::remove_file(world.sessions().join("later.json")).unwrap();
    before.assert_same(&world.tree(), "the later run taken back");
}

#[test]
fn a_backup_is_never_overwritten_by_what_a_source_has_become() {
    let world = World::of("app");
    world.migrate(0, &[]);
    let backup = Tree::of(&world.sessions().join("backup_old_format"));
    let changed = "4c1d90aa-7be2-4f13-8a60-2e5b6f7c8d90";
    world.put(&format!("{changed}.json"), "{\"session_id\": ");
    world.put("later.json", troubled::session("later", &json!({})).to_string());
    let report = world.report(3, &[]);
    assert_eq!(item(&report, changed)["bucket"], "quarantined");
    let now = Tree::of(&world.sessions().join("backup_old_format"));
    backup.assert_same(&now, "the first backup");
    let second = Tree::of(&world.sessions().join("backup_old_format.2")).names();
    assert_eq!(second.len(), 5, "the complete set: {second:?}");
}
