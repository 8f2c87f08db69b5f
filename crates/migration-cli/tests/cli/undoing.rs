//! Taking runs back.

use migration_cli::Exit;

use crate::place::{MIGRATE, Place};
use crate::toy::Trouble;

#[test]
fn undo_restores_everything_and_once_is_enough() {
    let place = Place::new(&[("a", "first\n"), ("b", "second\n")]);
    let before = place.world();
    place.say(MIGRATE);
    assert_ne!(place.world().difference(&before), "");
    let said = place.say("undo --json");
    assert_eq!(said.exit, Exit::Done);
    assert_eq!(said.json()["items"][1]["undone"], "restored");
    before.assert_same(&place.world(), "undone");
    for again in ["undo".to_owned(), format!("undo {}", place.run_id())] {
        let said = place.say(&again);
        assert_eq!(said.exit, Exit::Done, "{}", said.err);
        assert!(said.out.contains("nothing to undo"), "{}", said.out);
    }
}

#[test]
fn an_undo_touches_nothing_if_something_has_changed_and_says_what_can_be_done() {
    let place = Place::migrated();
    place.write("new/b", "second\nand more\n");
    let changed = place.everything();
    let said = place.say("undo --json");
    assert_eq!(said.exit, Exit::Refused);
    changed.assert_same(&place.everything(), "refused");
    let document = said.json();
    assert_eq!(document["findings"].as_array().unwrap().len(), 1);
    assert!(document["next"][0].as_str().unwrap().ends_with(" --keep-changed"));

    let kept = place.say("undo --keep-changed --json");
    assert_eq!(kept.exit, Exit::Partial);
    assert_eq!(kept.json()["items"][1]["undone"], "kept");
    assert!(!place.path("new/a").exists());
    assert_eq!(place.read("new/b"), "second\nand more\n");
}

#[test]
fn an_undo_can_set_aside_what_has_changed() {
    let place = Place::migrated();
    place.write("new/b", "second\nand more\n");
    let said = place.say("undo --set-aside --json");
    assert_eq!(said.exit, Exit::Done);
    assert_eq!(said.json()["items"][1]["undone"], "set-aside");
    assert!(!place.path("new/a").exists() && !place.path("new/b").exists());
    let folder = place.path("state/runs").join(place.run_id()).join("set-aside");
    let [kept] = &std::fs::read_dir(folder).unwrap().map(|kept| kept.unwrap().path()).collect::<Vec<_>>()[..]
    else {
        panic!("expected one file set aside")
    };
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "second\nand more\n");
}

#[test]
fn an_undo_that_keeps_a_copy_tells_that_its_source_is_back() {
    let place = Place::new(&[("a", "first\n"), ("b", "second\n")]);
    let before = place.world();
    place.say(&format!("{MIGRATE} --move"));
    place.write("new/b", "second\nand more\n");
    let said = place.say("undo --keep-changed --json");
    assert_eq!(said.exit, Exit::Partial);
    let document = said.json();
    let (restored, kept) = (&document["items"][0], &document["items"][1]);
    assert_eq!((&restored["undone"], &kept["undone"]), (&"restored".into(), &"kept".into()));
    assert_eq!(restored["findings"], serde_json::json!([]));
    let told: Vec<&str> =
        kept["findings"].as_array().unwrap().iter().map(|told| told["message"].as_str().unwrap()).collect();
    assert_eq!(told, ["install @/new/b: it has grown by 9 bytes since", "taken back: move aside @/old/b"]);
    assert_eq!(place.world().difference(&before), "- new/b\n");
}

#[test]
fn an_undo_says_how_many_it_took_back_whole_and_in_part_and_kept() {
    let place = Place::new(&[("a", "first\n"), ("b", "second\n")]);
    place.say(&format!("{MIGRATE} --move"));
    place.write("new/b", "second\nand more\n");
    let said = place.say("undo --keep-changed");
    assert!(said.out.contains("  undone: 1 item taken back, 1 taken back in part\n"), "{}", said.out);
    let place = Place::migrated();
    for name in ["new/a", "new/b"] {
        place.write(name, "theirs\n");
    }
    let said = place.say("undo --keep-changed");
    assert!(said.out.contains(" items kept\n"), "{}", said.out);
}

