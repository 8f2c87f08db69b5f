//! A tree that is delivered is there whole or not at all, and can be taken back.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use migration_engine::{Changed, RunId, Slot, Step};
use remote_transfer::{Far, Remote, Remotes};
use session_model::Timestamp;
use testkit::disk::Disk;

use crate::ends::{Ends, Link, apply, cx, sent};
use crate::here::Here;

#[test]
fn a_delivered_tree_is_the_tree_and_undo_leaves_nothing_behind() {
    let ends = Ends::new();
    let run = ends.run();
    let receipt = apply(&run, &Link::default()).unwrap();
    assert_eq!(receipt.summary().migrated, 1, "{:?}", receipt.items);
    ends.assert_arrived();
    assert!(apply(&run, &Link::default()).is_ok());
    ends.assert_arrived();
    run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
    assert!(ends.base_is_empty());
}

#[test]
fn whenever_the_link_is_lost_the_rest_is_sent_later_or_all_is_taken_back() {
    for commands in 0.. {
        let ends = Ends::small();
        let run = ends.run();
        let link = Link { commands: Some(commands), ..Link::default() };
        let first = apply(&run, &link);
        assert!(!ends.target().exists() || ends.target().join("big").exists(), "never a visible half");
        if first.is_ok() {
            assert!(commands > 4, "the link was lost {commands} times");
            break;
        }
        if commands % 2 == 0 {
            apply(&run, &Link::default()).unwrap();
            ends.assert_arrived();
        }
        run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
        assert!(ends.base_is_empty(), "after {commands} commands");
    }
}

#[test]
fn what_has_arrived_before_a_break_is_not_sent_again() {
    let ends = Ends::new();
    let run = ends.run();
    assert!(apply(&run, &Link { bytes: Some(3_300_000), ..Link::default() }).is_err());
    assert!(!ends.target().exists());
    apply(&run, &Link::default()).unwrap();
    ends.assert_arrived();
    let sent = sent(&ends);
    assert!(sent < 400_000, "{sent} bytes were sent, of which all but the end had arrived");
}

#[test]
fn whoever_is_still_at_work_for_an_earlier_attempt_spoils_nothing() {
    let ends = Ends::new();
    let run = ends.run();
    assert!(apply(&run, &Link { bytes: Some(3_300_000), ..Link::default() }).is_err());
    let mut late = Command::new("sh");
    late.args(["-c", "read go; echo late > Makefile; rm -rf deep; echo late > new"]);
    late.current_dir(ends.base().join("a tree.incoming/a tree"));
    let mut late = late.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    apply(&run, &Link::default()).unwrap();
    late.stdin.take().unwrap().write_all(b"go\n").unwrap();
    late.wait().unwrap();
    ends.assert_arrived();
    run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
    assert!(ends.base_is_empty());
}

#[test]
fn what_only_lacks_its_mode_is_not_sent_again() {
    let ends = Ends::small();
    fs::set_permissions(ends.source().join("big"), fs::Permissions::from_mode(0o444)).unwrap();
    let run = ends.run();
    // The third command brings all of it; then modes are set.
    assert!(apply(&run, &Link { commands: Some(3), ..Link::default() }).is_err());
    assert!(ends.base().join("a tree.incoming/a tree/big").exists());
    apply(&run, &Link::default()).unwrap();
    let sent = sent(&ends);
    assert!(sent < 10_000, "{sent} bytes were sent");
}

/// Whoever may write to the base puts a link to somebody's folder in the place of the one that is worked in.
fn put_a_link_in_its_place(base: &Path) {
    let staging = base.join("a tree.incoming");
    if fs::rename(&staging, base.join("moved away")).is_ok() {
        std::os::unix::fs::symlink(base.join("victim"), &staging).unwrap();
    }
}

/// The same with the tree itself, while it is shown.
fn put_another_tree_in_its_place(base: &Path) {
    if fs::rename(base.join("a tree"), base.join("moved away")).is_ok() {
        fs::create_dir(base.join("a tree")).unwrap();
        fs::write(base.join("a tree/theirs"), "theirs").unwrap();
    }
}

