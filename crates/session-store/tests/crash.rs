//! Sessions merged into a store, struck at every single effect.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../migration-engine/tests/strike/mod.rs"]
mod strike;

use std::path::Path;

use serde_json::Value;
use strike::{Place, Scene, applied, strike_apply, strike_changed, strike_undo};
use testkit::crash::Blow;

/// A store that somebody uses, laid out as nobody would.
static USED: Scene = Scene { example: "merge_sessions", lay_out: lay_out_used, assert_migrated };

/// Not even a folder.
static NONE: Scene = Scene { example: "merge_sessions", lay_out: lay_out_sources, assert_migrated };

const THEIRS: &str = "{\"agent:main:theirs\" : {\"session_id\":\"theirs\",\r\n \"updated_at\":7.5e2}}\r\n";

fn lay_out_sources(place: &Path) {
    std::fs::create_dir_all(place.join("old")).unwrap();
    std::fs::create_dir(place.join("new")).unwrap();
    for (name, content) in [("a-first", "{\"role\": \"user\"}\n"), ("b-second", "")] {
        std::fs::write(place.join(format!("old/{name}.txt")), content).unwrap();
    }
}

fn lay_out_used(place: &Path) {
    lay_out_sources(place);
    std::fs::create_dir(place.join("new/.sessions")).unwrap();
    std::fs::write(place.join("new/.sessions/sessions.json"), THEIRS).unwrap();
}

fn assert_migrated(place: &Place, when: &str) {
    let used = place.path().join("new/.sessions").is_dir();
    let folder = place.path().join(if used { "new/.sessions" } else { "new/agents/main/sessions" });
    let store = std::fs::read_to_string(folder.join("sessions.json")).unwrap();
    let ours = ["agent:main:a-first", "agent:main:dm:ada", "agent:main:b-second"];
    let theirs = used.then_some("agent:main:theirs");
    let read: serde_json::Map<String, Value> = serde_json::from_str(&store).unwrap();
    assert!(read.keys().eq(theirs.iter().chain(&ours)), "{when}: {store}");
    assert!(!used || store.starts_with(THEIRS.trim_end().strip_suffix('}').unwrap()), "{when}: {store}");

    assert_eq!(names(&folder), ["a-first.jsonl", "b-second.jsonl", "sessions.json"], "{when}");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn used() -> Place {
    Place::of(&USED)
}

fn none() -> Place {
    Place::of(&NONE)
}

#[test]
fn killed_at_any_effect_a_merge_is_finished_by_resume_and_taken_back_by_undo() {
    strike_apply(Blow::Kill, used);
    strike_apply(Blow::Kill, none);
}

#[test]
fn killed_at_any_effect_the_undo_of_a_merge_is_finished() {
    strike_undo(Blow::Kill, used);
    strike_undo(Blow::Kill, none);
}

#[test]
fn a_disk_that_is_full_or_fails_at_any_effect_harms_no_store() {
    strike_apply(Blow::Error("ENOSPC"), used);
    strike_apply(Blow::Error("EIO"), used);
    strike_undo(Blow::Error("EIO"), used);
}

#[test]
fn where_names_cannot_be_exchanged_a_kill_harms_no_store_either() {
    let simple = || used().simple();
    strike_apply(Blow::Kill, simple);
    strike_undo(Blow::Kill, simple);
}

/// Merged, and one of the sessions has been used since.
fn edited() -> Place {
    let place = applied(used());
    let store = place.path().join("new/.sessions/sessions.json");
    let text = std::fs::read_to_string(&store).unwrap();
    std::fs::write(store, text.replacen("1000", "1001", 1)).unwrap();
    place
}

#[test]
fn killed_at_any_effect_an_undo_that_keeps_what_was_used_leaves_no_entry_that_leads_to_nothing() {
    strike_changed("keep", Blow::Kill, &edited, &|place, when| {
        let folder = place.path().join("new/.sessions");
        let store = std::fs::read_to_string(folder.join("sessions.json")).unwrap();
        let read: serde_json::Map<String, Value> = serde_json::from_str(&store).unwrap();
        let kept = ["agent:main:theirs", "agent:main:a-first", "agent:main:dm:ada"];
        assert!(read.keys().eq(kept) && store.contains("1001"), "{when}: {store}");
        assert_eq!(names(&folder), ["a-first.jsonl", "sessions.json"], "{when}");
    });
}

#[test]
fn killed_at_any_effect_an_undo_that_sets_aside_what_was_used_loses_none_of_it() {
    strike_changed("set-aside", Blow::Kill, &edited, &|place, when| {
        let folder = place.path().join("new/.sessions");
        assert_eq!(std::fs::read_to_string(folder.join("sessions.json")).unwrap(), THEIRS, "{when}");
        assert_eq!(names(&folder), ["sessions.json"], "{when}");
        let aside = place.journal().with_file_name("set-aside");
        let kept = std::fs::read_to_string(aside.join("4-sessions.json")).unwrap();
        assert!(kept.contains("1001"), "{when}: {kept}");
    });
}
