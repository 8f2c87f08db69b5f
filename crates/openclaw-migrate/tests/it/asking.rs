//! What may be asked, and what is said to what may not.

use std::fs;
use std::process::Command;

use serde_json::json;
use testkit::tree::Tree;

use crate::world::World;

/// Refused with this code of exit and this part of a sentence, and nothing anywhere changed.
#[track_caller]
fn refuses(world: &World, code: i32, words: &[&str], sentence: &str) {
    let before = world.tree();
    let refused = world.say(code, words);
    assert!(refused.stderr.contains(sentence), "{words:?}: {}", refused.stderr);
    before.assert_same(&world.tree(), sentence);
    assert!(!world.has_run());
}

#[test]
fn originals_without_a_backup_are_never_removed() {
    let world = World::of("app");
    let workspace = world.workspace().display().to_string();
    refuses(&world, 2, &[&workspace, "--remove-originals", "--no-backup"], "cannot be used with");
    refuses(
        &world,
        2,
        &[&workspace, "--no-backup", "--remove-originals", "--dry-run"],
        "cannot be used with",
    );
}

#[test]
fn an_agent_is_named_as_its_keys_name_it() {
    let world = World::of("app");
    let workspace = world.workspace().display().to_string();
    for (id, suggested) in
        [("a:b", "a-b"), ("../x", "x"), ("", "main"), ("my agent", "my-agent"), ("a/..", "a")]
    {
        refuses(&world, 2, &[&workspace, "--agent-id", id], &format!("--agent-id {suggested}\n"));
    }
    world.migrate(0, &["--agent-id", " Ops "]);
    assert_eq!(world.store()["agent:ops:4c1d90aa"]["channel"], "telegram");
    world.say(0, &["undo"]);
    world.migrate(0, &["--agent-id", "Ops", "--format", "openclaw"]);
    assert!(world.workspace().join("agents/ops/sessions/sessions.json").exists());
}

#[test]
fn a_workspace_is_found_as_it_is_written() {
    let world = World::of("app");
    refuses(&world, 2, &[], "found none");
    refuses(&world, 4, &["~/.openclaw/nowhere"], "expected a workspace at @HERE@/home/.openclaw/nowhere");
    world.say(0, &["~/.openclaw"]);
    world.say(0, &["undo"]);

    let undo = world.home().join("undo");
    fs::rename(world.workspace(), &undo).unwrap();
    let mut tool = Command::new(env!("CARGO_BIN_EXE_openclaw-migrate"));
    tool.arg("./undo").current_dir(world.home());
    tool.env("HOME", world.home()).env("REHOME_STATE_DIR", world.state());
    world.ended(0, &["./undo"], &tool.output().unwrap());
    assert!(undo.join(".sessions/sessions.json").exists());
}

#[test]
fn where_there_is_nothing_to_migrate_there_is_nothing_wrong() {
    let world = World::of("app");
    fs::remove_dir_all(world.sessions()).unwrap();
    for format in ["python", "openclaw"] {
        let before = world.tree();
        let told = world.migrate(0, &["--format", format]);
        assert!(told.stdout.contains("Status: not_found\n"), "{}", told.stdout);
        assert!(told.stdout.ends_with("Migration complete!\n"), "{}", told.stdout);
        let sentence = "Sessions directory not found: @HERE@/home/.openclaw/.sessions";
        assert!(told.stderr.contains(sentence), "{}", told.stderr);
        before.assert_same(&world.tree(), format);
    }
    fs::create_dir(world.sessions()).unwrap();
    let report = world.report(0, &[]);
    assert_eq!(report["summary"]["inputs"], json!(0));
    assert!(!world.has_run());
}

#[test]
fn a_store_that_cannot_be_read_or_is_for_another_program_is_left_alone() {
    let of_openclaw = r#"{"agent:main:x": {"sessionId": "x", "updatedAt": 1}}"#;
    let of_python = r#"{"agent:main:x": {"session_id": "x", "updated_at": 1}}"#;
    for (store, format, sentence) in [
        ("{\"a\": ", "python", "cannot read the store"),
        ("{} and more", "python", "cannot read the store"),
        ("[]", "openclaw", "cannot read the store"),
        (of_openclaw, "python", "no store satisfies both"),
        (of_python, "openclaw", "no store satisfies both"),
    ] {
        let world = World::of("app");
        world.put("sessions.json", store);
        let workspace = world.workspace().display().to_string();
        refuses(&world, 4, &[&workspace, "--format", format], sentence);
        refuses(&world, 4, &[&workspace, "--format", format, "--dry-run"], sentence);
    }
    let world = World::of("app");
    world.put("../agents/main/sessions/sessions.json", of_python);
    refuses(&world, 4, &["~/.openclaw", "--format", "openclaw"], "no store satisfies both");
}

#[test]
fn a_transcript_that_openclaw_has_open_is_left_alone() {
    let world = World::of("app");
    let id = "4c1d90aa-7be2-4f13-8a60-2e5b6f7c8d90";
    let lock = format!("../agents/main/sessions/{id}.jsonl.lock");
    world.put(&lock, json!({"pid": std::process::id(), "createdAt": "2026-01-01T00:00:00Z"}).to_string());
    let report = world.report(3, &["--format", "openclaw"]);
    let item = crate::world::item(&report, id);
    assert_eq!((&item["bucket"], &item["reason"]), (&json!("conflict"), &json!("transcript-in-use")));
    assert!(!world.agent().join(format!("{id}.jsonl")).exists());
    world.put(&lock, json!({"pid": 4_194_305}).to_string());
    let report = world.report(0, &["--format", "openclaw"]);
    assert_eq!(report["summary"]["migrated"], json!(1));
    world.put(&lock, json!({"pid": std::process::id()}).to_string());
    let again = world.report(0, &["--format", "openclaw"]);
    assert_eq!(again["summary"]["conflict"], json!(0), "of what is there already nothing is written");
}

#[test]
fn a_dry_run_writes_nothing() {
    let world = World::of("app");
    let before = Tree::of(&world.path());
    let told = world.migrate(0, &["--dry-run", "-v"]);
    assert!(told.stdout.ends_with("DRY RUN - No changes were made\n"), "{}", told.stdout);
    before.assert_same(&Tree::of(&world.path()), "looked");
}
