//! Runs that did not end.

use migration_cli::{Exit, Signal};

use crate::place::{MIGRATE, Place, Said};
use crate::toy::Trouble;

#[test]
fn an_interrupted_run_must_be_resumed_or_undone_first() {
    let place = Place::interrupted();
    let stands = place.everything();
    for command in [MIGRATE, &format!("{MIGRATE} --dry-run"), "verify"] {
        let said = place.say(command);
        assert_eq!(said.exit, Exit::Unfinished, "{command}: {}", said.err);
        assert!(said.err.contains(&format!("copy-folder resume {}", place.run_id())), "{}", said.err);
    }
    stands.assert_same(&place.everything(), "refused");

    let said = place.say("resume --json");
    assert_eq!((said.exit, &said.json()["mode"]), (Exit::Done, &"resume".into()));
    assert_eq!((place.read("new/a"), place.read("new/b")), ("first\n".into(), "second\n".into()));
    assert_eq!(place.say("resume").exit, Exit::Done, "nothing to resume any more");
    assert_eq!(place.say(MIGRATE).exit, Exit::Done);
}

#[test]
fn an_interrupted_run_can_be_undone() {
    let place = Place::interrupted();
    let said = place.say("undo");
    assert_eq!(said.exit, Exit::Done, "{}", said.err);
    assert!(!place.path("new/a").exists());
    assert_eq!(place.say(MIGRATE).exit, Exit::Done);
}

#[test]
fn a_signal_stops_the_run_and_is_told_from_the_other() {
    for (signal, exit) in [(Signal::Interrupt, Exit::Interrupted), (Signal::Terminate, Exit::Terminated)] {
        let mut place = Place::new(&[("a", "first\n")]);
        let said = place.troubled(Trouble::Signal(signal), &format!("{MIGRATE} --json"));
        assert_eq!(said.exit, exit);
        let resume = said.json()["next"][0].as_str().unwrap().to_owned();
        assert_eq!(resume, format!("copy-folder resume {}", place.run_id()));
        assert_eq!(place.say(resume.strip_prefix("copy-folder ").unwrap()).exit, Exit::Done);
        assert_eq!(place.read("new/a"), "first\n");
    }
}

#[test]
fn a_signal_before_the_run_leaves_nothing() {
    let place = Place::new(&[("a", "first\n")]);
    let before = place.everything();
    place.here.stop.ask(Signal::Terminate);
    assert_eq!(place.say(MIGRATE).exit, Exit::Terminated);
    before.assert_same(&place.everything(), "stopped");
}

#[test]
fn an_undo_that_failed_in_the_middle_is_finished_by_undo_and_by_resume() {
    for finish in ["undo", "resume"] {
        let place = Place::migrated();
        let in_the_way = format!("new/.b.rehome-{}-1.old", place.run_id());
        place.write(&in_the_way, "not ours\n");
        assert_eq!(place.say("undo --json").exit, Exit::Failed);
        assert_eq!(place.say(MIGRATE).exit, Exit::Unfinished);
        std::fs::remove_file(place.path(&in_the_way)).unwrap();
        let said = place.say(finish);
        assert_eq!(said.exit, Exit::Done, "{}", said.err);
        assert!(said.out.contains("undone: 2 items taken back"), "{}", said.out);
        assert!(!place.path("new/a").exists() && !place.path("new/b").exists());
    }
}

#[test]
fn an_interrupted_undo_goes_on_as_it_was_begun_unless_it_is_told_otherwise() {
    for (finish, exit, fate) in [
        ("undo", Exit::Partial, "kept"),
        ("resume", Exit::Partial, "kept"),
        ("undo --set-aside", Exit::Done, "set-aside"),
    ] {
        let place = Place::migrated();
        let in_the_way = format!("new/.b.rehome-{}-1.old", place.run_id());
        place.write(&in_the_way, "not ours\n");
        place.write("new/a", "first\nand more\n");
        assert_eq!(place.say("undo --keep-changed").exit, Exit::Failed);
        std::fs::remove_file(place.path(&in_the_way)).unwrap();
        let said = place.say(&format!("{finish} --json"));
        assert_eq!(said.exit, exit, "{finish}: {}", said.err);
        assert_eq!(said.json()["items"][0]["undone"], fate, "{finish}");
        assert_eq!(place.path("new/a").exists(), fate == "kept");
        assert!(!place.path("new/b").exists());
    }
}

