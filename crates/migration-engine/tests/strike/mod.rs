//! A small tool struck at every single effect it has.

#![allow(dead_code, reason = "each of the tests uses what it needs")]

use std::path::{Path, PathBuf};

use migration_engine::{Phase, StateRoot};
use tempfile::TempDir;
use testkit::crash::{Blow, Effect, Program, example};
use testkit::tree::Tree;

/// An example, and what it works on.
pub(crate) struct Scene {
    pub(crate) example: &'static str,
    /// What is there before.
    pub(crate) lay_out: fn(&Path),
    /// What is there after.
    pub(crate) assert_migrated: fn(&Place, &str),
}

/// A fresh place, always at the same path shape.
pub(crate) struct Place {
    scene: &'static Scene,
    dir: TempDir,
    before: Tree,
    /// On a file system that can rename, and nothing beside it.
    simple: bool,
    /// The disk that the runs are kept on, if it is another one.
    _other_disk: Option<TempDir>,
}

impl Place {
    pub(crate) fn of(scene: &'static Scene) -> Self {
        let dir = testkit::crash::place();
        (scene.lay_out)(dir.path());
        let before = Tree::of(dir.path());
        Self { scene, dir, before, simple: false, _other_disk: None }
    }

    /// The same on a file system that cannot exchange names, nor refuse to replace one (NFS, some FUSE).
    pub(crate) fn simple(self) -> Self {
        Self { simple: true, ..self }
    }

    /// The same with its runs on another disk, if the machine has two.
    pub(crate) fn with_runs_elsewhere(self) -> Self {
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), self.path().join("state")).unwrap();
        Self { _other_disk: Some(elsewhere), ..self }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn program(&self, verb: &str) -> Program {
        let program = Program::new(example(self.scene.example)).arg(verb).arg(self.path());
        if self.simple { program.lacking("renameat2", "EINVAL") } else { program }
    }

    pub(crate) fn must(&self, verb: &str, when: &str) {
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
    pub(crate) fn phase(&self) -> Option<Phase> {
        let root = StateRoot::at(self.path().join("state"));
        let id = root.ids().unwrap().pop()?;
        Some(root.summary(&id).unwrap().phase())
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::of(self.path()).without(&["state"])
    }

    #[track_caller]
    pub(crate) fn assert_restored(&self, when: &str) {
        self.before.assert_same(&self.tree(), when);
    }

    #[track_caller]
    pub(crate) fn assert_migrated(&self, when: &str) {
        (self.scene.assert_migrated)(self, when);
        assert_eq!(self.phase(), Some(Phase::Applied), "{when}");
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path().join("state/runs/19700101-000000-0000/journal")
    }
}

pub(crate) fn effects_of(verb: &str, prepare: &dyn Fn() -> Place) -> Vec<Effect> {
    let effects = prepare().program(verb).effects();
    assert!(effects.len() > 10, "only {} effects: the loop would prove little", effects.len());
    effects
}

pub(crate) fn applied(place: Place) -> Place {
    place.must("apply", "undisturbed");
    place.assert_migrated("undisturbed");
    place
}

/// Strikes an apply at every effect; afterwards it is finished, and taken back.
pub(crate) fn strike_apply(blow: Blow, new: fn() -> Place) {
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
pub(crate) fn strike_undo(blow: Blow, new: fn() -> Place) {
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

/// Strikes an undo that is told what to do with what has changed since; afterwards the same command finishes it.
pub(crate) fn strike_changed(
    verb: &str,
    blow: Blow,
    edited: &dyn Fn() -> Place,
    assert_done: &dyn Fn(&Place, &str),
) {
    for effect in effects_of(verb, edited) {
        let when = format!("{verb} after {blow:?} at {effect}");
        let place = edited();
        place.program(verb).run_struck(&effect, blow);
        place.must(verb, &when);
        assert_done(&place, &when);
    }
}
