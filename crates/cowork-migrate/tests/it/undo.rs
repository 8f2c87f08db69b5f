//! A move taken back: the application's own doings are expected, real work is not touched.

use std::fs;
use std::io::Write;

use crate::world::with_machine;

#[test]
fn an_undo_leaves_the_disk_as_it_was() {
    let world = with_machine();
    let before = world.tree();
    world.move_it(0, &[]);
    world.say(0, &["undo"]);
    before.assert_same(&world.tree(), "undone");
}

#[test]
fn what_the_application_made_of_the_sidecar_is_kept_and_everything_else_taken_back() {
    let world = with_machine();
    let before = world.tree();
    world.move_it(0, &[]);
    world.first_load();
    let loaded = fs::read(world.new_sidecar()).unwrap();
    let said = world.say(0, &["undo"]).stdout;
    let kept: Vec<_> = fs::read_dir(world.archive()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(said.contains(&world.redacted(kept[0].to_str().unwrap())), "where it is kept is said: {said}");
    assert_eq!(fs::read(&kept[0]).unwrap(), loaded);
    fs::remove_dir_all(world.archive()).unwrap();
    before.assert_same(&world.tree(), "undone");
}

#[test]
fn real_work_is_never_taken_back_unasked() {
    for file in ["the transcript", "a new file", "another session's sidecar"] {
        let world = with_machine();
        world.move_it(0, &[]);
        let transcript = world.moved(&world.placed.transcript);
        match file {
            "the transcript" => {
                let mut transcript = fs::File::options().append(true).open(transcript).unwrap();
                transcript.write_all(b"{\"type\":\"user\"}\n").unwrap();
            }
            "a new file" => {
                fs::write(world.moved(&world.placed.directory).join("outputs/new.md"), "new").unwrap();
            }
            _ => fs::write(world.new_sidecar(), "{}").unwrap(),
        }
        let before = world.tree();
        let refused = world.say(4, &["undo"]);
        assert!(refused.stderr.contains("changed since"), "{file}: {}", refused.stderr);
        before.assert_same(&world.tree(), file);
        world.say(0, &["undo", "--set-aside"]);
        assert!(!world.new_sidecar().exists());
    }
}

#[test]
fn a_folder_that_the_user_has_filled_since_stays() {
    let world = with_machine();
    world.move_it(0, &[]);
    let drafts = world.disk().join("Users/otto/drafts");
    fs::write(drafts.join("mine.md"), "mine").unwrap();
    world.say(0, &["undo"]);
    assert_eq!(fs::read_to_string(drafts.join("mine.md")).unwrap(), "mine");
    assert!(!world.archive().exists());
}

#[test]
fn while_the_application_runs_nothing_is_taken_back() {
    let world = with_machine();
    world.move_it(0, &[]);
    let before = world.tree();
    let held = fs::File::open(world.new_sidecar()).unwrap();
    let refused = world.say(4, &["undo"]);
    assert!(refused.stderr.contains("is in use by"), "{}", refused.stderr);
    before.assert_same(&world.tree(), "refused");
    drop(held);
    world.say(0, &["undo"]);
}
