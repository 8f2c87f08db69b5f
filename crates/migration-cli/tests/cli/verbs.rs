//! The migration, and looking at what it left.

use migration_cli::Exit;

use crate::place::{MIGRATE, Place};

#[test]
fn a_dry_run_changes_no_byte_anywhere() {
    let place = Place::new(&[("a", "first\n"), ("b.bad", "{")]);
    let before = place.everything();
    for how in ["--dry-run", "--dry-run --json", "--dry-run --verbose"] {
        let said = place.say(&format!("{MIGRATE} {how}"));
        assert_eq!(said.exit, Exit::Partial, "{}", said.err);
        before.assert_same(&place.everything(), how);
    }
}

#[test]
fn a_second_run_finds_everything_in_place_and_is_no_run() {
    let place = Place::migrated();
    let after = place.everything();
    let again = place.say(&format!("{MIGRATE} --json"));
    assert_eq!((again.exit, &again.json()["run"]), (Exit::Done, &serde_json::Value::Null));
    assert_eq!(again.json()["summary"]["already_present"], 2);
    after.assert_same(&place.everything(), "the second run");
    assert_eq!(place.say("undo").exit, Exit::Done, "undo means the first run");
    assert!(
        place
            .world()
            .difference(&Place::new(&[("a", "first\n"), ("b", "second\n")]).world())
            .lines()
            .all(|line| line.contains("old/"))
    );
}

#[test]
fn nothing_to_migrate_is_not_an_error() {
    let place = Place::new(&[]);
    let said = place.say(MIGRATE);
    assert_eq!(said.exit, Exit::Done);
    assert!(said.out.contains("nothing to migrate"), "{}", said.out);
    assert!(place.runs().is_empty());
}

#[test]
fn some_items_in_trouble_end_with_partial_and_the_others_arrive() {
    let place = Place::new(&[("a", "first\n"), ("b", "second\n"), ("c.bad", "{")]);
    place.write("new/b", "somebody else's\n");
    let said = place.say(&format!("{MIGRATE} --json"));
    assert_eq!(said.exit, Exit::Partial);
    let buckets: Vec<_> =
        said.json()["items"].as_array().unwrap().iter().map(|item| item["bucket"].clone()).collect();
    assert_eq!(buckets, ["migrated", "conflict", "quarantined"]);
    assert_eq!((place.read("new/a"), place.read("new/b")), ("first\n".into(), "somebody else's\n".into()));
}

#[test]
fn what_arrived_without_its_meaning_fails_the_verification_that_ends_the_run() {
    let place = Place::new(&[("a", "nonsense\n")]);
    assert_eq!(place.say(MIGRATE).exit, Exit::Unverified);
    assert_eq!(place.say("verify").exit, Exit::Unverified);
    assert_eq!(place.say("undo").exit, Exit::Done);
}

#[test]
fn verify_looks_at_every_byte() {
    let place = Place::migrated();
    assert_eq!(place.say("verify").exit, Exit::Done);
    // same size, same time: only the bytes tell
    let time = std::fs::metadata(place.path("new/a")).unwrap().modified().unwrap();
    place.write("new/a", "First\n");
    std::fs::File::options().write(true).open(place.path("new/a")).unwrap().set_modified(time).unwrap();
    let said = place.say("verify --json");
    assert_eq!(said.exit, Exit::Unverified);
    assert_eq!(said.json()["items"][0]["findings"][0]["code"], "changed");
}

#[test]
fn verify_counts_and_names_what_has_grown_and_is_not_wrong() {
    let place = Place::migrated();
    place.write("new/b", "second\nand more\n");
    let said = place.say("verify --json");
    assert_eq!(said.exit, Exit::Done);
    let summary = &said.json()["summary"];
    assert_eq!((&summary["migrated"], &summary["superseded"]), (&1.into(), &1.into()));
    assert_eq!(said.json()["items"][1]["bucket"], "superseded");
    let said = place.say("verify");
    assert!(said.out.contains("everything stands; 1 item has grown since the run"), "{}", said.out);
    assert!(said.out.contains("superseded       file b"), "{}", said.out);
    place.write("new/b", "other\n");
    assert_eq!(place.say("verify").exit, Exit::Unverified);
}

