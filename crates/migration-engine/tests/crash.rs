//! A whole small migration (new files, a replaced file, retired sources), struck at every single effect.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod strike;

use std::path::Path;

use migration_engine::Phase;
use strike::{Place, Scene, applied, effects_of, strike_apply, strike_undo};
use testkit::crash::Blow;

/// Two conversations, and an index that is already at the target.
static FOLDER: Scene = Scene { example: "move_folder", lay_out, assert_migrated };

fn lay_out(place: &Path) {
    for (name, content) in
        [("old/a", "first\n"), ("old/b", ""), ("old/index", "a b\n"), ("new/index", "none\n")]
    {
        let path = place.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
    }
}

fn assert_migrated(place: &Place, when: &str) {
    let read = |name: &str| std::fs::read_to_string(place.path().join(name)).unwrap();
    assert_eq!(
        (read("new/deep/a"), read("new/deep/b"), read("new/index")),
        ("first\n".into(), String::new(), "a b\n".into()),
        "{when}"
    );
    let names = place.tree().names();
    assert_eq!(names.len(), 10, "{when}: {names:?}"); // 3 folders, 3 new files, 3 retired, 1 stash
    let retired = names.iter().filter(|name| name.ends_with(".retired")).count();
    assert_eq!(retired, 3, "{when}: {names:?}");
}

fn new() -> Place {
    Place::of(&FOLDER)
}

fn simple() -> Place {
    new().simple()
}

#[test]
fn killed_at_any_effect_a_run_is_finished_by_resume_and_taken_back_by_undo() {
    strike_apply(Blow::Kill, new);
}

#[test]
fn a_full_disk_at_any_effect_harms_nothing() {
    strike_apply(Blow::Error("ENOSPC"), new);
}

#[test]
fn a_failing_disk_at_any_effect_harms_nothing() {
    strike_apply(Blow::Error("EIO"), new);
}

#[test]
fn killed_at_any_effect_an_undo_is_finished() {
    strike_undo(Blow::Kill, new);
}

#[test]
fn a_failing_disk_during_an_undo_harms_nothing() {
    strike_undo(Blow::Error("EIO"), new);
}

#[test]
fn where_names_cannot_be_exchanged_a_kill_is_as_harmless() {
    strike_apply(Blow::Kill, simple);
    strike_undo(Blow::Kill, simple);
}

#[test]
fn where_names_cannot_be_exchanged_a_failing_disk_is_as_harmless() {
    strike_apply(Blow::Error("EIO"), simple);
    strike_undo(Blow::Error("EIO"), simple);
}

#[test]
fn where_names_cannot_be_exchanged_a_folder_that_took_the_place_of_a_file_is_set_aside_too() {
    let place = applied(simple());
    let index = place.path().join("new/index");
    std::fs::remove_file(&index).unwrap();
    std::fs::create_dir(&index).unwrap();
    std::fs::write(index.join("notes"), "theirs\n").unwrap();
    place.must("set-aside", "with a folder in the way");
    place.assert_restored("set aside");
    let kept = std::fs::read_dir(place.journal().with_file_name("set-aside")).unwrap();
    let kept: Vec<_> = kept.map(|kept| std::fs::read(kept.unwrap().path().join("notes")).unwrap()).collect();
    assert_eq!(kept, [b"theirs\n"]);
}

/// What somebody wrote into a replaced file since is not lost, wherever a kill meets the undo that sets it aside.
#[test]
fn killed_at_any_effect_what_is_set_aside_is_still_there() {
    for new in [new, simple] {
        let edited = || {
            let place = applied(new());
            std::fs::write(place.path().join("new/index"), "edited\n").unwrap();
            place
        };
        for effect in effects_of("set-aside", &edited) {
            let when = format!("set aside after a kill at {effect}");
            let place = edited();
            place.program("set-aside").run_struck(&effect, Blow::Kill);
            place.must("set-aside", &when);
            place.assert_restored(&when);
            let kept = std::fs::read_dir(place.journal().with_file_name("set-aside")).unwrap();
            let mut kept = kept.map(|kept| std::fs::read_to_string(kept.unwrap().path()).unwrap());
            assert!(kept.any(|kept| kept == "edited\n"), "{when}");
        }
    }
}

/// Copies that nobody accepts yet: every source stays, and the run has ended.
fn vetoed() -> Place {
    let place = new();
    std::fs::create_dir(place.path().join("state")).unwrap();
    std::fs::write(place.path().join("state/veto"), "").unwrap();
    place.must("apply", "with a veto");
    assert_eq!(place.phase(), Some(Phase::Applied));
    for name in ["a", "b", "index"] {
        assert!(place.path().join("old").join(name).exists(), "{name}");
    }
    place
}