#[test]
fn nothing_is_ever_done_through_a_link_that_somebody_puts_in_the_way() {
    let mut disturbed = 0;
    // A small tree comes with one command, a large one with several.
    for (after, ends) in (0..10).flat_map(|after| [(after, Ends::small()), (after, Ends::new())]) {
        let victim = ends.base().join("victim");
        fs::create_dir_all(victim.join("a tree")).unwrap();
        fs::write(victim.join("a tree/precious"), "precious").unwrap();
        fs::write(victim.join("run"), "not a run").unwrap();
        let before = testkit::tree::Tree::of(&victim);
        let run = ends.run();
        let meanwhile = Some((after, put_a_link_in_its_place as fn(&Path)));
        let _ = apply(&run, &Link { meanwhile, base: ends.base(), ..Link::default() });
        before.assert_same(&testkit::tree::Tree::of(&victim), &format!("before command {after}"));
        let _ = run.undo(&Link::default(), Changed::Refuse, &cx());
        before.assert_same(&testkit::tree::Tree::of(&victim), &format!("undone, before command {after}"));
        disturbed += usize::from(ends.base().join("moved away").exists());
    }
    assert!(disturbed > 5, "disturbed {disturbed} times only");
}

#[test]
fn what_somebody_else_put_in_its_place_is_never_taken_back() {
    let ends = Ends::small();
    let run = ends.run();
    apply(&run, &Link::default()).unwrap();
    put_another_tree_in_its_place(&ends.base());
    assert!(run.undo(&Link::default(), Changed::Refuse, &cx()).is_err());
    assert_eq!(fs::read(ends.target().join("theirs")).unwrap(), b"theirs");
}

#[test]
fn what_was_worked_with_since_is_kept_on_its_host_and_all_else_is_taken_back() {
    let ends = Ends::small();
    let run = ends.run();
    apply(&run, &Link::default()).unwrap();
    fs::write(ends.target().join("since"), "theirs").unwrap();
    let drifted = run.undo(&Link::default(), Changed::SetAside, &cx()).unwrap();
    let kept = ends.base().join(format!(".kept/a tree-{}-kept", run.id()));
    assert!(drifted[0].aside.as_ref().unwrap().ends_with(kept.to_str().unwrap()), "{drifted:?}");
    assert_eq!(fs::read(kept.join("since")).unwrap(), b"theirs");
    assert!(kept.join("big").exists());
    fs::remove_dir_all(ends.base().join(".kept")).unwrap();
    assert!(ends.base_is_empty());
}

#[test]
fn an_empty_staging_folder_that_a_kill_has_left_is_in_nobodys_way() {
    let ends = Ends::small();
    let run = ends.run();
    let staging = ends.base().join("a tree.incoming");
    fs::create_dir(&staging).unwrap();
    apply(&run, &Link::default()).unwrap();
    assert!(ends.target().exists() && !staging.exists());
    fs::create_dir(&staging).unwrap();
    run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
    assert!(ends.base_is_empty());
}

#[test]
fn nothing_is_written_through_a_link_that_is_there_before_the_staging_folder() {
    let ends = Ends::small();
    let (run, victim) = (ends.run(), ends.folder.path().join("victim"));
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("precious"), "precious").unwrap();
    let before = testkit::tree::Tree::of(&victim);
    let lay =
        || std::os::unix::fs::symlink(&victim, ends.base().join(format!("a tree.incoming.{}", run.id())));
    lay().unwrap();
    apply(&run, &Link::default()).unwrap();
    ends.assert_arrived();
    before.assert_same(&testkit::tree::Tree::of(&victim), "delivered");
    lay().unwrap();
    run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
    assert!(ends.base_is_empty());
    before.assert_same(&testkit::tree::Tree::of(&victim), "taken back");
}

