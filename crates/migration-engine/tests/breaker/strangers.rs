//! Strangers' hands: files that change, appear and vanish between our effects.

use migration_engine::{Changed, UndoError, Wave};

use crate::place::{Events, Place, outcomes};

#[test]
fn what_a_replaced_file_held_before_is_kept_even_if_the_new_one_changed_before_its_item_failed() {
    let place = Place::new("ab");
    place.write("new/index", "none\n");
    let lane = vec![
        Wave::publish(vec![place.replace(0, "old/a", "new/index")]),
        Wave::publish(vec![place.install(0, "old/b", "new/b")]),
    ];
    let run = place.begin(vec![lane]);
    let index = place.path("new/index");
    let mut grown = false;
    let events = Events::when(move |moment| {
        if moment == "publish new/b" && !std::mem::replace(&mut grown, true) {
            std::fs::write(&index, "the story of a\nand what came after\n").unwrap();
            return Err(migration_engine::Cause::new("trouble", "made to fail").item());
        }
        Ok(())
    });
    assert_eq!(outcomes(&place.apply(&run, &events).unwrap()), "a=failed(trouble)");
    assert_eq!(place.read("new/index").unwrap(), "the story of a\nand what came after\n");
    let run = place.reopen(run);
    let error = place.undo(&run, &Events::none(), Changed::Refuse).unwrap_err();
    assert!(matches!(error, UndoError::Drifted(_)), "{error}");
    place.undo(&run, &Events::none(), Changed::SetAside).unwrap();
    assert_eq!(place.read("new/index").unwrap(), "none\n");
}

#[test]
fn two_items_with_one_target_leave_what_the_first_has_put_there() {
    let place = Place::new("a");
    let before = place.tree();
    let tasks = vec![place.install(0, "old/a", "new/a"), place.install(1, "old/a", "new/a")];
    let run = place.begin(vec![vec![Wave::publish(tasks)]]);
    let receipt = place.apply(&run, &Events::none()).unwrap();
    assert_eq!(outcomes(&receipt), "a=migrated b=failed(occupied)");
    assert!(place.read("new/a").is_some(), "the file of the item that arrived");
    assert!(place.verify(&run).unwrap().passes());
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
    before.assert_same(&place.tree(), "undone");
}

#[test]
fn a_strangers_file_is_never_taken_back_for_ours_because_it_is_equal() {
    let place = Place::new("a");
    place.write("old/a", ""); // any empty file is equal to it
    let run = place.begin(vec![vec![Wave::publish(vec![place.install(0, "old/a", "new/a")])]]);
    let target = place.path("new/a");
    let events = Events::at("publish new/a", move || {
        std::fs::write(target, "").unwrap();
        Ok(())
    });
    let receipt = place.apply(&run, &events).unwrap();
    assert_eq!(outcomes(&receipt), "a=failed(occupied)");
    assert!(place.read("new/a").is_some(), "theirs");
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
    assert_eq!(place.tree().names(), ["new", "new/a", "old", "old/a"]);
}

#[test]
fn an_undo_never_says_restored_when_what_was_kept_for_it_is_gone_or_changed() {
    for gone in [true, false] {
        let place = Place::new("a");
        place.write("new/index", "none\n");
        let run = place.begin(vec![vec![Wave::publish(vec![place.replace(0, "old/a", "new/index")])]]);
        place.apply(&run, &Events::none()).unwrap();
        let [stash] = &run.stashes()[..] else { panic!() };
        if gone {
            std::fs::remove_file(stash).unwrap();
        } else {
            std::fs::write(stash, "edited\n").unwrap();
        }
        let before = place.tree();
        let error = place.undo(&run, &Events::none(), Changed::Refuse).unwrap_err();
        assert!(matches!(error, UndoError::Drifted(_)), "{error}");
        before.assert_same(&place.tree(), "a refused undo");
        place.undo(&run, &Events::none(), Changed::Keep).unwrap();
        before.assert_same(&place.tree(), "an undo that keeps");
    }
}

#[test]
fn what_is_set_aside_is_never_lost_to_a_kill() {
    let place = Place::new("a");
    place.write("new/index", "none\n");
    let before = place.tree();
    let run = place.begin(vec![vec![Wave::publish(vec![place.replace(0, "old/a", "new/index")])]]);
    place.apply(&run, &Events::none()).unwrap();
    place.write("new/index", "theirs\n");
    // as far as a kill right after the exchange of the names would have come
    let [stash] = &run.stashes()[..] else { panic!() };
    durable_files::exchange(stash, &place.path("new/index")).unwrap();
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap_err();
    assert_eq!(std::fs::read_to_string(stash).unwrap(), "theirs\n");
    place.undo(&run, &Events::none(), Changed::SetAside).unwrap();
    before.assert_same(&place.tree(), "restored");
    let kept: Vec<_> = std::fs::read_dir(run.dir().join("set-aside")).unwrap().collect();
    let [Ok(kept)] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!(std::fs::read_to_string(kept.path()).unwrap(), "theirs\n");
}

