//! A whole run, struck at every single effect it has on the disk.

use testkit::crash::{Blow, Effect};
use testkit::tree::Tree;

use crate::world::World;

/// A store that is there already, with somebody's entry.
const STORE: &str = "{\"agent:main:x\": {\"session_id\": \"x\", \"updated_at\": 1, \"colour\": \"green\"}}";

/// After every blow: what a person would type next brings the workspace to where it should be, and back.
fn strike(format: &str, blow: Blow, first: usize) {
    let words = ["--remove-originals", "--format", format];
    let world = World::in_dir(testkit::crash::place(), "app");
    prepare(&world, format);
    let effects = world.migration(&words).effects();
    assert!(effects.len() > 80, "only {} effects: the loop would prove little", effects.len());
    let moved = world.result();
    // All of them when there is time for ten times the arbitrary cases too.
    let every = if std::env::var_os("PROPTEST_CASES").is_some() { 1 } else { 6 };
    for effect in effects.iter().skip(if every == 1 { 0 } else { first }).step_by(every) {
        let when = format!("{format} after {blow:?} at {effect}");
        let before = struck(&world, &words, effect, blow, &when);
        go_on(&world, &words, &when);
        moved.assert_same(&world.result(), &format!("resumed {when}"));
        world.say(0, &["verify"]);
        world.assert_tidy(&when);
        take_back(&world);
        before.assert_same(&world.tree(), &format!("undone, resumed {when}"));

        let before = struck(&world, &words, effect, blow, &when);
        if !world.has_run() {
            world.migrate(0, &words); // what is left of a look at the lock goes with the next one
        }
        world.say(0, &["undo"]);
        before.assert_same(&world.tree(), &format!("undone {when}"));
    }
}

fn prepare(world: &World, format: &str) {
    if format == "python" {
        world.put("sessions.json", STORE);
    }
}

/// An old file that could not be compared stays, and goes with a run of its own.
fn take_back(world: &World) {
    world.say(0, &["undo"]);
    world.say(0, &["undo"]);
}

/// The workspace before the blow.
fn struck(world: &World, words: &[&str], effect: &Effect, blow: Blow, when: &str) -> Tree {
    let format = words[2];
    world.begin_again("app");
    prepare(world, format);
    let before = world.tree();
    world.migration(words).run_struck(effect, blow);
    if blow != Blow::Kill && !effect.is("unlink", "sessions.json.lock") {
        for folder in [world.sessions(), world.agent()] {
            assert!(!folder.join("sessions.json.lock").exists(), "{when}: the lock is left");
        }
    }
    before
}

/// The same command again; if it says that a run must be resumed first, that.
fn go_on(world: &World, words: &[&str], when: &str) {
    let again = world.migration(words).run();
    match again.status.code() {
        Some(0) => {}
        Some(7) => drop(world.say(0, &["resume"])),
        _ => drop(world.ended(0, &[when], &again)),
    }
}

#[test]
fn killed_at_any_effect_no_message_is_lost_and_nothing_half_done() {
    strike("python", Blow::Kill, 0);
}

#[test]
fn killed_at_any_effect_openclaw_sees_the_old_or_the_new() {
    strike("openclaw", Blow::Kill, 3);
}

#[test]
fn a_full_disk_at_any_effect_leaves_nothing_half_done() {
    strike("python", Blow::Error("ENOSPC"), 1);
    strike("openclaw", Blow::Error("ENOSPC"), 4);
}

#[test]
fn a_failing_disk_at_any_effect_leaves_nothing_half_done() {
    strike("python", Blow::Error("EIO"), 2);
    strike("openclaw", Blow::Error("EIO"), 5);
}

#[test]
fn a_transcript_that_failed_gets_its_entry_in_the_resume_that_brings_it() {
    for format in ["python", "openclaw"] {
        let words = ["--remove-originals", "--format", format];
        let world = World::in_dir(testkit::crash::place(), "app");
        let effects = world.migration(&words).effects();
        let name = "4c1d90aa-7be2-4f13-8a60-2e5b6f7c8d90.jsonl";
        let shown = effects.iter().find(|effect| effect.is("renameat2", name)).unwrap();
        let before = struck(&world, &words, shown, Blow::Error("EACCES"), format);
        let resumed = world.say(0, &["resume"]);
        assert!(resumed.stdout.contains("done"), "{}", resumed.stdout);
        world.say(0, &["verify"]);
        world.assert_tidy(format);
        world.say(0, &["undo"]);
        before.assert_same(&world.tree(), format);
    }
}
