//! What may go wrong at the other end: its shells are killed, its disk is full, its names are one.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use migration_engine::{Changed, Run};
use remote_transfer::{DeliverTree, TransportKind};
use testkit::crash::{self, Effect};
use testkit::disk::Disk;
use testkit::sshd::Sshd;
use testkit::tree::Tree;

use crate::ends::{Ends, Link, apply, cx};
use crate::here::Shells;
use crate::names::Over;

const TRANSPORTS: &[TransportKind] = &[
    TransportKind::OpenSsh,
    #[cfg(feature = "libssh2")]
    TransportKind::LibSsh2,
];

/// Every step of every shell that an undisturbed attempt has, in their order.
fn steps(act: impl Fn(&Link)) -> Vec<(usize, Effect)> {
    let folder = crash::place();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
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

/// Both ends as whoever is not root there needs them, with a tree that not even its owner may write to.
fn anybodys(ends: Ends) -> Ends {
    for (folder, mode) in [(ends.folder.path(), 0o777), (&ends.base(), 0o777), (&ends.source(), 0o550)] {
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    }
    ends
}

/// Kills an attempt that comes after what `earlier` does, of root or of somebody else.
fn strike(earlier: fn(&Run<DeliverTree>, &Link), unprivileged: bool) {
    let link = Link { unprivileged, ..Link::default() };
    let begun = || {
        let ends = if unprivileged { anybodys(Ends::small()) } else { Ends::small() };
        let run = ends.run();
        earlier(&run, &link);
        (ends, run)
    };
    let steps = steps(|noted| drop(apply(&begun().1, &Link { unprivileged, ..noted.clone() })));
    assert!(steps.len() > 35, "only {} steps: the loop would prove little", steps.len());
    for (at, (shell, step)) in some(steps).enumerate() {
        let when = format!("shell {shell} killed at {step}");
        let (ends, run) = begun();
        let source = Tree::of(&ends.source());
        let killed = Link { unprivileged, ..killed(shell, &step) };
        assert!(apply(&run, &killed).is_err(), "{when}: the run goes on");
        assert!(!ends.target().exists() || ends.target().join("sub/again").exists(), "{when}: half of it");
        source.assert_same(&Tree::of(&ends.source()), &when);
        if at % 3 > 0 {
            apply(&run, &link).unwrap();
            ends.assert_arrived();
        }
        run.undo(&link, Changed::Refuse, &cx()).unwrap();
        assert!(ends.base_is_empty(), "{when}");
    }
}

fn begins(run: &Run<DeliverTree>, link: &Link) {
    assert!(apply(run, &Link { bytes: Some(60_000), ..link.clone() }).is_err());
}

#[test]
fn whatever_the_far_shell_is_killed_at_the_tree_is_whole_or_not_there() {
    strike(|_, _| {}, false);
}

#[test]
fn whatever_the_far_shell_of_a_second_attempt_is_killed_at_the_tree_is_whole_or_not_there() {
    strike(begins, false);
}

#[test]
fn whatever_the_far_shell_of_somebody_who_is_not_root_is_killed_at_the_tree_is_whole_or_not_there() {
    strike(begins, true);
}

#[test]
fn where_openssl_is_there_and_makes_no_digests_a_large_tree_arrives_all_the_same() {
    let programs = tempfile::tempdir().unwrap();
    let openssl = programs.path().join("openssl");
    fs::write(&openssl, "#!/bin/sh\n: > \"$0.asked\"\necho 'FIPS mode: not allowed' >&2\nexit 1\n").unwrap();
    fs::set_permissions(&openssl, fs::Permissions::from_mode(0o755)).unwrap();
    let ends = Ends::small();
    fs::write(ends.source().join("large"), vec![b'*'; 9 << 20]).unwrap();
    let link = Link { shells: Shells::Finding(programs.path().to_owned()), ..Link::default() };
    apply(&ends.run(), &link).unwrap();
    ends.assert_arrived();
    assert!(programs.path().join("openssl.asked").exists(), "it was asked first: the test proves something");
}

/// A login shell that is killed when it is about to run its n-th program; n stands in a file.
const MORTAL: &str = "#!/bin/sh
exec strace -qq -o /dev/null -e trace=clone,vfork,fork \\
    -e inject=clone,vfork,fork:signal=KILL:when=$(cat \"${0%/*}/when\") /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"
";

#[test]
fn when_the_login_shell_of_a_real_link_is_killed_the_run_stops_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mortal, when) = (folder.path().join("mortal"), folder.path().join("when"));
    fs::write(&mortal, MORTAL).unwrap();
    fs::set_permissions(&mortal, fs::Permissions::from_mode(0o755)).unwrap();
    let sshd = Sshd::start(&[&format!("ForceCommand {}", mortal.display())]);
    for &kind in TRANSPORTS {
        let mut stopped = 0;
        for nth in [1, 2, 3, 4, 5, 7, 9, 12, 16, 20, 25] {
            let (ends, over) = (Ends::small(), Over(kind, &sshd));
            let (source, run) = (Tree::of(&ends.source()), ends.run());
            fs::write(&when, nth.to_string()).unwrap();
            let struck = run.apply(&over, 1, &cx());
            stopped += usize::from(struck.is_err());
            assert!(struck.is_err() || ends.target().exists(), "{kind:?} {nth}: the item alone failed");
            assert!(!ends.target().exists() || ends.target().join("sub/again").exists(), "half of it");
            source.assert_same(&Tree::of(&ends.source()), "the source");
            fs::write(&when, "60000").unwrap();
            if nth % 2 == 0 {
                run.apply(&over, 1, &cx()).unwrap();
                ends.assert_arrived();
            }
            run.undo(&over, Changed::Refuse, &cx()).unwrap();
            assert!(ends.base_is_empty(), "{kind:?} {nth}");
        }
        assert!(stopped > 3, "{kind:?}: stopped {stopped} times only");
    }
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
        let ends = anybodys(Ends::new());
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