#[test]
fn what_was_set_aside_is_not_overwritten_by_what_is_set_aside_later() {
    let place = Place::new("a");
    let run = place.begin(vec![vec![Wave::publish(vec![place.install(0, "old/a", "new/a")])]]);
    place.apply(&run, &Events::none()).unwrap();
    let folder = run.dir().join("set-aside");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("0-a"), "kept by an undo that was killed\n").unwrap();
    place.write("new/a", "theirs\n");
    place.undo(&run, &Events::none(), Changed::SetAside).unwrap();
    let mut kept: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|kept| std::fs::read_to_string(kept.unwrap().path()).unwrap())
        .collect();
    kept.sort();
    assert_eq!(kept, ["kept by an undo that was killed\n", "theirs\n"]);
}

#[test]
fn a_source_stays_if_the_copy_that_somebody_else_had_made_of_it_changed() {
    let place = Place::new("a");
    let lane = vec![
        Wave::publish(vec![place.install(0, "old/a", "new/a")]),
        Wave::retire(vec![place.retire(0, "old/a")]),
    ];
    let plan = place.plan(vec![lane]);
    place.write("new/a", "the story of a\n"); // they were quicker
    let run = place.create(plan);
    let target = place.path("new/a");
    let mut looks = 0;
    let events = Events::when(move |moment| {
        looks += u32::from(moment == "inspect new/a");
        if looks == 2 {
            std::fs::write(&target, "the glory of a\n").unwrap(); // seen before publishing, not before retiring
        }
        Ok(())
    });
    let receipt = place.apply(&run, &events).unwrap();
    assert!(place.read("old/a").is_some());
    assert_eq!(receipt.items[0].0.findings[0].code, "not-as-left");
}

#[test]
fn an_undo_is_not_stopped_by_a_folder_that_has_become_something_else() {
    let place = Place::new("ab");
    let tasks = vec![place.install(0, "old/a", "new/x/a"), place.install(1, "old/b", "new/y/b")];
    let run = place.begin(vec![vec![Wave::publish(tasks)]]);
    place.apply(&run, &Events::none()).unwrap();
    // one folder moved elsewhere, with a link in its place; of the other only a file of that name is left
    std::fs::rename(place.path("new/x"), place.path("moved")).unwrap();
    std::os::unix::fs::symlink(place.path("moved"), place.path("new/x")).unwrap();
    std::fs::remove_dir_all(place.path("new/y")).unwrap();
    place.write("new/y", "a file\n");
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
    assert_eq!(place.tree().names(), ["moved", "new", "new/x", "new/y", "old", "old/a", "old/b"]);
}

#[test]
fn sources_are_brought_back_even_if_the_whole_target_is_gone() {
    let place = Place::new("a");
    let lane = vec![
        Wave::publish(vec![place.install(0, "old/a", "new/a")]),
        Wave::retire(vec![place.retire(0, "old/a")]),
    ];
    let run = place.begin(vec![lane]);
    place.apply(&run, &Events::none()).unwrap();
    std::fs::remove_dir_all(place.path("new")).unwrap();
    let run = place.reopen(run);
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
    assert_eq!(place.tree().names(), ["old", "old/a"]);
}

#[test]
fn a_thing_that_cannot_be_looked_at_does_not_keep_the_rest_from_being_undone() {
    let place = Place::new("ab");
    let tasks = vec![place.install(0, "old/a", "new/x/a"), place.install(1, "old/b", "new/b")];
    let run = place.begin(vec![vec![Wave::publish(tasks)]]);
    place.apply(&run, &Events::none()).unwrap();
    std::fs::remove_dir_all(place.path("new/x")).unwrap();
    std::os::unix::fs::symlink("x", place.path("new/x")).unwrap(); // leads to itself
    let verdict = place.verify(&run).unwrap();
    assert!(!verdict.passes());
    let error = place.undo(&run, &Events::none(), Changed::Refuse).unwrap_err();
    assert!(matches!(error, UndoError::Drifted(ref drifted) if drifted.len() == 1), "{error}");
    place.undo(&run, &Events::none(), Changed::Keep).unwrap();
    assert_eq!(place.tree().names(), ["new", "new/x", "old", "old/a", "old/b"]);
}

