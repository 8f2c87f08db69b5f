//! Whatever has become of what a run left: an undo that is to set it aside says no before it begins, or gets to its end.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use migration_engine::{Changed, Cx, Progress, Run, Task, UndoError, Wave};

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

/// Whoever writes to a file whenever a part of something has been read.
struct Writer {
    file: fs::File,
    times: AtomicUsize,
}

impl Writer {
    /// Each is shorter than the last, so that it is seen whatever the clock says.
    fn last(&self) -> String {
        "x".repeat(100 - self.times.load(Ordering::Relaxed)) + "!\n"
    }
}

impl Progress for Writer {
    fn begin(&self, _phase: &str, _bytes: u64, _steps: u64) {}

    fn advance(&self, _bytes: u64) {
        self.times.fetch_add(1, Ordering::Relaxed);
        self.file.set_len(0).unwrap();
        self.file.write_all_at(self.last().as_bytes(), 0).unwrap();
    }

    fn step_done(&self) {}
    fn end(&self) {}
}

#[test]
fn what_is_written_to_a_file_while_it_is_copied_to_another_disk_is_not_removed_with_it() {
    for (make, file) in [(STEPS[0], "new/b"), (STEPS[3], "new/s/deep/b")] {
        let (place, other_disk) = (Place::in_memory("abc"), tempfile::tempdir().unwrap());
        let device = |path: &Path| fs::metadata(path).unwrap().dev();
        assert_ne!(device(&place.path("new")), device(other_disk.path()), "expected two disks");
        symlink(other_disk.path(), place.path("state")).unwrap();
        let before = place.tree();
        let (run, _) = applied(&place, make);
        place.write(file, &"x".repeat(200));
        let file = fs::File::options().write(true).open(place.path(file)).unwrap();
        let writer = Writer { file, times: AtomicUsize::new(0) };
        let undone = run.undo(&Events::none(), Changed::SetAside, &Cx { progress: &writer, ..place.cx() });
        assert!(matches!(undone, Err(UndoError::Halted(_))), "{undone:?}");
        place.undo(&run, &Events::none(), Changed::SetAside).unwrap();
        before.assert_same(&place.tree(), "undone");
        let mut grep = Command::new("grep");
        grep.args(["-r", "-x", "-q", writer.last().trim_end()]).arg(run.dir().join("set-aside"));
        assert!(grep.status().unwrap().success(), "the last that was written");
    }
}
