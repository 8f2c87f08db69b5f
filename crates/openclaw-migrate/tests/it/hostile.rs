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
fn an_undo_is_refused_whole_where_the_store_was_replaced_by_another() {
    let world = World::of("app");
    world.migrate(0, &[]);
    let others = json!({"others": {"session_id": "o", "updated_at": 1}}).to_string();
    world.put("sessions.json", &others);
    let before = world.tree();
    world.say(4, &["undo"]);
    before.assert_same(&world.tree(), "refused");
    world.say(3, &["undo", "--keep-changed"]);
    assert_eq!(std::fs::read_to_string(world.sessions().join("sessions.json")).unwrap(), others);
    world.assert_tidy("but for that undone");
}