#[test]
fn newer_runs_on_the_same_target_go_first() {
    let place = Place::new(&[("a", "first\n")]);
    let before = place.world();
    place.say(MIGRATE);
    place.write("old/b", "second\n");
    place.say(MIGRATE);
    let [first, second] = &place.runs()[..] else { panic!("expected two runs") };
    let refused = place.say(&format!("undo {} --json", first.id));
    assert_eq!(refused.exit, Exit::Refused);
    let next = refused.json()["next"].clone();
    assert_eq!(
        next,
        serde_json::json!([
            format!("copy-folder undo {}", second.id),
            format!("copy-folder undo {}", first.id),
        ])
    );
    assert_eq!(place.say("undo").exit, Exit::Done, "the newest");
    assert_eq!(place.say("undo").exit, Exit::Done, "and now the one before");
    std::fs::remove_file(place.path("old/b")).unwrap();
    before.assert_same(&place.world(), "both undone");
}

#[test]
fn undo_means_the_newest_run_that_changed_something() {
    let mut place = Place::migrated();
    place.write("old/c", "third\n");
    let failed = place.troubled(Trouble::Rewrite("old/c"), MIGRATE);
    assert_eq!(failed.exit, Exit::Partial, "{}", failed.all());
    assert_eq!(place.runs().len(), 2);
    assert_eq!(place.say("undo").exit, Exit::Done);
    assert!(!place.path("new/a").exists(), "the run in which everything failed was not meant");
}

#[test]
fn what_an_undo_has_kept_is_named_by_the_next_and_can_be_set_aside_by_it() {
    let place = Place::new(&[("a", "first\n"), ("b", "second\n")]);
    let before = place.world();
    place.say(MIGRATE);
    place.write("new/b", "second\nand more\n");
    assert_eq!(place.say("undo --keep-changed").exit, Exit::Partial);
    let set_aside = format!("copy-folder undo {} --set-aside", place.run_id());
    for again in ["undo".to_owned(), format!("undo {}", place.run_id())] {
        let said = place.say(&format!("{again} --json"));
        assert_eq!((said.exit, &said.json()["next"][0]), (Exit::Done, &set_aside.clone().into()));
        assert!(place.say(&again).out.contains("one thing that had changed since stayed"), "{}", said.out);
    }
    let said = place.say(&format!("{} --json", set_aside.strip_prefix("copy-folder ").unwrap()));
    assert_eq!((said.exit, said.json()["items"].as_array().unwrap().len()), (Exit::Done, 1), "{}", said.out);
    assert_eq!(said.json()["items"][0]["undone"], "set-aside");
    before.assert_same(&place.world(), "all of it is undone");
    assert!(!place.say("undo").out.contains("had changed"));
}

#[test]
fn an_undo_never_says_that_nothing_is_left_while_a_run_cannot_be_read() {
    let place = Place::migrated();
    let journal = place.runs()[0].dir.join("journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    let before = place.everything();
    for verb in ["undo", "resume", "verify", MIGRATE] {
        let said = place.say(&format!("{verb} --json"));
        assert_eq!(
            (said.exit, &said.json()["error"]["code"]),
            (Exit::Refused, &"unreadable-run".into()),
            "{verb}"
        );
    }
    let said = place.say("runs gc --older-than 0 --yes --json");
    assert_eq!((said.exit, &said.json()["findings"][1]["code"]), (Exit::Done, &"left".into()));
    before.assert_same(&place.everything(), "refused");
}

#[test]
fn an_undo_has_no_dry_run_and_does_not_pretend_to() {
    let place = Place::migrated();
    let before = place.everything();
    for verb in ["undo", "resume"] {
        assert_eq!(place.say(&format!("{verb} --dry-run")).exit, Exit::Usage);
    }
    before.assert_same(&place.everything(), "refused");
}

#[test]
fn the_owner_of_a_target_is_respected_by_an_undo_as_well() {
    let place = Place::migrated();
    place.write("new/.busy", "");
    assert_eq!(place.say("undo").exit, Exit::Refused);
    assert!(place.path("new/a").exists());
}
