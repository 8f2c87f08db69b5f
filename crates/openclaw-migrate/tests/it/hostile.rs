//! Names, values and folders that nobody would have thought of.

use serde_json::json;

use crate::troubled;
use crate::world::{World, codes, item};

#[test]
fn a_routing_key_that_is_no_text_is_not_dropped_without_a_word() {
    let world = World::of("app");
    for (id, key) in [("number", json!(3)), ("nothing", json!(null)), ("empty", json!(""))] {
        let session = troubled::session(id, &json!({"session_key": key}));
        world.put(&format!("{id}.json"), session.to_string());
    }
    let half = troubled::session("half", &json!({"session_key": "HALF"})).to_string();
    world.put("half.json", half.replace("HALF", "\\ud83d"));
    let report = world.report(0, &[]);
    for (id, is_told) in [("number", true), ("half", true), ("nothing", false), ("empty", false)] {
        let item = item(&report, id);
        assert_eq!(item["bucket"], "migrated");
        assert_eq!(codes(item).contains(&"wrong-type"), is_told, "{item:#}");
    }
}

#[test]
fn a_name_that_leaves_no_room_for_that_of_its_transcript_is_said_to_be_too_long() {
    let world = World::of("app");
    let (fits, is_too_long) = ("f".repeat(249), "t".repeat(250));
    for id in [&fits, &is_too_long] {
        world.put(&format!("{id}.json"), troubled::session(id, &json!({})).to_string());
    }
    let before = world.tree();
    let report = world.report(3, &[]);
    assert_eq!(item(&report, &fits)["bucket"], "migrated");
    let item = item(&report, &is_too_long);
    assert_eq!((&item["bucket"], &item["reason"]), (&json!("conflict"), &json!("name-too-long")));
    world.say(0, &["undo"]);
    before.assert_same(&world.tree(), "undone");
}

#[test]
fn a_store_that_has_replaced_ours_stays_in_an_undo_which_takes_back_all_else() {
    let world = World::of("app");
    let before = world.tree();
    world.migrate(0, &[]);
    let others = json!({"others": {"session_id": "o", "updated_at": 1}}).to_string();
    world.put("sessions.json", &others);
    world.say(0, &["undo"]);
    assert_eq!(std::fs::read_to_string(world.sessions().join("sessions.json")).unwrap(), others);
    world.assert_tidy("but for that undone");
    std::fs::remove_file(world.sessions().join("sessions.json")).unwrap();
    before.assert_same(&world.tree(), "all else");
}

#[test]
fn two_sessions_never_share_a_transcript() {
    let world = World::of("app");
    let taken = "4c1d90aa-7be2-4f13-8a60-2e5b6f7c8d90";
    let entry = json!({"session_id": "other", "session_file": format!("./{taken}.jsonl"), "updated_at": 7});
    world.put("sessions.json", json!({"agent:main:other": entry}).to_string());
    let report = world.report(3, &[]);
    let item = item(&report, taken);
    assert_eq!((&item["bucket"], &item["reason"]), (&json!("conflict"), &json!("transcript-shared")));
    assert_eq!(report["summary"]["migrated"], json!(3));
    assert!(!world.sessions().join(format!("{taken}.jsonl")).exists());
    assert_eq!(world.store()["agent:main:other"], entry);
}

#[test]
fn a_newer_entry_without_a_transcript_does_not_pass_for_the_session() {
    let world = World::of("app");
    let id = "4c1d90aa-7be2-4f13-8a60-2e5b6f7c8d90";
    let newer = |file: &str| {
        json!({"k": {"session_id": id, "session_file": file, "updated_at": 4_000_000_000_000_i64}})
            .to_string()
    };
    world.put("sessions.json", newer("gone.jsonl"));
    let report = world.report(3, &[]);
    let found = item(&report, id);
    assert_eq!((&found["bucket"], &found["reason"]), (&json!("conflict"), &json!("transcript-missing")));
    world.say(0, &["undo"]);
    world.put("sessions.json", newer("elsewhere.jsonl"));
    world.put("elsewhere.jsonl", "");
    let report = world.report(0, &[]);
    assert_eq!(item(&report, id)["bucket"], "superseded");
}
