//! What may go wrong at the other end: its shells are killed, its disk is full, its names are one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use migration_engine::{Changed, Run};
use remote_transfer::DeliverTree;
use testkit::crash::{self, Effect};
use testkit::disk::Disk;
use testkit::tree::Tree;

use crate::ends::{Ends, Link, apply, cx};
use crate::here::Shells;

/// Every step of every shell that an undisturbed attempt has, in their order.
fn steps(act: impl Fn(&Link)) -> Vec<(usize, Effect)> {
    let folder = crash::place();
    act(&Link { shells: Shells::Noted(folder.path().to_owned()), ..Link::default() });
    let shells = 0..fs::read_dir(folder.path()).unwrap().count();
    let steps = shells.flat_map(|shell| {
        crash::noted(&folder.path().join(shell.to_string())).into_iter().map(move |step| (shell, step))
    });
    steps.collect()
}

/// All of them when there is time for ten times the arbitrary cases too.
fn some<T>(all: Vec<T>) -> impl Iterator<Item = T> {
    let every = if std::env::var_os("PROPTEST_CASES").is_some() { 1 } else { 3 };
    all.into_iter().step_by(every)
}

fn killed(shell: usize, step: &Effect) -> Link {
    Link { shells: Shells::Killed(shell, step.clone()), ..Link::default() }
}

/// Kills an attempt that comes after what `earlier` does.
fn strike(earlier: fn(&Run<DeliverTree>)) {
    let begun = || {
        let ends = Ends::small();
        let run = ends.run();
        earlier(&run);
        (ends, run)
    };
    let steps = steps(|link| drop(apply(&begun().1, link)));
    assert!(steps.len() > 60, "only {} steps: the loop would prove little", steps.len());
    for (at, (shell, step)) in some(steps).enumerate() {
        let when = format!("shell {shell} killed at {step}");
        let (ends, run) = begun();
        let source = Tree::of(&ends.source());
        assert!(apply(&run, &killed(shell, &step)).is_err(), "{when}: the run goes on");
        assert!(!ends.target().exists() || ends.target().join("sub/again").exists(), "{when}: half of it");
        source.assert_same(&Tree::of(&ends.source()), &when);
        if at % 3 > 0 {
            apply(&run, &Link::default()).unwrap();
            ends.assert_arrived();
        }
        run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
        assert!(ends.base_is_empty(), "{when}");
    }
}

#[test]
fn whatever_the_far_shell_is_killed_at_the_tree_is_whole_or_not_there() {
    strike(|_| {});
}

#[test]
fn whatever_the_far_shell_of_a_second_attempt_is_killed_at_the_tree_is_whole_or_not_there() {
    strike(|run| assert!(apply(run, &Link { bytes: Some(60_000), ..Link::default() }).is_err()));
}

#[test]
fn whatever_the_far_shell_is_killed_at_in_an_undo_the_next_one_takes_all_back() {
    let delivered = || {
        let ends = Ends::small();
        let run = ends.run();
        apply(&run, &Link::default()).unwrap();
        (ends, run)
    };
    let steps = steps(|link| drop(delivered().1.undo(link, Changed::Refuse, &cx())));
    for (shell, step) in some(steps) {
        let (ends, run) = delivered();
        let when = format!("shell {shell} killed at {step}");
        assert!(run.undo(&killed(shell, &step), Changed::Refuse, &cx()).is_err(), "{when}");
        run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
        assert!(ends.base_is_empty(), "{when}");
    }
}

#[test]
fn a_disk_that_is_full_there_stops_the_run_until_there_is_room() {
    for (small, large) in [("size=2m", "size=200m"), ("nr_inodes=12", "nr_inodes=1000")] {
        let ends = Ends::new();
        let base = ends.base();
        let disk = Disk::in_memory(&base, small);
        let (source, run) = (Tree::of(&ends.source()), ends.run());
        let error = apply(&run, &Link::default()).unwrap_err().to_string();
        assert!(error.contains("No space left on device"), "{error}");
        assert!(!ends.target().exists());
        source.assert_same(&Tree::of(&ends.source()), "the source");
        disk.becomes(large);
        apply(&run, &Link::default()).unwrap();
        ends.assert_arrived();
        run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
        assert!(ends.base_is_empty());
    }
}

#[test]
fn whoever_is_not_root_there_delivers_goes_on_and_takes_back_all_the_same() {
    let commands = [6, 8].map(|commands| Link { commands: Some(commands), ..Link::default() });
    let bytes = Link { bytes: Some(3_300_000), ..Link::default() };
    for (at, first) in commands.into_iter().chain([bytes]).enumerate() {
        let ends = Ends::new();
        for folder in [ends.folder.path(), &ends.base()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let run = ends.run();
        let nobody = |link: Link| Link { unprivileged: true, ..link };
        assert!(apply(&run, &nobody(first)).is_err());
        if at % 2 == 0 {
            apply(&run, &nobody(Link::default())).unwrap();
            ends.assert_arrived();
        }
        run.undo(&nobody(Link::default()), Changed::Refuse, &cx()).unwrap();
        assert!(ends.base_is_empty(), "attempt {at}");
    }
}
