//! Names and things that no survey would think of.

use migration_engine::{Changed, Run, TargetLocks, Task, Wave};
use testkit::tree::Tree;

use crate::place::{Events, Place, Watched, outcomes};

#[test]
fn a_name_that_no_disk_can_hold_fails_its_item_alone() {
    for name in [format!("{}/a", "x".repeat(300)), "a\0b".into(), format!("{}a", "x/".repeat(3000))] {
        let place = Place::new("ab");
        let before = place.tree();
        let tasks =
            vec![place.install(0, "old/a", &format!("new/{name}")), place.install(1, "old/b", "new/b")];
        let run = place.begin(vec![vec![Wave::publish(tasks)]]);
        let receipt = place.apply(&run, &Events::none()).unwrap();
        assert_eq!(outcomes(&receipt), "a=failed(io) b=migrated");
        place.undo(&place.reopen(run), &Events::none(), Changed::Refuse).unwrap();
        before.assert_same(&place.tree(), "undone");
    }
}

#[test]
fn a_file_where_a_folder_should_be_fails_its_item_alone() {
    let place = Place::new("ab");
    let tasks = vec![place.install(0, "old/a", "new/x/a"), place.install(1, "old/b", "new/b")];
    let run = place.begin(vec![vec![Wave::publish(tasks)]]);
    place.write("new/x", "a file\n");
    let before = place.tree();
    let receipt = place.apply(&run, &Events::none()).unwrap();
    assert_eq!(outcomes(&receipt), "a=failed(io) b=migrated");
    place.undo(&place.reopen(run), &Events::none(), Changed::Refuse).unwrap();
    before.assert_same(&place.tree(), "undone");
}

#[test]
fn a_file_with_the_longest_name_can_be_set_aside() {
    let place = Place::new("ab");
    let name = "n".repeat(255);
    place.write(&format!("new/{name}"), "before\n");
    let installed = "i".repeat(255);
    let tasks = vec![
        place.replace(0, "old/a", &format!("new/{name}")),
        place.install(1, "old/b", &format!("new/{installed}")),
    ];
    let run = place.begin(vec![vec![Wave::publish(tasks)]]);
    place.apply(&run, &Events::none()).unwrap();
    place.write(&format!("new/{name}"), "theirs\n");
    place.write(&format!("new/{installed}"), "theirs too\n");
    place.undo(&run, &Events::none(), Changed::SetAside).unwrap();
    assert_eq!(place.read(&format!("new/{name}")).unwrap(), "before\n");
    assert_eq!(std::fs::read_dir(run.dir().join("set-aside")).unwrap().count(), 2);
}

#[test]
fn one_folder_under_two_names_is_locked_once_and_found_under_either() {
    let place = Place::new("a");
    std::os::unix::fs::symlink(place.path("new"), place.path("alias")).unwrap();
    let mut plan = place.plan(vec![vec![Wave::publish(vec![place.install(0, "old/a", "new/a")])]]);
    plan.header.locks = vec![place.path("new").into(), place.path("alias").into()];
    let run = place.create(plan);
    place.apply(&run, &Events::killed("publish new/a")).unwrap_err();
    assert!(TargetLocks::take(&[place.path("alias").into()]).is_err());
    drop(run);
    for name in ["new", "alias", "old/../new"] {
        assert!(place.root().interrupted_on(&[place.path(name).into()]).unwrap().is_some(), "{name}");
    }
}

#[test]
fn two_processes_never_take_up_one_run() {
    let place = Place::new("a");
    let mut plan = place.plan(vec![vec![Wave::publish(vec![place.install(0, "old/a", "new/a")])]]);
    plan.header.locks.clear();
    let run = place.create(plan);
    let id = run.id().clone();
    assert!(Run::<Watched>::open(&place.root(), &id).is_err());
    let run = place.reopen(run);
    assert!(Run::<Watched>::open(&place.root(), &id).is_err());
    drop(run);
}

