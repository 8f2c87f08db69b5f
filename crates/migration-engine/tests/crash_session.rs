//! A folder, a written, a spliced and a replaced file, struck at every single effect.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod strike;

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use strike::{Place, Scene, applied, strike_apply, strike_changed, strike_undo};
use testkit::crash::Blow;
use testkit::tree::Tree;

static SESSION: Scene = Scene { example: "carry_session", lay_out, assert_migrated };

/// Everything that is there before is years old, to the nanosecond.
fn lay_out(place: &Path) {
    for (name, content) in [
        ("old/transcript", "months of conversation\n"),
        ("new/history", "the old place, the old story\n"),
        ("new/sidecar", "not told\n"),
    ] {
        let path = place.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let then = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
        File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
    }
}

fn assert_migrated(place: &Place, when: &str) {
    let read = |name: &str| std::fs::read_to_string(place.path().join(name)).unwrap();
    let looks = |name: &str| {
        let found = place.path().join(name).symlink_metadata().unwrap();
        (found.mode() & 0o7777, found.mtime(), found.mtime_nsec())
    };
    assert_eq!(read("new/deep/session/latest"), "months of conversation\n", "{when}");
    assert_eq!(looks("new/deep/session/closed/transcript"), looks("old/transcript"), "{when}");
    assert_eq!(looks("new/deep/session/script"), (0o700, 0, 7), "{when}");
    assert_eq!(looks("new/deep/session/closed"), (0o550, 1, 0), "{when}");
    assert_eq!(looks("new/deep/session").0, 0o700, "{when}");
    assert_eq!((read("new/deep/session.json"), read("new/sidecar")), ("{}\n".into(), "told\n".into()));
    assert_eq!(read("new/history"), "the new and far place, the old story\n", "{when}");
    assert_eq!(looks("new/history"), looks("old/transcript"), "{when}");
    let names = place.tree().names();
    assert_eq!(names.len(), 13, "{when}: {names:?}"); // 5 folders, 1 link, 6 files, 1 stash
}

fn new() -> Place {
    Place::of(&SESSION)
}

fn simple() -> Place {
    new().simple()
}

#[test]
fn killed_at_any_effect_a_session_is_carried_over_or_back_byte_for_byte() {
    strike_apply(Blow::Kill, new);
}

#[test]
fn a_full_disk_at_any_effect_harms_no_session() {
    strike_apply(Blow::Error("ENOSPC"), new);
}

#[test]
fn a_failing_disk_at_any_effect_harms_no_session() {
    strike_apply(Blow::Error("EIO"), new);
}

#[test]
fn killed_at_any_effect_the_undo_of_a_session_is_finished() {
    strike_undo(Blow::Kill, new);
}

#[test]
fn a_full_or_failing_disk_during_the_undo_of_a_session_harms_nothing() {
    strike_undo(Blow::Error("ENOSPC"), new);
    strike_undo(Blow::Error("EIO"), new);
}

#[test]
fn where_names_cannot_be_exchanged_a_kill_is_as_harmless_to_a_session() {
    strike_apply(Blow::Kill, simple);
    strike_undo(Blow::Kill, simple);
}

#[test]
fn where_names_cannot_be_exchanged_a_failing_disk_is_as_harmless_to_a_session() {
    strike_apply(Blow::Error("EIO"), simple);
    strike_undo(Blow::Error("EIO"), simple);
}

/// Since then the session went on: its transcript and the history have grown, and a file has come.
fn edited(place: Place) -> Place {
    let place = applied(place);
    let at = place.path();
    for name in ["new/history", "new/deep/session/closed/transcript"] {
        OpenOptions::new().append(true).open(at.join(name)).unwrap().write_all(b"and more\n").unwrap();
    }
    std::fs::write(at.join("new/deep/session/notes"), "new\n").unwrap();
    place
}

/// The file as it was, after the exchange.
const OLD: &str = "/new/.history.rehome-19700101-000000-0000-2.other";
const GROWN: &str = "the new and far place, the old story\nand more\n";

fn assert_set_aside(place: &Place, when: &str) {
    place.assert_restored(when);
    let kept = Tree::of(&place.journal().with_file_name("set-aside"));
    let read = |name: &str| std::fs::read_to_string(place.journal().with_file_name("set-aside").join(name));
    let names = kept.names();
    let history = names.iter().filter(|name| name.ends_with("-history"));
    assert!(history.into_iter().any(|name| read(name).unwrap() == GROWN), "{when}: {names:?}");
    let notes = names.iter().filter_map(|name| name.strip_suffix("/notes"));
    let whole = |folder: &str| {
        let [transcript, notes] = ["closed/transcript", "notes"].map(|name| format!("{folder}/{name}"));
        read(&transcript).is_ok_and(|text| text == "months of conversation\nand more\n")
            && read(&notes).is_ok_and(|text| text == "new\n")
    };
    assert!(notes.into_iter().any(whole), "{when}: {names:?}");
}

