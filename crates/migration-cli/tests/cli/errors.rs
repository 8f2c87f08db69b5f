//! Every way to be refused, word for word.

use migration_cli::Exit;
use migration_engine::TargetLocks;

use crate::place::{MIGRATE, Place};
use crate::toy::Trouble;

fn two_files() -> Place {
    Place::new(&[("a", "first\n"), ("b", "second\n")])
}

#[test]
fn a_command_line_that_is_none() {
    let place = two_files();
    for (name, line) in [
        ("unknown-option", "--form old"),
        ("unknown-verb", "unod"),
        ("bad-value", "--color sometimes"),
        ("missing-value", "runs gc --older-than"),
        ("missing-argument", "runs forget"),
        ("not-a-run", "undo yesterday"),
        ("two-ways-to-undo", "undo --keep-changed --set-aside"),
        ("hostile-option", "--\x1b[31m"),
        ("missing-option", "--to new"),
        ("no-dry-run", "undo --dry-run"),
    ] {
        let said = place.say(line);
        insta::assert_snapshot!(format!("usage-{name}"), said.all());
        assert_eq!(said.exit, Exit::Usage, "{line}");
        assert_eq!(place.say(&format!("{line} --json")).exit, said.exit);
    }
}

#[test]
fn preconditions_of_the_target() {
    let place = two_files();
    insta::assert_snapshot!("refused-no-target", place.say("--from old --to nowhere").all());
    insta::assert_snapshot!("refused-no-source", place.say("--from nowhere --to new").all());
    let lock = TargetLocks::take(&[place.path("new").into()]).unwrap();
    insta::assert_snapshot!("refused-locked", place.say(MIGRATE).all());
    drop(lock);
    place.write("new/.a.rehome-20200101-000000-0000-7.tmp", "half of it");
    insta::assert_snapshot!("refused-leftover", place.say(MIGRATE).all());
    assert!(place.runs().is_empty());
}

#[test]
fn a_target_without_room_is_refused_before_the_first_write() {
    let place = Place::new(&[("huge", "it only looks small\n")]);
    let before = place.everything();
    let said = place.say(&format!("{MIGRATE} --json"));
    assert_eq!((said.exit, &said.json()["error"]["code"]), (Exit::Refused, &"no-room".into()));
    before.assert_same(&place.everything(), "refused");
}

#[test]
fn a_state_root_that_cannot_be() {
    let place = two_files();
    place.write("file", "not a folder");
    insta::assert_snapshot!("refused-state-dir", place.say(&format!("{MIGRATE} --state-dir file")).all());
    assert!(!place.path("new/a").exists());
}

#[test]
fn a_run_that_cannot_be_read_stands_in_the_way() {
    let place = Place::migrated();
    let run = place.runs().remove(0);
    std::fs::write(run.dir.join("plan.jsonl"), "{}\n").unwrap();
    insta::assert_snapshot!("refused-unreadable-run", place.say(MIGRATE).all());
    assert_eq!(place.say(&format!("undo {}", run.id)).exit, Exit::Refused);
    assert!(place.path("new/a").exists());
}

#[test]
fn without_a_home_the_state_root_has_to_be_named() {
    let mut place = two_files();
    (place.here.home, place.here.env) = (None, std::collections::BTreeMap::new());
    insta::assert_snapshot!("refused-no-home", place.say(MIGRATE).all());
}

#[test]
fn runs_that_are_not_meant() {
    let place = Place::migrated();
    place.write("old/c", "third\n");
    place.say(MIGRATE);
    let first = place.runs()[0].id.clone();
    insta::assert_snapshot!("refused-newer-runs", place.say(&format!("undo {first}")).all());
    insta::assert_snapshot!("refused-unknown-run", place.say("undo 20200101-000000-0000").all());
    insta::assert_snapshot!("refused-no-run", two_files().say("verify").all());
    place.say("undo");
    insta::assert_snapshot!("refused-undone", place.say(&format!("resume {}", place.runs()[1].id)).all());
}

#[test]
fn what_drifted_is_named() {
    let place = Place::migrated();
    place.write("new/a", "first\nand more\n");
    std::fs::remove_file(place.path("new/b")).unwrap();
    insta::assert_snapshot!("refused-drifted", place.say("undo").all());
    insta::assert_snapshot!("refused-drifted-json", place.say("undo --json").all());
}

#[test]
fn runs_that_stopped() {
    let mut place = two_files();
    insta::assert_snapshot!("failed-world", place.troubled(Trouble::Disk, MIGRATE).all());
    insta::assert_snapshot!("refused-interrupted", place.say(MIGRATE).all());
    std::fs::create_dir(place.path("other")).unwrap();
    let signal = Trouble::Signal(migration_cli::Signal::Interrupt);
    insta::assert_snapshot!("stopped", place.troubled(signal, "--from old --to other").all());
    insta::assert_snapshot!("several-interrupted", place.say("resume").all());
    place.here.stop.ask(migration_cli::Signal::Terminate);
    insta::assert_snapshot!("stopped-before-anything", place.say("--from old --to old").all());
}