#[test]
fn a_pipe_in_the_place_of_a_source_is_not_waited_for() {
    let place = Place::new("a");
    let run = place.begin(vec![vec![Wave::publish(vec![place.install(0, "old/a", "new/a")])]]);
    std::fs::remove_file(place.path("old/a")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(place.path("old/a")).status().unwrap();
    assert!(made.success());
    place.write("new/a", "the story of a\n");
    let receipt = place.apply(&run, &Events::none()).unwrap();
    assert_eq!(outcomes(&receipt), "a=failed(source-changed)");
}

#[test]
fn a_run_that_was_being_forgotten_when_it_was_killed_does_not_stay_for_ever() {
    let place = Place::new("ab");
    let run = place.begin(vec![vec![Wave::publish(vec![place.install(0, "old/a", "new/a")])]]);
    let gone = run.dir().with_file_name(format!(".gone-{}", run.id()));
    place.apply(&run, &Events::none()).unwrap();
    std::fs::rename(run.dir(), &gone).unwrap(); // as far as the kill let it come
    drop(run);
    let run = place.begin(vec![vec![Wave::publish(vec![place.install(0, "old/b", "new/b")])]]);
    assert!(!gone.exists());
    drop(run);
}

#[test]
fn sizes_that_do_not_add_up_to_a_number_are_no_room_and_no_panic() {
    let place = Place::new("ab");
    let plan = || {
        let tasks = vec![place.install(0, "old/a", "new/a"), place.install(1, "old/b", "new/b")];
        place.plan(vec![vec![Wave::publish(tasks)]])
    };
    for name in ["old/a", "old/b"] {
        let file = std::fs::File::options().write(true).open(place.path(name)).unwrap();
        file.set_len(1).unwrap();
    }
    let mut plan = plan();
    for task in &mut plan.lanes[0][0].tasks {
        task.step.claim_size(u64::MAX);
    }
    assert!(migration_engine::check_room(&plan, &place.path("state")).is_err());
    let run = place.create(plan);
    assert_eq!(
        outcomes(&place.apply(&run, &Events::none()).unwrap()),
        "a=failed(source-changed) b=failed(source-changed)"
    );
}

#[test]
fn a_plan_that_was_edited_is_not_carried_out() {
    let place = Place::new("a");
    let run = place.begin(vec![vec![Wave::publish(vec![place.install(0, "old/a", "new/a")])]]);
    let (id, plan) = (run.id().clone(), run.dir().join("plan.jsonl"));
    drop(run);
    let edited = std::fs::read_to_string(&plan).unwrap().replace("new/a", "new/b");
    std::fs::write(&plan, edited).unwrap();
    let error = Run::<Watched>::open(&place.root(), &id).unwrap_err();
    assert!(error.to_string().contains("digest"), "{error}");
}

#[test]
fn a_source_rewritten_within_a_tick_of_the_clock_is_told_by_its_digest() {
    let place = Place::new("a");
    let mut plan = place.plan(vec![vec![Wave::publish(vec![place.install(0, "old/a", "new/a")])]]);
    plan.lanes[0][0].tasks[0].step.claim_digest(durable_files::Digest::of(b"what it held before"));
    let run = place.create(plan);
    let receipt = place.apply(&run, &Events::none()).unwrap();
    assert_eq!(outcomes(&receipt), "a=failed(source-changed)");
    assert_eq!(place.tree().names(), ["new", "old", "old/a"]);
}

#[test]
fn nobody_else_can_read_what_a_run_writes() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new("a");
    let run = place.begin(vec![vec![Wave::publish(vec![place.install(0, "old/a", "new/x/a")])]]);
    place.apply(&run, &Events::none()).unwrap();
    let state = place.path("state");
    let written =
        [state.clone(), state.join("runs"), run.dir().into(), place.path("new/x"), place.path("new/x/a")];
    let kept = std::fs::read_dir(run.dir()).unwrap().map(|entry| entry.unwrap().path());
    for path in written.into_iter().chain(kept) {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
}

/// A link to a place of somebody else's stands at `link` when a run goes on that was killed at `moment`.
#[track_caller]
fn a_link_at(
    moment: &'static str,
    task: impl FnOnce(&Place) -> Task<Watched>,
    link: &str,
    to: &str,
    outcome: &str,
) {
    let place = Place::new("a");
    place.write("new/history", "one\n");
    std::fs::create_dir(place.path("theirs")).unwrap();
    place.write("theirs/history", "one\n");
    let run = place.begin(vec![vec![Wave::publish(vec![task(&place)])]]);
    place.apply(&run, &Events::killed(moment)).unwrap_err();
    let link = place.path(&link.replace("RUN", run.id().as_str()));
    let _ = std::fs::rename(&link, place.path("was"));
    std::os::unix::fs::symlink(place.path(to), &link).unwrap();
    let theirs = Tree::of(&place.path("theirs"));
    let run = place.reopen(run);
    let receipt = place.apply(&run, &Events::none()).unwrap();
    theirs.assert_same(&Tree::of(&place.path("theirs")), "after resume");
    assert_eq!(outcomes(&receipt), outcome, "{}", link.display());
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
    theirs.assert_same(&Tree::of(&place.path("theirs")), "after undo");
}

#[test]
fn a_link_put_where_something_goes_is_never_written_through() {
    let file = |place: &Place| place.install(0, "old/a", "new/a");
    for moment in ["stage new/a", "publish new/a"] {
        for to in ["theirs/history", "theirs/nothing", "theirs"] {
            a_link_at(moment, file, "new/a", to, "a=conflict(occupied)");
        }
        a_link_at(moment, file, "new/.a.rehome-RUN-0.tmp", "theirs/history", "a=migrated");
    }
    let below = |place: &Place| place.install(0, "old/a", "new/x/y/a");
    for moment in ["stage y/a", "publish y/a"] {
        a_link_at(moment, below, "new/x", "theirs", "a=failed(io)");
    }
    let tree = |place: &Place| place.tree_of(0, &["old/a"], "new/x/s");
    for moment in ["stage x/s", "publish x/s"] {
        a_link_at(moment, tree, "new/x", "theirs", "a=failed(io)");
    }
    let tree = |place: &Place| place.tree_of(0, &["old/a"], "new/s");
    for moment in ["stage new/s", "publish new/s"] {
        a_link_at(moment, tree, "new/s", "theirs", "a=conflict(occupied)");
    }
    let replaced = |place: &Place| place.replace(0, "old/a", "new/history");
    let spliced = |place: &Place| place.splice(0, "new/history", ["one", "two"]);
    for moment in ["stage new/history", "publish new/history"] {
        a_link_at(moment, replaced, "new/history", "theirs/history", "a=conflict(occupied)");
        a_link_at(moment, spliced, "new/history", "theirs/history", "a=conflict(occupied)");
    }
}
