//! Somebody else's lock on the store, and ours.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::meanwhile::planned;
use crate::world::World;

/// A Python program that has locked the file as `filelock` does, for so many seconds or until this is dropped.
struct Locker(Child);

impl Locker {
    fn of(world: &World, seconds: &str) -> Self {
        let program = "import fcntl, os, select, sys\nfile = open(sys.argv[1], 'w')\nfcntl.flock(file, fcntl.LOCK_EX)\n\
                       print('held', flush=True)\nselect.select([sys.stdin], [], [], float(sys.argv[2]))\nos.unlink(sys.argv[1])";
        let mut python = Command::new("python3");
        python.args(["-c", program]).arg(world.sessions().join("sessions.json.lock")).arg(seconds);
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut held = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut held).unwrap();
        assert_eq!(held, "held\n");
        Self(child)
    }
}

impl Drop for Locker {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Makes the lock that is there look this old.
fn age(world: &World, seconds: u64) {
    let lock = File::options().append(true).open(world.sessions().join("sessions.json.lock")).unwrap();
    lock.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

/// It is waited for, and then refused by name.
#[track_caller]
fn refuses(world: &World, sentence: &str) {
    let before = world.tree();
    let begun = Instant::now();
    let refused = world.migrate(4, &["--lock-timeout", "1"]);
    assert!(begun.elapsed() >= Duration::from_secs(1), "it was not waited for");
    assert!(refused.stderr.contains(sentence), "{}", refused.stderr);
    assert!(refused.stderr.contains("sessions.json.lock"), "{}", refused.stderr);
    before.assert_same(&world.tree(), sentence);
    assert!(!world.has_run());
}

#[test]
fn a_store_that_somebody_writes_is_waited_for_and_then_refused_by_name() {
    let world = World::of("app");
    let locker = Locker::of(&world, "600");
    refuses(&world, "(held by python3");
    refuses(&world, &format!("process {}", locker.0.id()));
    age(&world, 3600);
    refuses(&world, "(held by python3"); // old, but alive
    drop(locker);
    world.put("sessions.json.lock", "");
    age(&world, 0);
    refuses(&world, "Failed to acquire lock"); // the other protocol: a file is a lock
}

#[test]
fn a_lock_that_is_given_back_in_time_is_only_waited_for() {
    let world = World::of("app");
    let _locker = Locker::of(&world, "1");
    world.migrate(0, &[]);
    world.assert_tidy("migrated");
}

#[test]
fn a_lock_that_was_abandoned_is_taken_over_and_gone_afterwards() {
    let world = World::of("app");
    world.put("sessions.json.lock", "");
    age(&world, 31);
    world.migrate(0, &["--lock-timeout", "0"]);
    world.assert_tidy("migrated");
}

#[test]
fn a_plan_needs_no_lock() {
    let world = World::of("app");
    let _locker = Locker::of(&world, "600");
    world.migrate(0, &["--dry-run", "--lock-timeout", "0"]);
}

#[test]
fn told_to_stop_while_it_holds_the_lock_it_gives_it_back() {
    let world = World::of("app");
    let before = world.tree();
    let workspace = world.workspace().display().to_string();
    // Every sync takes a while, so that there is a time while it holds the lock.
    let mut strace = Command::new("strace");
    strace.args(["-qq", "-f", "-o", "/dev/null", "-e", "trace=fsync,fdatasync,syncfs"]);
    strace.args(["-e", "inject=fsync,fdatasync,syncfs:delay_enter=200000", "--"]);
    strace.args([env!("CARGO_BIN_EXE_openclaw-migrate"), &workspace]);
    strace.env("HOME", world.home()).env("REHOME_STATE_DIR", world.state());
    let child = strace.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lock = world.sessions().join("sessions.json.lock");
    let begun = Instant::now();
    let holder = loop {
        assert!(begun.elapsed() < Duration::from_mins(1), "it never takes the lock");
        let told = fs::read_to_string(&lock).unwrap_or_default();
        if world.has_run()
            && let Some(process) = told.split_whitespace().last()
        {
            break process.to_owned();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(Command::new("kill").args(["-TERM", &holder]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let ended = world.ended(143, &["told to stop"], &output);
    assert!(!lock.exists(), "the lock is left");
    assert!(ended.stderr.contains("openclaw-migrate undo @RUN@"), "{}", ended.stderr);
    if world.migration(&[]).run().status.code() == Some(7) {
        world.say(0, &["resume"]);
    }
    world.say(0, &["verify"]);
    world.say(0, &["undo"]);
    before.assert_same(&world.tree(), "undone");
}

fn runs(world: &World) -> usize {
    fs::read_dir(world.state().join("runs")).unwrap().count()
}

#[test]
fn a_lock_that_is_taken_after_the_first_look_refuses_what_has_written_nothing_and_stops_what_has() {
    let world = World::of("app");
    world.migrate(0, &["--no-backup"]);
    let map = fs::read_to_string(world.sessions().join("session_map.json")).unwrap();
    let one_more = "{\"one-more\": \"4c1d90aa-7be2-4f13-8a60-2e5b6f7c8d90\",";
    world.put("session_map.json", map.replacen('{', one_more, 1));
    let (before, runs) = (world.tree(), runs(&world));
    let waiting = planned(&world, &["--no-backup", "--lock-timeout", "0"]);
    let locker = Locker::of(&world, "600");
    let refused = world.ended(4, &["nothing written"], &waiting.goes_on());
    assert!(refused.stderr.contains("(held by python3"), "{}", refused.stderr);
    drop(locker);
    before.assert_same(&world.tree(), "refused");
    assert_eq!(self::runs(&world), runs, "no run is made");
    world.migrate(0, &["--no-backup"]);
    assert!(world.store()["one-more"].is_object());

    let world = World::of("app");
    let before = world.tree();
    let waiting = planned(&world, &["--lock-timeout", "0"]);
    let locker = Locker::of(&world, "600");
    let stopped = world.ended(1, &["the backup is written"], &waiting.goes_on());
    assert!(stopped.stderr.contains("openclaw-migrate resume @RUN@"), "{}", stopped.stderr);
    drop(locker);
    world.say(0, &["resume"]);
    world.say(0, &["verify"]);
    world.say(0, &["undo"]);
    before.assert_same(&world.tree(), "undone");
}

#[test]
fn a_run_that_goes_on_and_finds_the_store_locked_stands_where_it_is_and_is_not_called_refused() {
    let world = World::of("app");
    world.migrate(0, &["--no-backup", "--lock-timeout", "0"]);
    fs::remove_file(world.sessions().join("sessions.json")).unwrap(); // now only entries are missing
    let mut strace = Command::new("strace");
    strace.args(["-qq", "-f", "-o", "/dev/null", "-e", "trace=linkat", "-P"]);
    strace.arg(world.sessions().join("sessions.json.lock")).args([
        "-e",
        "inject=linkat:signal=KILL:when=2",
        "--",
    ]);
    strace.arg(env!("CARGO_BIN_EXE_openclaw-migrate")).arg(world.workspace());
    strace.args(["--no-backup", "--lock-timeout", "0"]).env("HOME", world.home());
    strace.env("REHOME_STATE_DIR", world.state());
    assert!(!strace.output().unwrap().status.success());
    let _ = fs::remove_file(world.sessions().join("sessions.json.lock"));
    let locker = Locker::of(&world, "600");
    let stopped = world.say(1, &["resume"]);
    assert!(stopped.stderr.contains("stopped in the middle"), "{}", stopped.stderr);
    drop(locker);
    world.say(0, &["resume"]);
    world.assert_tidy("resumed");
}
