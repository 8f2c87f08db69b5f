//! What is moved aside on another host is in the one place or the other, and comes back as it was.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use migration_engine::{Look, RunId, Slot, State, Step, StepError};
use remote_transfer::{Far, LeftBehind, Remote, RetireFar};
use serde_json::json;
use session_model::Timestamp;
use testkit::crash::{self, Effect};
use testkit::tree::Tree;

use crate::ends::cx;
use crate::here::{Here, Shells};

struct Base {
    folder: tempfile::TempDir,
    unprivileged: bool,
}

impl Base {
    fn new(unprivileged: bool) -> Self {
        let base = Self { folder: crash::place(), unprivileged };
        let session = base.path().join("a session");
        fs::create_dir_all(session.join("sub")).unwrap();
        fs::write(session.join("sub/file"), "precious").unwrap();
        fs::set_permissions(&session, fs::Permissions::from_mode(0o550)).unwrap();
        if unprivileged {
            crash::hand_over(&base.path());
            fs::set_permissions(base.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        }
        base
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("base")
    }

    fn step(&self) -> RetireFar {
        let found = self.path().join("a session").metadata().unwrap();
        RetireFar {
            host: "here".into(),
            base: self.path().as_os_str().as_bytes().to_vec(),
            name: "a session".into(),
            expect: format!("{}:{}", found.dev(), found.ino()),
            into: ".aside".into(),
            receipt: Some(LeftBehind { folder: ".receipts".into(), note: json!({"to": "there"}) }),
        }
    }

    fn world(&self, shells: Shells) -> Remote {
        // The greeting has a shell too.
        let link = Here { shells, unprivileged: self.unprivileged, ..Here::default() };
        Remote::new(Far::greet(Box::new(link), "a-word").unwrap())
    }

    fn slot(&self) -> Slot {
        Slot::new(
            RunId::new("2026-01-31T17:45:01Z".parse::<Timestamp>().unwrap(), 7),
            0,
            self.folder.path().join("run"),
        )
    }

    fn aside(&self) -> PathBuf {
        self.path().join(".aside").join(format!("a session-{}", self.slot().run()))
    }

    fn assert_whole(&self, when: &str) {
        let places = [self.path().join("a session"), self.aside()];
        let there = places.map(|place| place.join("sub/file").exists());
        assert!(there == [true, false] || there == [false, true], "{when}: {there:?}");
    }
}

/// Every step of the shells of an undisturbed attempt, after the greeting.
fn steps(act: impl Fn(Shells)) -> Vec<(usize, Effect)> {
    let folder = crash::place();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    act(Shells::Noted(folder.path().to_owned()));
    let shells = 1..fs::read_dir(folder.path()).unwrap().count();
    let steps = shells.flat_map(|shell| {
        crash::noted(&folder.path().join(shell.to_string())).into_iter().map(move |step| (shell, step))
    });
    steps.collect()
}

fn strike(unprivileged: bool) {
    let (slot, cx) = (Base::new(false).slot(), cx());
    let retire = |base: &Base, shells| {
        let (step, mut well) = (base.step(), base.world(Shells::LetAlone));
        let evidence = step.stage(&mut well, &slot, &cx).unwrap();
        let outcome = step.publish(&mut base.world(shells), &slot, &evidence);
        (step, evidence, outcome)
    };
    let all = steps(|shells| retire(&Base::new(unprivileged), shells).2.unwrap());
    assert!(all.len() > 8, "only {} steps: the loop would prove little", all.len());
    for (at, (shell, effect)) in all.into_iter().enumerate() {
        let (base, when) = (Base::new(unprivileged), format!("shell {shell} killed at {effect}"));
        let (before, mut well) = (Tree::of(&base.path()), base.world(Shells::LetAlone));
        let (step, evidence, outcome) = retire(&base, Shells::Killed(shell, effect));
        assert!(outcome.is_err(), "{when}");
        base.assert_whole(&when);
        if at % 2 == 0 {
            step.publish(&mut well, &slot, &evidence).unwrap();
            let state = step.inspect(&mut well, Some(&evidence), Look::Full, &cx).unwrap();
            assert_eq!(state, State::Done, "{when}");
        }
        step.revert(&mut well, &slot, Some(&evidence), &cx).unwrap();
        before.assert_same(&Tree::of(&base.path()), &when);
    }
    let restore = |base: &Base, shells| {
        let (step, evidence, outcome) = retire(base, Shells::LetAlone);
        outcome.unwrap();
        let _ = step.revert(&mut base.world(shells), &slot, Some(&evidence), &cx); // it may be killed after all was done
        (step, evidence)
    };
    for (shell, effect) in steps(|shells| drop(restore(&Base::new(unprivileged), shells))) {
        let (base, when) = (Base::new(unprivileged), format!("shell {shell} killed at {effect} in an undo"));
        let before = Tree::of(&base.path());
        let (step, evidence) = restore(&base, Shells::Killed(shell, effect));
        base.assert_whole(&when);
        step.revert(&mut base.world(Shells::LetAlone), &slot, Some(&evidence), &cx).unwrap();
        before.assert_same(&Tree::of(&base.path()), &when);
    }
}

#[test]
fn whatever_the_far_shell_is_killed_at_what_is_moved_aside_is_in_one_place_and_comes_back() {
    strike(false);
}

#[test]
fn the_same_for_somebody_who_is_not_root_there() {
    strike(true);
}

#[test]
fn what_is_another_by_now_is_not_moved_aside_and_nothing_is_moved_back_over_what_came_since() {
    let (base, cx) = (Base::new(false), cx());
    let (step, slot, mut world) = (base.step(), base.slot(), base.world(Shells::LetAlone));
    let evidence = step.stage(&mut world, &slot, &cx).unwrap();
    let (live, kept) = (base.path().join("a session"), base.path().join("kept"));
    fs::rename(&live, &kept).unwrap();
    fs::create_dir(&live).unwrap();
    assert!(
        matches!(step.publish(&mut world, &slot, &evidence), Err(StepError::Item(cause)) if cause.needs_new_plan)
    );
    fs::remove_dir(&live).unwrap();
    fs::rename(&kept, &live).unwrap();
    // Nor over what stands where it goes.
    fs::create_dir_all(base.aside()).unwrap();
    assert!(
        matches!(step.publish(&mut world, &slot, &evidence), Err(StepError::Item(cause)) if cause.code == "occupied")
    );
    assert!(live.join("sub/file").exists());
    fs::remove_dir(base.aside()).unwrap();

    step.publish(&mut world, &slot, &evidence).unwrap();
    let receipt = base.path().join(format!(".receipts/a session-{}.json", slot.run()));
    let text: serde_json::Value = serde_json::from_slice(&fs::read(receipt).unwrap()).unwrap();
    assert_eq!(text["note"]["to"], "there");
    fs::create_dir(&live).unwrap();
    step.revert(&mut world, &slot, Some(&evidence), &cx).unwrap_err();
    assert!(base.aside().join("sub/file").exists() && fs::read_dir(&live).unwrap().next().is_none());
}
