//! A whole small migration (new files, a replaced file, retired sources), struck at every single effect.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use migration_engine::{Phase, StateRoot};
use tempfile::TempDir;
use testkit::crash::{Blow, Effect, Program, example};
use testkit::tree::Tree;

/// A fresh place, always at the same path shape: two conversations, and an index that is already at the target.
struct Place {
    dir: TempDir,
    before: Tree,
    /// On a file system that can rename, and nothing beside it.
    simple: bool,
}

impl Place {
    fn new() -> Self {
        let dir = testkit::crash::place();
        for (name, content) in
            [("old/a", "first\n"), ("old/b", ""), ("old/index", "a b\n"), ("new/index", "none\n")]
        {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
        }
        let before = Tree::of(dir.path());
        Self { dir, before, simple: false }
    }

    /// The same on a file system that cannot exchange names, nor refuse to replace one (NFS, some FUSE).
    fn simple() -> Self {
        Self { simple: true, ..Self::new() }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn program(&self, verb: &str) -> Program {
        let program = Program::new(example("move_folder")).arg(verb).arg(self.path());
        if self.simple { program.lacking("renameat2", "EINVAL") } else { program }
    }

    fn must(&self, verb: &str, when: &str) {
        let output = self.program(verb).run();
        assert!(output.status.success(), "{verb} {when}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What a person would say after a crash: `resume` if a run stands there, else the same command again.
    fn go_on(&self, when: &str) {
        match self.phase() {
            None => self.must("apply", when),
            Some(_) => self.must("resume", when),
        }
    }

    /// Where the run stands, if there is one.
    fn phase(&self) -> Option<Phase> {
        let root = StateRoot::at(self.path().join("state"));
        let id = root.ids().unwrap().pop()?;
        Some(root.summary(&id).unwrap().phase())
    }

    fn tree(&self) -> Tree {
        Tree::of(self.path()).without(&["state"])
    }

    fn assert_restored(&self, when: &str) {
        self.before.assert_same(&self.tree(), when);
    }

    fn assert_migrated(&self, when: &str) {
        let read = |name: &str| std::fs::read_to_string(self.path().join(name)).unwrap();
        assert_eq!(
            (read("new/deep/a"), read("new/deep/b"), read("new/index")),
            ("first\n".into(), String::new(), "a b\n".into()),
            "{when}"
        );
        let names = self.tree().names();
        assert_eq!(names.len(), 10, "{when}: {names:?}"); // 3 folders, 3 new files, 3 retired, 1 stash
        let retired = names.iter().filter(|name| name.ends_with(".retired")).count();
        assert_eq!(retired, 3, "{when}: {names:?}");
        assert_eq!(self.phase(), Some(Phase::Applied), "{when}");
    }

    fn journal(&self) -> PathBuf {
        self.path().join("state/runs/19700101-000000-0000/journal")
    }
}

fn effects_of(verb: &str, prepare: &dyn Fn() -> Place) -> Vec<Effect> {
    let effects = prepare().program(verb).effects();
    assert!(effects.len() > 20, "only {} effects: the loop would prove little", effects.len());
    effects
}

fn applied(place: Place) -> Place {
    place.must("apply", "undisturbed");
    place.assert_migrated("undisturbed");
    place
}

/// Strikes an apply at every effect; afterwards it is finished, and taken back.
fn strike_apply(blow: Blow, new: fn() -> Place) {
    for effect in effects_of("apply", &new) {
        let when = format!("after {blow:?} at {effect}");
        let place = new();
        place.program("apply").run_struck(&effect, blow);
        place.go_on(&when);
        place.assert_migrated(&when);
        place.must("undo", &when);
        place.assert_restored(&when);

        let place = new();
        place.program("apply").run_struck(&effect, blow);
        if place.phase().is_some() {
            place.must("undo", &when);
        }
        place.assert_restored(&format!("undone {when}"));
    }
}

/// Strikes an undo at every effect; afterwards `undo` and `resume` alike finish it.
fn strike_undo(blow: Blow, new: fn() -> Place) {
    for effect in effects_of("undo", &|| applied(new())) {
        for finish in ["undo", "resume"] {
            let when = format!("{finish} after {blow:?} at {effect}");
            let place = applied(new());
            place.program("undo").run_struck(&effect, blow);
            match place.phase() {
                Some(Phase::Applied) => place.must("undo", &when), // struck before it had begun
                Some(Phase::Undone) => {}                          // struck after its last word
                _ => place.must(finish, &when),
            }
            place.assert_restored(&when);
            assert_eq!(place.phase(), Some(Phase::Undone), "{when}");
        }
    }
}

#[test]
fn killed_at_any_effect_a_run_is_finished_by_resume_and_taken_back_by_undo() {
    strike_apply(Blow::Kill, Place::new);
}

#[test]
fn a_full_disk_at_any_effect_harms_nothing() {
    strike_apply(Blow::Error("ENOSPC"), Place::new);
}

#[test]
fn a_failing_disk_at_any_effect_harms_nothing() {
    strike_apply(Blow::Error("EIO"), Place::new);
}

#[test]
fn killed_at_any_effect_an_undo_is_finished() {
    strike_undo(Blow::Kill, Place::new);
}

#[test]
fn a_failing_disk_during_an_undo_harms_nothing() {
    strike_undo(Blow::Error("EIO"), Place::new);
}

#[test]
fn where_names_cannot_be_exchanged_a_kill_is_as_harmless() {
    strike_apply(Blow::Kill, Place::simple);
    strike_undo(Blow::Kill, Place::simple);
}

#[test]
fn where_names_cannot_be_exchanged_a_failing_disk_is_as_harmless() {
    strike_apply(Blow::Error("EIO"), Place::simple);
    strike_undo(Blow::Error("EIO"), Place::simple);
}

/// What somebody wrote into a replaced file since is not lost, wherever a kill meets the undo that sets it aside.
#[test]
fn killed_at_any_effect_what_is_set_aside_is_still_there() {
    for new in [Place::new, Place::simple] {
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

#[test]
fn a_journal_torn_at_any_byte_of_its_last_batch_is_still_enough() {
    let whole = std::fs::read(applied(Place::new()).journal()).unwrap();
    let lines: Vec<usize> =
        whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1).collect();
    let last_record = lines[lines.len() - 2];
    for cut in last_record..whole.len() {
        for verb in ["resume", "undo"] {
            let when = format!("{verb} with a journal cut at {cut} of {}", whole.len());
            let place = applied(Place::new());
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
    let place = Place::new();
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
    let place = Place::new();
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
    let place = Place::new();
    let effects = place.program("apply").effects();
    let first = |from: usize, syscall: &str, text: &str| {
        from + effects[from..].iter().position(|effect| effect.is(syscall, text)).unwrap()
    };
    let settled = first(first(0, "renameat2", "/new/deep/.a."), "fsync", "/new/deep>");
    for struck in [first(0, "fsync", "/new>"), settled] {
        let place = Place::new();
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
