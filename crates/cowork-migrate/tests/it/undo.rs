//! A move taken back: the application's own doings are expected, real work is not touched.

use std::fs;
use std::io::Write;

use testkit::cowork::Session;

use crate::world::{World, with_machine};

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
fn a_file_in_the_place_of_a_folder_that_was_made_is_set_aside_and_all_else_taken_back() {
    let world = with_machine();
    let before = world.tree();
    world.move_it(0, &[]);
    let drafts = world.disk().join("Users/otto/drafts");
    fs::remove_dir(&drafts).unwrap();
    fs::write(&drafts, "mine").unwrap();
    let now = world.tree();
    assert!(world.say(4, &["undo"]).stderr.contains("something that is not a folder is there"));
    now.assert_same(&world.tree(), "refused");
    let said = world.report(0, &["undo", "--set-aside"].map(str::to_owned));
    before.assert_same(&world.tree(), "undone");
    let (_, folder) = said["findings"][0]["message"].as_str().unwrap().split_once(" was moved to ").unwrap();
    let [kept] = &fs::read_dir(folder).unwrap().map(|kept| kept.unwrap().path()).collect::<Vec<_>>()[..]
    else {
        panic!("{said}")
    };
    assert_eq!(fs::read_to_string(kept).unwrap(), "mine");
}

#[test]
fn an_undo_is_refused_while_nothing_is_touched_if_what_was_put_away_has_changed() {
    let world = World::new(Session::numbered(7));
    world.session.clone().with(&serde_json::json!({"title": "another"})).lay_out(&world.profile_of("otto"));
    world.move_it(0, &["--replace"]);
    let aside = world.archive().join("00000007-replaced").join(world.placed.sidecar.file_name().unwrap());
    let kept = fs::read(&aside).unwrap();
    for harm in [Some("{}"), None] {
        harm.map_or_else(|| fs::remove_file(&aside), |text| fs::write(&aside, text)).unwrap();
        let before = world.tree();
        for way in [&["undo"][..], &["undo", "--set-aside"]] {
            let refused = world.say(4, way).stderr;
            assert!(
                refused.contains("undo @RUN@ --keep-changed`") && !refused.contains("--set-aside"),
                "{refused}"
            );
            before.assert_same(&world.tree(), "refused");
        }
    }
    fs::write(&aside, kept).unwrap();
    world.say(3, &["undo", "--keep-changed"]);
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