#[test]
fn a_replaced_file_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new("a");
    place.write("new/index", "none\n");
    std::fs::set_permissions(place.path("new/index"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let run = place.begin(vec![vec![Wave::publish(vec![place.replace(0, "old/a", "new/index")])]]);
    place.apply(&run, &Events::none()).unwrap();
    let mode = std::fs::metadata(place.path("new/index")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
}

#[test]
fn what_changes_in_the_last_moment_is_put_back_and_stays() {
    let place = Place::new("a");
    place.write("new/index", "none\n");
    let lane = vec![
        Wave::publish(vec![place.replace(0, "old/a", "new/index")]),
        Wave::retire(vec![place.retire(1, "old/a")]),
    ];
    let run = place.begin(vec![lane]);
    let paths = ["new/index", "old/a"].map(|name| (format!("publish {name}"), place.path(name)));
    let events = Events::when(move |moment| {
        for (when, path) in &paths {
            if when == moment {
                std::fs::write(path, "theirs, just now\n").unwrap();
            }
        }
        Ok(())
    });
    let receipt = place.apply(&run, &events).unwrap();
    assert_eq!(outcomes(&receipt), "a=failed(source-changed) b=migrated");
    assert_eq!(receipt.items[1].0.findings[0].code, "source-changed");
    for name in ["new/index", "old/a"] {
        assert_eq!(place.read(name).unwrap(), "theirs, just now\n", "{name}");
    }
    assert_eq!(place.tree().names(), ["new", "new/index", "old", "old/a"]);
}

/// Other content that looks the same from outside: same file, same length, same time.
fn forge(path: &std::path::Path) {
    let before = std::fs::metadata(path).unwrap();
    std::fs::write(path, "x".repeat(usize::try_from(before.len()).unwrap())).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
}

#[test]
fn what_only_looks_like_our_copy_keeps_its_source_and_is_not_removed() {
    let place = Place::new("a");
    let forging = |moment: &'static str| {
        let target = place.path("new/a");
        Events::at(moment, move || {
            forge(&target);
            Ok(())
        })
    };
    let install = || Wave::publish(vec![place.install(0, "old/a", "new/a")]);
    let run = place.begin(vec![vec![install(), Wave::retire(vec![place.retire(0, "old/a")])]]);
    place.apply(&run, &forging("published new/a")).unwrap();
    assert!(place.read("old/a").is_some());
    drop(run);

    std::fs::remove_file(place.path("new/a")).unwrap();
    let run = place.begin(vec![vec![install()]]);
    place.apply(&run, &Events::none()).unwrap();
    let error = place.undo(&run, &forging("revert new/a"), Changed::Refuse).unwrap_err();
    assert!(matches!(error, UndoError::Halted(_)), "{error}");
    assert_eq!(place.read("new/a").unwrap(), "x".repeat(15));
}

#[test]
fn an_undo_that_keeps_what_a_stranger_put_at_a_target_leaves_nothing_of_ours_beside_it() {
    for (target, moment) in [("new/a", "publish new/a"), ("new/index", "publish new/index")] {
        let place = Place::new("a");
        place.write("new/index", "none\n");
        let task = match target {
            "new/a" => place.install(0, "old/a", target),
            _ => place.replace(0, "old/a", target),
        };
        let run = place.begin(vec![vec![Wave::publish(vec![task])]]);
        place.apply(&run, &Events::killed(moment)).unwrap_err();
        place.write(target, "somebody else's\n");
        let run = place.reopen(run);
        let kept = place.undo(&run, &Events::none(), Changed::Keep).unwrap();
        assert_eq!((kept.len(), place.read(target).as_deref()), (1, Some("somebody else's\n")));
        let left: Vec<String> =
            place.tree().names().into_iter().filter(|name| name.contains(".rehome-")).collect();
        assert_eq!(left, [""; 0], "{target}");
    }
}

#[test]
fn an_undo_that_keeps_an_edited_stash_keeps_it() {
    let place = Place::new("a");
    place.write("new/index", "none\n");
    let run = place.begin(vec![vec![Wave::publish(vec![place.replace(0, "old/a", "new/index")])]]);
    place.apply(&run, &Events::none()).unwrap();
    let [stash] = &run.stashes()[..] else { panic!() };
    std::fs::write(stash, "edited\n").unwrap();
    place.undo(&run, &Events::none(), Changed::Keep).unwrap();
    assert_eq!(std::fs::read_to_string(stash).unwrap(), "edited\n");
}

#[test]
fn what_an_undo_has_kept_can_be_set_aside_later_and_nothing_else_is_touched() {
    let place = Place::new("ab");
    let before = place.tree();
    let tasks = vec![place.install(0, "old/a", "new/a"), place.install(1, "old/b", "new/b")];
    let run = place.begin(vec![vec![Wave::publish(tasks)]]);
    place.apply(&run, &Events::none()).unwrap();
    place.write("new/a", "the story of a\nand more\n");
    place.undo(&run, &Events::none(), Changed::Keep).unwrap();
    assert_eq!(place.root().summary(run.id()).unwrap().kept(), 1);
    place.write("new/b", "theirs: it came after the undo\n");

    let run = place.reopen(run);
    assert_eq!(run.items_done().len(), 1);
    assert_eq!(place.undo(&run, &Events::none(), Changed::Keep).unwrap(), []);
    assert_eq!(place.undo(&run, &Events::none(), Changed::SetAside).unwrap().len(), 1);
    assert_eq!(place.tree().difference(&before), "- new/b\n");
    assert_eq!(place.read("new/b").unwrap(), "theirs: it came after the undo\n");
    assert_eq!(place.root().summary(run.id()).unwrap().kept(), 0);
    assert_eq!(place.undo(&run, &Events::none(), Changed::SetAside).unwrap(), []);
}