#[test]
fn a_source_that_stayed_goes_with_resume_once_its_copy_is_accepted() {
    for named in [false, true] {
        let place = Place::new(&[("a", "first\n"), ("b", "second\n")]);
        place.write("veto", "");
        let said = place.say(&format!("{MIGRATE} --move --json"));
        assert_eq!(said.exit, Exit::Unverified, "{}", said.err);
        let resume =
            said.json()["next"][0].as_str().unwrap().strip_prefix("copy-folder ").unwrap().to_owned();
        assert_eq!(resume, format!("resume {}", place.run_id()));
        let resume = if named { &resume } else { "resume" };
        assert_eq!(place.say(resume).exit, Exit::Unverified, "nothing has changed");
        assert!(place.path("old/a").exists() && place.path("new/a").exists());
        std::fs::remove_file(place.path("veto")).unwrap();
        let said = place.say(resume);
        assert!(said.exit == Exit::Done && !said.out.contains("no-meaning"), "{}", said.out);
        assert!(!place.path("old/a").exists() && place.path("new/a").exists());
        let said = place.say(&format!("{resume} --json"));
        assert_eq!(said.json()["findings"][0]["code"], "nothing-to-resume");
        assert_eq!(place.say("undo").exit, Exit::Done);
        assert_eq!(place.read("old/a"), "first\n");
    }
}

#[test]
fn of_several_interrupted_runs_one_has_to_be_named() {
    let mut place = Place::interrupted();
    std::fs::create_dir(place.path("other")).unwrap();
    place.troubled(Trouble::Disk, "--from old --to other");
    let said = place.say("resume --json");
    assert_eq!(said.exit, Exit::Usage);
    assert_eq!(said.json()["findings"].as_array().unwrap().len(), 2);
    for run in place.runs() {
        assert_eq!(place.say(&format!("resume {}", run.id)).exit, Exit::Done);
    }
    assert!(place.path("other/a").exists() && place.path("new/a").exists());
}

#[test]
fn of_a_source_that_was_changed_meanwhile_is_told_how_and_only_what_helps_is_offered() {
    let place = Place::new(&[("a", "first\n")]);
    place.write("veto", "");
    let stayed = place.say(&format!("{MIGRATE} --move --json"));
    assert_eq!(stayed.exit, Exit::Unverified);
    let next = |said: &Said| said.json()["next"].clone();
    let [resume, undo] = ["resume", "undo"].map(|verb| format!("copy-folder {verb} {}", place.run_id()));
    assert_eq!(next(&stayed), serde_json::json!([resume, undo]));
    assert!(stayed.out.contains("move aside @/old/a: it is still where it was"), "{}", stayed.out);
    std::fs::remove_file(place.path("veto")).unwrap();
    place.write("old/a", "first, and more\n");
    for again in ["resume", "resume --json"] {
        let said = place.say(again);
        assert_eq!(said.exit, Exit::Unverified);
        assert!(
            said.out.contains(
                "move aside @/old/a: it changed after the plan was made: expected 6 bytes, found 16"
            ),
            "{}",
            said.out
        );
        assert!(
            said.out.contains(&format!("`{undo}` takes back the whole run, so also what came of")),
            "{}",
            said.out
        );
        assert!(!said.out.contains(&resume) && !said.out.contains("it is not there"), "{}", said.out);
        assert!(again == "resume" || next(&said) == serde_json::json!([undo]), "{}", said.out);
    }
    assert_eq!(place.say("undo").exit, Exit::Done);
    assert!(!place.path("new/a").exists());
    assert_eq!(place.read("old/a"), "first, and more\n");
}

#[test]
fn of_a_source_that_somebody_else_removed_the_copy_is_not_offered_for_removal() {
    let place = Place::new(&[("a", "first\n")]);
    place.write("veto", "");
    assert_eq!(place.say(&format!("{MIGRATE} --move")).exit, Exit::Unverified);
    std::fs::remove_file(place.path("veto")).unwrap();
    std::fs::remove_file(place.path("old/a")).unwrap();
    let said = place.say("resume --json");
    assert_eq!(said.json()["next"], serde_json::json!([format!("copy-folder resume {}", place.run_id())]));
    let shown = place.say("resume").out;
    assert!(
        shown.contains("the source is gone: cannot move aside @/old/a: it is gone [source-gone]"),
        "{shown}"
    );
    assert!(shown.contains("may be all there is of it"), "{shown}");
    assert_eq!(place.read("new/a"), "first\n");
}
