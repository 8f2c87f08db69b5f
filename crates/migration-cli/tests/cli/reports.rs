//! What people and programs read when all, or most, goes well.

use crate::place::{MIGRATE, Place, SCHEMA};
use crate::toy::Trouble;

/// One of everything.
fn zoo() -> Place {
    let place = Place::new(&[
        (".hidden", "x"),
        ("arrived", "old news\n"),
        ("broken.bad", "{"),
        ("empty", ""),
        ("grown", "begun\n"),
        ("new", "hello\n"),
        ("noted", "well\n"),
        ("occupied", "ours\n"),
    ]);
    place.write("new/arrived", "old news\n");
    place.write("new/grown", "begun\nand more\n");
    place.write("new/occupied", "somebody else's\n");
    place
}

#[test]
fn help_says_what_can_be_said() {
    let place = Place::new(&[]);
    for (name, line) in [
        ("help", "--help"),
        ("help-short", "-h"),
        ("help-undo", "undo --help"),
        ("help-runs", "runs --help"),
        ("help-gc", "runs gc --help"),
        ("help-resume", "resume --help"),
        ("version", "--version"),
    ] {
        insta::assert_snapshot!(name, place.say(line).all());
    }
}

#[test]
fn the_manual_page_and_the_completions_know_every_verb() {
    let place = Place::new(&[]);
    insta::assert_snapshot!("man", place.say("man").all());
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = place.say(&format!("completions {shell}"));
        assert!(said.out.contains("set-aside") && said.out.contains("only"), "{shell}: {}", said.all());
    }
}

#[test]
fn a_migration_from_its_plan_to_its_end() {
    let place = zoo();
    insta::assert_snapshot!("plan", place.say(&format!("{MIGRATE} --dry-run")).all());
    insta::assert_snapshot!("plan-verbose", place.say(&format!("{MIGRATE} --dry-run --verbose")).all());
    insta::assert_snapshot!("apply", place.say(MIGRATE).all());
    insta::assert_snapshot!("apply-again", place.say(MIGRATE).all());
    insta::assert_snapshot!("verify", place.say("verify").all());
    insta::assert_snapshot!("runs", place.say("runs").all());
    insta::assert_snapshot!("runs-show", place.say(&format!("runs show {}", place.run_id())).all());
    place.write("new/new", "hello\nworld\n");
    place.write("new/empty", "no more\n");
    insta::assert_snapshot!("verify-failed", place.say("verify").all());
    insta::assert_snapshot!("undo-kept", place.say("undo --keep-changed").all());
    insta::assert_snapshot!("undo-again", place.say("undo").all());
}

#[test]
fn the_same_for_programs() {
    let place = zoo();
    insta::assert_snapshot!("plan-json", place.say(&format!("{MIGRATE} --dry-run --json")).all());
    insta::assert_snapshot!("apply-json", place.say(&format!("{MIGRATE} --json")).all());
    insta::assert_snapshot!("verify-json", place.say("verify --json").all());
    insta::assert_snapshot!("runs-json", place.say("runs --json").all());
    insta::assert_snapshot!("undo-json", place.say("undo --json").all());
}

#[test]
fn every_document_fits_the_schema_and_no_other_does() {
    let mut place = zoo();
    place.troubled(Trouble::Disk, MIGRATE);
    let run = place.run_id();
    let modes = [
        ("apply", MIGRATE.to_owned()), // refused: a run is interrupted
        ("resume", "resume".to_owned()),
        ("plan", format!("{MIGRATE} --dry-run")),
        ("apply", MIGRATE.to_owned()),
        ("verify", "verify".to_owned()),
        ("runs", "runs".to_owned()),
        ("runs", format!("runs show {run}")),
        ("undo", "undo".to_owned()),
        ("runs", format!("runs forget {run} --yes")),
        ("apply", "--nonsense".to_owned()),
        ("plan", "--nonsense --dry-run".to_owned()),
        ("runs", "runs show".to_owned()),
        ("runs", "runs gc --older-than soon".to_owned()),
        ("runs", "--from verify runs gc".to_owned()),
        ("undo", "undo yesterday".to_owned()),
        ("resume", "resume --nonsense".to_owned()),
        ("verify", "--json verify a b".to_owned()),
        ("completions", "completions fishy".to_owned()),
    ];
    for (mode, line) in modes {
        // `say` holds each document against the schema
        let document = place.say(&format!("{line} --json")).json();
        assert_eq!(document["mode"], mode, "{line}");
        for (member, wrong) in
            [("mode", "wander"), ("exit", "6"), ("run", "yesterday"), ("items", "none"), ("extra", "1")]
        {
            let mut document = document.clone();
            document[member] = wrong.into();
            assert!(!SCHEMA.is_valid(&document), "{line}: {member} = {wrong}");
        }
    }
}

#[test]
fn what_failed_can_be_tried_again_unless_that_is_pointless() {
    let mut place = Place::new(&[("a", "first\n"), ("b", "second\n")]);
    insta::assert_snapshot!("source-changed", place.troubled(Trouble::Rewrite("old/a"), MIGRATE).all());
}

#[test]
fn a_report_of_ten_thousand_items_fits_a_screen_and_hides_nothing_that_matters() {
    let place = Place::new(&[("conflicting", "ours\n"), ("z", "last\n")]);
    place.write("new/conflicting", "theirs\n");
    for number in 0..300 {
        place.write(&format!("old/empty-{number:05}"), "");
        place.write(&format!("old/noted-{number:05}"), "well\n");
        place.write(&format!("old/broken-{number:05}.bad"), "{");
    }
    let said = place.say(&format!("{MIGRATE} --dry-run"));
    insta::assert_snapshot!("many", said.all());
    let all = place.say(&format!("{MIGRATE} --dry-run --verbose"));
    assert!(all.out.lines().count() > 900);
}

#[test]
fn nothing_at_all() {
    let place = Place::new(&[]);
    insta::assert_snapshot!("nothing", place.say(MIGRATE).all());
    insta::assert_snapshot!("nothing-runs", place.say("runs").all());
    insta::assert_snapshot!("nothing-resume", place.say("resume").all());
    insta::assert_snapshot!("nothing-json", place.say("undo --json").all());
}
