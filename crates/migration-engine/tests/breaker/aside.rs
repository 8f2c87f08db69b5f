//! Whatever has become of what a run left: an undo that is to set it aside says no before it begins, or gets to its end.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use migration_engine::{Changed, Run, Task, UndoError, Wave};

use crate::place::{Events, Place, Watched};

const THEIRS: &str = "theirs, and nowhere else\n";

/// A step of each kind, and where it is done.
type Make = fn(&Place) -> (Task<Watched>, &'static str);

const STEPS: [Make; 5] = [
    |place| (place.install(1, "old/b", "new/b"), "new/b"),
    |place| (place.replace(1, "old/b", "new/index"), "new/index"),
    |place| (place.splice(1, "new/index", ["none", "some, and more"]), "new/index"),
    |place| (place.tree_of(1, &["old/b"], "new/s"), "new/s"),
    |place| (place.retire(1, "old/b"), "old/b"),
];

/// What others do to it.
type Deed = fn(&Path);

const DEEDS: [(&str, Deed); 9] = [
    ("nothing", |_| {}),
    ("removed", remove),
    ("rewritten", |path| {
        remove(path);
        fs::write(path, THEIRS).unwrap();
    }),
    ("written to", |path| {
        let file = if path.is_dir() { path.join("theirs") } else { path.to_owned() };
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(file, before + THEIRS).unwrap();
    }),
    ("a folder", |path| {
        remove(path);
        fs::create_dir(path).unwrap();
        fs::write(path.join("theirs"), THEIRS).unwrap();
    }),
    ("a link", |path| {
        remove(path);
        symlink("../new", path).unwrap();
    }),
    ("a link to itself", |path| {
        remove(path);
        symlink(path.file_name().unwrap(), path).unwrap();
    }),
    ("an empty file", |path| {
        remove(path);
        fs::write(path, "").unwrap();
    }),
    ("a pipe", |path| {
        remove(path);
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }),
];

fn remove(path: &Path) {
    let _ = fs::remove_dir_all(path).or_else(|_| fs::remove_file(path));
}

/// Everything of theirs that can still be found.
fn theirs(folders: &[&Path]) -> usize {
    let mut grep = Command::new("grep");
    let found =
        grep.args(["-r", "-s", "-D", "skip", "-l", THEIRS.trim_end()]).args(folders).output().unwrap();
    String::from_utf8(found.stdout).unwrap().lines().count()
}

fn applied(place: &Place, make: Make) -> (Run<Watched>, &'static str) {
    let (task, target) = make(place);
    let wave = |task| Wave::publish(vec![task]);
    let lane =
        vec![wave(place.install(0, "old/a", "new/a")), wave(task), wave(place.install(2, "old/c", "new/c"))];
    let run = place.begin(vec![lane]);
    place.apply(&run, &Events::none()).unwrap();
    (run, target)
}

fn is_refused_or_ends(make: Make, deed: Deed, to_stash: Option<Deed>, elsewhere: Option<&Path>, what: &str) {
    let place = Place::in_memory("abc");
    place.write("new/index", "none\n");
    if let Some(runs) = elsewhere {
        symlink(runs, place.path("state")).unwrap();
    }
    let before = place.tree();
    let (run, target) = applied(&place, make);
    deed(&place.path(target));
    if let (Some(deed), [stash]) = (to_stash, &run.stashes()[..]) {
        deed(stash);
    }
    let (harmed, theirs_before) = (place.tree(), theirs(&[&place.path("new"), &place.path("old")]));
    match place.undo(&run, &Events::none(), Changed::SetAside) {
        Ok(drifted) => {
            let after = place.tree();
            assert_eq!(before.difference(&after), "", "{what}: said to be restored");
            assert!(drifted.iter().all(|drift| drift.aside.is_some()), "{what}: {drifted:?}");
        }
        Err(UndoError::Drifted(drifted)) => {
            harmed.assert_same(&place.tree(), what);
            assert!(drifted.iter().any(|drift| drift.aside.is_none()), "{what}: {drifted:?}");
            place.undo(&run, &Events::none(), Changed::Keep).unwrap();
        }
        Err(error) => panic!("{what}: {error}"),
    }
    let found = theirs(&[&place.path("new"), &place.path("old"), &run.dir().join("set-aside")]);
    assert_eq!(found, theirs_before, "{what}: what is theirs");
}

#[test]
fn an_undo_that_sets_aside_is_refused_before_it_touches_anything_or_ends() {
    for (kind, make) in STEPS.into_iter().enumerate() {
        for (name, deed) in DEEDS {
            let other_disk = tempfile::tempdir().unwrap();
            for runs in [None, Some(other_disk.path())] {
                let what = format!("step {kind}, {name}, runs at {runs:?}");
                is_refused_or_ends(make, deed, None, runs, &what);
            }
            for (stash, to_stash) in &DEEDS[1..4] {
                let what = format!("step {kind}, {name}, what was kept: {stash}");
                is_refused_or_ends(make, deed, Some(*to_stash), None, &what);
            }
        }
    }
}