#[test]
fn killed_at_any_effect_what_is_set_aside_of_a_session_is_still_there() {
    for new in [new, simple, || new().with_runs_elsewhere()] {
        strike_changed("set-aside", Blow::Kill, &|| edited(new()), &assert_set_aside);
    }
}

#[test]
fn a_full_or_failing_disk_loses_nothing_of_what_is_set_aside_of_a_session() {
    for error in ["ENOSPC", "EIO"] {
        for new in [new, || new().with_runs_elsewhere()] {
            strike_changed("set-aside", Blow::Error(error), &|| edited(new()), &assert_set_aside);
        }
    }
}

/// What has changed stays as it is; the rest is as it was, and nothing of ours is beside it.
fn assert_kept(place: &Place, when: &str) {
    let at = place.path();
    let read = |name: &str| std::fs::read_to_string(at.join(name)).unwrap();
    assert_eq!((read("new/history"), read("new/sidecar")), (GROWN.into(), "not told\n".into()), "{when}");
    assert_eq!(read("new/deep/session/notes"), "new\n", "{when}");
    assert_eq!(read("new/deep/session/closed/transcript"), "months of conversation\nand more\n", "{when}");
    assert!(!at.join("new/deep/session.json").exists(), "{when}");
    let names = place.tree().names();
    assert!(!names.iter().any(|name| name.contains(".rehome-")), "{when}: {names:?}");
}

#[test]
fn killed_at_any_effect_an_undo_that_keeps_a_session_that_went_on_keeps_it() {
    for new in [new, simple] {
        strike_changed("keep", Blow::Kill, &|| edited(new()), &assert_kept);
    }
    strike_changed("keep", Blow::Error("EIO"), &|| edited(new()), &assert_kept);
    strike_changed("keep", Blow::Error("ENOSPC"), &|| edited(new()), &assert_kept);
}

/// A closed folder bars the way to what is in it for everybody but root.
#[test]
fn somebody_bound_by_permissions_can_take_back_or_set_aside_a_closed_folder() {
    for (verb, elsewhere) in [("undo", false), ("set-aside", false), ("set-aside", true)] {
        let place = if elsewhere { new().with_runs_elsewhere() } else { new() };
        testkit::crash::hand_over(place.path());
        if elsewhere {
            testkit::crash::hand_over(&place.path().join("state").canonicalize().unwrap());
        }
        let must = |verb: &str| {
            let output = place.program(verb).unprivileged().run();
            assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
        };
        must("apply");
        place.assert_migrated("by somebody else");
        if verb == "set-aside" {
            std::fs::write(place.path().join("new/deep/session/notes"), "new\n").unwrap();
        }
        must(verb);
        place.assert_restored(verb);
    }
}

/// What a power cut would show: only the order of the syncs can tell.
#[test]
fn nothing_of_a_session_is_published_before_it_is_durable_nor_removed_before_that() {
    let effects = new().program("apply").effects();
    let first = |from: usize, syscall: &str, text: &str| {
        let at = effects[from..].iter().position(|effect| effect.is(syscall, text));
        from + at.unwrap_or_else(|| panic!("no {syscall} of {text} after {from}"))
    };
    let last_written = effects.iter().rposition(|effect| effect.is("write", "/closed/transcript>")).unwrap();
    let listed = first(last_written, "fsync", "/0-manifest.tmp>");
    let synced = first(listed, "syncfs", "/new/deep/.session.rehome-");
    let recorded = first(synced, "fdatasync", "/journal>");
    let published = first(recorded, "renameat2", "/new/deep/.session.rehome-");
    first(published, "fsync", "/new/deep>");
    assert!(!effects.iter().any(|effect| effect.is("fsync", ".tmp/")), "one sync for all of it");

    let exchanged = first(published, "renameat2", "/new/history\", RENAME_EXCHANGE");
    let settled = first(exchanged, "fsync", "/new>");
    let removed = first(exchanged, "unlink", OLD);
    assert!(settled < removed, "the file as it was is the way back until then");

    let place = new();
    place.program("apply").run_struck(&effects[settled], Blow::Kill);
    let resumed = place.program("resume").effects();
    let settled = resumed.iter().position(|effect| effect.is("fsync", "/new>")).unwrap();
    let removed = resumed.iter().position(|effect| effect.is("unlink", OLD)).unwrap();
    assert!(settled < removed, "nor does the next attempt forget that");
}