#[test]
fn what_has_taken_the_place_meanwhile_stays_and_is_named() {
    let mut taken = 0;
    for after in 4..12 {
        let ends = Ends::small();
        let run = ends.run();
        let take = |base: &Path| fs::create_dir(base.join("a tree")).unwrap_or_default();
        let meanwhile = Some((after, take as fn(&Path)));
        let told = match apply(&run, &Link { meanwhile, base: ends.base(), ..Link::default() }) {
            Ok(receipt) => format!("{:?}", receipt.items),
            Err(error) => error.to_string(),
        };
        taken += usize::from(told.contains("there is one already"));
        run.undo(&Link::default(), Changed::Refuse, &cx()).unwrap();
    }
    assert!(taken > 0);
}

/// The staging folder of a run that is lost, with something unpacked in it, and the far end that has it.
fn left_behind() -> (Ends, PathBuf, Far) {
    let ends = Ends::small();
    let left = ends.base().join("a tree.incoming");
    fs::create_dir_all(left.join("a tree/deep")).unwrap();
    fs::write(left.join("run"), "a run").unwrap();
    let far = Far::greet(Box::new(Here::default()), "a-word").unwrap();
    (ends, left, far)
}

#[test]
fn what_is_being_unpacked_is_not_as_old_as_it_was_elsewhere() {
    let (ends, left, mut far) = left_behind();
    for folder in [left.join("a tree/deep"), left.join("a tree"), left.clone(), left.join("run")] {
        let years_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        fs::File::open(folder).unwrap().set_modified(years_ago).unwrap();
    }
    let found = far.leftovers(ends.base().as_os_str().as_bytes(), "a tree.incoming").unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].age < Duration::from_hours(1), "{found:?}");
}

#[test]
fn a_leftover_says_whose_it_is_until_all_else_of_it_is_gone() {
    let (ends, left, mut far) = left_behind();
    let base = ends.base();
    let mut clear = || {
        let found = far.leftovers(base.as_os_str().as_bytes(), "a tree.incoming").unwrap();
        assert_eq!((found.len(), found[0].run.as_str()), (1, "a run"));
        far.clear(base.as_os_str().as_bytes(), &found[0])
    };
    let disk = Disk::in_memory(&left.join("a tree/deep"), "size=1m"); // which nobody can remove
    clear().unwrap_err();
    drop(disk);
    clear().unwrap();
    assert!(!left.exists());
}

/// Whether something is being shown right now, which takes its time, and whether anything was taken back meanwhile.
static SHOWING: AtomicBool = AtomicBool::new(false);
static MEANWHILE: AtomicBool = AtomicBool::new(false);

fn watch(command: &[u8]) {
    let command = String::from_utf8_lossy(command);
    if command.contains("# Shows a staged tree") {
        SHOWING.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(500));
        SHOWING.store(false, Ordering::SeqCst);
    } else if command.contains("# Takes a tree back") && SHOWING.load(Ordering::SeqCst) {
        MEANWHILE.store(true, Ordering::SeqCst);
    }
}

/// Whoever takes the last receipt back removes the folder of receipts, into which another is about to put one.
#[test]
fn nothing_is_taken_back_while_another_lane_shows_what_it_has_brought() {
    let ends = Ends::small();
    let far = Far::greet(Box::new(Here { watch: Some(watch), ..Here::default() }), "a-word").unwrap();
    let lanes = Remotes::of(Remote::new(far), 2);
    let (mut one, mut other) = (lanes.idle(), lanes.idle());
    let slot = |step| Slot::new(RunId::new(Timestamp::now(), 0), step, ends.folder.path().join("run"));
    fs::create_dir(ends.folder.path().join("run")).unwrap();
    let step = ends.step();
    let staged = step.stage(&mut one, &slot(0), &cx()).unwrap();
    std::thread::scope(|scope| {
        let shown = scope.spawn(|| step.publish(&mut one, &slot(0), &staged));
        while !SHOWING.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let mut theirs = ends.step();
        theirs.place.name = "another".into();
        theirs.place.staging = "another.incoming".into();
        theirs.revert(&mut other, &slot(1), None, &cx()).unwrap();
        shown.join().unwrap().unwrap();
    });
    assert!(ends.target().exists() && !MEANWHILE.load(Ordering::SeqCst));
}