#[test]
fn what_was_said_of_the_plan_as_a_whole_is_not_said_again_by_verify() {
    let place = Place::new(&[("a", "first\n"), ("warned", "second\n")]);
    assert!(place.say(MIGRATE).out.contains("[beware]"));
    assert!(!place.say("verify").out.contains("[beware]"));
    assert!(place.say(&format!("runs show {}", place.run_id())).out.contains("[beware]"));
}

#[test]
fn the_headline_says_why_nothing_moves() {
    let place = Place::new(&[("a.bad", "{"), ("b.bad", "{"), (".hidden", "")]);
    for (dry, verb) in [("--dry-run", "plan: "), ("", "")] {
        let headline =
            |said: crate::place::Said| said.out.lines().next().unwrap().replace("copy-folder 0.1.0  ", "");
        let expected = format!("{verb}nothing can be moved: 2 quarantined; nothing was written");
        assert_eq!(headline(place.say(&format!("{MIGRATE} {dry}"))), expected);
        place.write("old/c", "third\n");
        place.write("new/c", "third\n");
        let expected = format!("{verb}nothing more can be moved: 2 quarantined; nothing was written");
        assert_eq!(headline(place.say(&format!("{MIGRATE} {dry}"))), expected);
        let settled = Place::migrated();
        let expected = format!("{verb}nothing left to do; nothing was written");
        assert_eq!(headline(settled.say(&format!("{MIGRATE} {dry}"))), expected);
        std::fs::remove_file(place.path("old/c")).unwrap();
        std::fs::remove_file(place.path("new/c")).unwrap();
    }
}

#[test]
fn there_must_be_a_run_to_verify_and_it_must_stand() {
    let place = Place::new(&[("a", "first\n")]);
    assert_eq!(place.say("verify").exit, Exit::Refused);
    assert_eq!(place.say(MIGRATE).exit, Exit::Done);
    let run = place.run_id();
    assert_eq!(place.say("undo").exit, Exit::Done);
    assert_eq!(place.say("verify").exit, Exit::Refused);
    assert_eq!(place.say(&format!("verify {run}")).exit, Exit::Refused);
    assert_eq!(Place::interrupted().say("verify").exit, Exit::Unfinished);
}

#[test]
fn options_stand_anywhere_and_verbs_ignore_those_of_the_migration() {
    let place = Place::new(&[("a", "first\n")]);
    assert_eq!(place.say("--state-dir elsewhere --to new --from old").exit, Exit::Done);
    assert!(place.path("elsewhere/runs").is_dir() && !place.path("state").exists());
    for verify in [
        "--state-dir elsewhere verify",
        "verify --state-dir elsewhere",
        "--from nowhere --only x verify --to nowhere --json --state-dir elsewhere",
        "runs --state-dir elsewhere list --from nowhere",
    ] {
        assert_eq!(place.say(verify).exit, Exit::Done, "{verify}");
    }
    assert!(place.say("verify --json --state-dir elsewhere --from x").out.starts_with('{'));
}

#[test]
fn the_printed_commands_do_what_they_say() {
    let place = Place::new(&[("a", "first\n")]);
    let before = place.world();
    let json = |said: crate::place::Said| said.json();
    let plan = json(place.say(&format!("{MIGRATE} --dry-run --json --state-dir there")));
    let next = |document: &serde_json::Value| {
        let command = document["next"][0].as_str().unwrap().replace('@', place.here.cwd.to_str().unwrap());
        command.strip_prefix("copy-folder ").unwrap().to_owned()
    };
    let applied = json(place.say(&next(&plan)));
    assert_eq!(applied["summary"]["migrated"], 1);
    assert_eq!(place.say(&next(&applied)).exit, Exit::Done);
    before.assert_same(&place.world().without(&["there"]), "the printed undo");
}