#[test]
fn killed_at_any_effect_a_run_that_goes_on_once_its_copies_are_accepted_is_finished_and_taken_back() {
    let accepted = || {
        let place = vetoed();
        std::fs::remove_file(place.path().join("state/veto")).unwrap();
        place
    };
    for effect in effects_of("resume", &accepted) {
        let when = format!("after a kill at {effect}");
        for resumed in [true, false] {
            let place = accepted();
            place.program("resume").run_struck(&effect, Blow::Kill);
            if resumed {
                place.must("resume", &when);
                place.assert_migrated(&when);
            }
            place.must("undo", &when);
            place.assert_restored(&when);
        }
    }
}

#[test]
fn a_journal_torn_at_any_byte_of_its_last_batch_is_still_enough() {
    let whole = std::fs::read(applied(new()).journal()).unwrap();
    let lines: Vec<usize> =
        whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1).collect();
    let last_record = lines[lines.len() - 2];
    for cut in last_record..whole.len() {
        for verb in ["resume", "undo"] {
            let when = format!("{verb} with a journal cut at {cut} of {}", whole.len());
            let place = applied(new());
            let journal = std::fs::OpenOptions::new().write(true).open(place.journal()).unwrap();
            journal.set_len(cut as u64).unwrap();
            place.must(verb, &when);
            if verb == "undo" {
                place.assert_restored(&when);
            } else {
                place.assert_migrated(&when);
            }
        }
    }
}

/// What a power cut would show: the page cache of a killed program survives, so only the order of the syncs can tell.
#[test]
fn nothing_is_published_before_content_and_evidence_are_durable() {
    let place = new();
    let effects = place.program("apply").effects();
    let first = |from: usize, syscall: &str, text: &str| {
        effects[from..].iter().position(|effect| effect.is(syscall, text)).map(|at| from + at)
    };
    for name in ["a", "b"] {
        let temp = format!(".{name}.rehome-");
        let written = first(0, "fsync", &temp).expect("the content is made durable");
        let recorded = first(written, "fdatasync", "/journal>").expect("then the evidence");
        let published = first(0, "renameat2", &temp).expect("then it is published");
        let settled = first(published, "fsync", "/new/deep>").expect("then its name is made durable");
        assert!(written < recorded && recorded < published && published < settled, "{name}");
    }
    let began = first(0, "fdatasync", "/journal>").expect("the plan is recorded");
    let named = first(0, "rename", ".new-").expect("the run takes its name");
    let acted = first(0, "mkdir", "/new/deep").expect("the first effect on the target");
    assert!(began < named && named < acted);
}

/// Many files share one sync, and it comes as early.
#[test]
fn nothing_of_many_files_is_published_before_all_their_content_is_durable() {
    let place = new();
    for number in 0..100 {
        std::fs::write(place.path().join(format!("old/many-{number}")), "short\n").unwrap();
    }
    let effects = place.program("apply").effects();
    let at = |syscall: &str, text: &str| -> Vec<usize> {
        (0..effects.len()).filter(|at| effects[*at].is(syscall, text)).collect()
    };
    let written = at("write", "/new/deep/.many-");
    let [synced] = at("syncfs", "/new/deep/.")[..] else { panic!("one sync for all of them") };
    let recorded = at("fdatasync", "/journal>").into_iter().find(|at| *at > synced).unwrap();
    let published = at("renameat2", "/new/deep/.many-");
    assert_eq!((written.len(), published.len()), (100, 100));
    assert!(*written.last().unwrap() < synced && recorded < published[0]);
    assert_eq!(at("fsync", "/new/deep/.").len(), 0, "none for each");
}

/// The other half of that: what was published before a kill and never synced is so before its source is touched.
#[test]
fn what_a_killed_run_had_published_is_durable_before_resume_goes_on() {
    let place = new();
    let effects = place.program("apply").effects();
    let first = |from: usize, syscall: &str, text: &str| {
        from + effects[from..].iter().position(|effect| effect.is(syscall, text)).unwrap()
    };
    let settled = first(first(0, "renameat2", "/new/deep/.a."), "fsync", "/new/deep>");
    for struck in [first(0, "fsync", "/new>"), settled] {
        let place = new();
        place.program("apply").run_struck(&effects[struck], Blow::Kill);
        let resumed = place.program("resume").effects();
        let at = |syscall: &str, text: &str| {
            resumed.iter().position(|effect| effect.is(syscall, text)).unwrap_or_else(|| panic!("no {text}"))
        };
        let retired = at("renameat2", ".retired");
        for folder in ["/new/deep>", "/new>"] {
            assert!(at("fsync", folder) < retired, "{folder} after a kill at {}", effects[struck]);
        }
    }
}
