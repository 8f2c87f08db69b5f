//! A session that moves from host to host is whole at one end or the other, and comes back as it was.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use convocate_session::moving::{Network, migrate_orphan};
use durable_files::DirLock;
use migration_cli::{Exit, Surroundings};
use migration_engine::Progress;
use session_control::{Containers, Profile, Registry};
use testkit::crash::{Blow, Program};
use testkit::disk::Disk;
use testkit::odd_tree::lay_out;
use testkit::tree::Tree;

use crate::place::uuid;
use testkit::cluster::AGENTS;

use crate::engines::Engine;
use crate::movers::Halted;
use crate::two::Two;

const A: &str = AGENTS[0];
const B: &str = AGENTS[1];

#[test]
fn from_agent_to_agent_it_arrives_as_it_was_is_found_there_again_and_comes_back() {
    let two = Two::new();
    two.lay(0, 1, "one");
    lay_out(&two.session(0, 1).join(".claude"));
    fs::write(two.base(0).join(format!("{}.lock", uuid(1))), "4194303").unwrap();
    let (before, session) = (two.all(), Tree::of(&two.session(0, 1)));
    let moves = ["move", "one", "--to", B];

    // Whoever is asked about the copy sees who has the source's lock.
    let (lock, seen) = (two.base(0).join(format!("{}.lock", uuid(1))), two.cluster.folder().join("seen"));
    let holder = "tr '\\0' ' ' < /proc/$(cat \"$lock\")/cmdline";
    two.hook(1, &format!("lock={}; [ -f \"$lock\" ] && {holder} > {}", lock.display(), seen.display()));

    let planned = two.says(0, &[&moves[..], &["--dry-run"]].concat());
    assert!(planned.out.contains("nothing was written"), "{}", planned.out);
    two.assert_same(&before, "a dry run");
    assert!(!two.state().join("fetched").exists(), "a dry run brings nothing");

    two.says(0, &moves);
    let difference = session.difference(&Tree::of(&two.session(1, 1)));
    assert_eq!(difference.lines().count(), 2, "the stamp, and what would set ids: {difference}");
    let document = fs::read_to_string(two.session(1, 1).join("session.json")).unwrap();
    assert!(document.ends_with(&format!("\"agent_id\": \"{B}\"\n}}")), "{document}");
    let holder = fs::read_to_string(seen).unwrap();
    assert!(holder.contains(&format!("rehome-move-{}", uuid(1))), "a process of ours has it: {holder}");
    let receipts = [0, 1].map(|host| fs::read_dir(two.base(host).join(".migrations")).unwrap().count());
    assert_eq!(receipts, [1, 1]);
    let aside: Vec<_> = fs::read_dir(two.base(0).join(".migrated")).unwrap().collect();
    assert_eq!(aside.len(), 2, "the source and the stale lock: {aside:?}");
    assert!(!two.session(0, 1).exists() && !two.base(0).join(format!("{}.lock", uuid(1))).exists());
    two.says(0, &["verify"]);

    let then = two.all();
    let again = two.says(0, &moves);
    assert!(again.out.contains("already-present"), "{}", again.out);
    two.assert_same(&then, "again");

    // An undo needs to be told nothing but where the run is.
    let undo = Program::new(env!("CARGO_BIN_EXE_convocate-session")).arg("undo").arg("--state-dir");
    let undone = undo.arg(two.state()).run();
    assert_eq!(undone.status.code(), Some(0), "{}", String::from_utf8_lossy(&undone.stderr));
    two.assert_same(&before, "undone");

    let bundles = || fs::read_dir(two.state().join("fetched")).map_or(0, Iterator::count);
    two.says(0, &moves);
    assert_eq!(bundles(), 1, "it had come already");
    two.says(0, &["runs", "gc", "--older-than", "0", "--yes"]);
    assert_eq!(bundles(), 0, "what was brought goes with the last run that needs it");
}

#[test]
fn between_this_machine_and_agents_it_goes_either_way_and_a_clone_is_another_session() {
    let two = Two::new();
    two.lay(2, 1, "left behind");
    two.lay(1, 2, "to be copied");
    let before = two.all();
    two.says(0, &["move", "left behind", "--to", A]);
    assert!(two.session(0, 1).join("session.json").exists() && !two.session(2, 1).exists());
    assert!(!two.state().join("fetched").exists(), "what is here need not come");
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone");

    // From now on one of the agents is this machine.
    two.is_here(&two.cluster.registry().join(A), 0);
    two.says(0, &["move", "to be copied", "--to", A]);
    assert!(two.session(0, 2).join("session.json").exists() && !two.session(1, 2).exists());
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone");

    let report =
        two.says(0, &["clone", "to be copied", "a copy", "--to", A, "--dns", "copy", "--json"]).document();
    let place = report["items"][0]["targets"][0].as_str().unwrap();
    let id = place.rsplit('/').next().unwrap();
    let text = fs::read_to_string(two.base(0).join(id).join("session.json")).unwrap();
    let made: serde_json::Value = serde_json::from_str(&text).unwrap();
    let told =
        ["uuid", "name", "protocol", "dns_name", "agent_id"].map(|member| made[member].as_str().unwrap());
    assert_eq!(told, [id, "a copy", "udp", "copy", A]);
    assert!(
        made["port"].is_null() && made["created_at"] != "2026-02-11T08:15:30.5Z" && id != uuid(2),
        "{text}"
    );
    assert!(two.session(1, 2).exists(), "the old one stays");
    two.says(0, &["verify"]);
    two.says(0, &["undo"]);
    two.assert_same(&before, "a clone undone");
}

#[test]
fn what_may_not_move_stays_with_its_reason() {
    let two = Two::new();
    (1..=5).for_each(|n| two.lay(0, n, &format!("session {n}")));
    two.refuses("agent", &["move", &uuid(1), "--to", "nobody"]);

    fs::write(two.base(0).join(format!("{}.lock", uuid(1))), std::process::id().to_string()).unwrap();
    two.refuses("locked", &["move", &uuid(1), "--to", B]);

    two.docker.container(&format!("convocate-session-{}", uuid(2)), &[]);
    two.refuses("source-runs", &["move", &uuid(2), "--to", B]);

    two.lay(1, 3, "of the same id");
    let which = two.says(2, &["move", &uuid(3), "--to", B, "--json"]).document();
    assert_eq!(which["error"]["code"], "duplicate", "{which}");
    two.refuses("on-agent", &["move", &uuid(3), "--to", B, "--agent", A]);
    fs::remove_dir_all(two.session(1, 3)).unwrap();
    fs::create_dir(two.session(1, 3)).unwrap();
    two.refuses("on-agent", &["move", &uuid(3), "--to", B]);

    let staging = two.base(1).join(format!(".incoming-{}", uuid(4)));
    fs::create_dir(&staging).unwrap();
    fs::write(staging.join("run"), "20260131-174501-3f9a").unwrap();
    two.refuses("staging-left", &["move", &uuid(4), "--to", B]);

    fs::write(
        two.session(0, 5).join("session.json"),
        format!("{{\"uuid\": \"{}\", \"port\": 8009}}", uuid(5)),
    )
    .unwrap();
    two.lay(1, 6, "has the port");
    let document = format!("{{\"uuid\": \"{}\", \"port\": 8009}}", uuid(6));
    fs::write(two.session(1, 6).join("session.json"), document).unwrap();
    two.refuses("port-taken", &["move", &uuid(5), "--to", B]);
    let full = Disk::in_memory(&two.base(1), "size=1m");
    two.refuses("no-room", &["move", &uuid(5), "--to", B]);
    drop(full);
    let others = two.cluster.folder().join("others");
    fs::create_dir(&others).unwrap();
    fs::write(others.join("theirs"), "").unwrap();
    two.lay(2, 7, "left behind");
    for session in [two.session(0, 5), two.session(2, 7)] {
        let bound = session.join("of the same disk");
        fs::create_dir(&bound).unwrap();
        let mounted = Disk::again(&others, &bound);
        let id = session.file_name().unwrap().to_str().unwrap();
        two.refuses("cannot-be-sent", &["move", id, "--to", B, "--on-port-conflict", "clear"]);
        drop(mounted);
    }

    two.says(0, &["move", &uuid(5), "--to", B, "--on-port-conflict", "clear"]);
    let arrived = fs::read_to_string(two.session(1, 5).join("session.json")).unwrap();
    assert!(!arrived.contains("8009"), "{arrived}");
}

#[test]
fn a_session_that_starts_in_between_stays_and_goes_once_it_has_stopped() {
    let two = Two::new();
    two.lay(0, 1, "one");
    let before = two.all();
    let (place, container) = (two.session(1, 1), format!("convocate-session-{}", uuid(1)));
    // When the copy is looked at, somebody has started the session.
    two.hook(
        1,
        &format!(
            "[ -d {} ] && docker run --rm --detach --network=none --name {container} convocate:latest",
            place.display()
        ),
    );
    let said = two.says(5, &["move", "one", "--to", B]);
    assert!(two.session(0, 1).exists(), "the source stays: {}", said.out);
    fs::remove_file(two.cluster.agent(1).folder().join("hook")).unwrap();
    let refused = two.says(4, &["undo", "--json"]).document();
    assert_eq!(refused["error"]["code"], "agent-runs-it", "{refused}");
    two.docker.run(&["kill", &container]);
    // What was written since it was sent keeps it there too.
    let (source, written) = (two.session(0, 1), two.session(0, 1).join("written"));
    let folder = fs::File::open(&source).unwrap();
    let modified = folder.metadata().unwrap().modified().unwrap();
    fs::write(&written, "since").unwrap();
    let changed = two.says(5, &["resume", "--json"]).document();
    let found = changed["items"][0]["findings"].to_string();
    assert!(found.contains("source-changed") && found.contains("; written last: written"), "{changed}");
    assert!(found.contains("source-stays") && !found.contains("it is not there"), "{changed}");
    let next: Vec<&str> =
        changed["next"].as_array().unwrap().iter().filter_map(|next| next.as_str()).collect();
    assert!(matches!(next[..], [undo] if undo.starts_with("convocate-session undo ")), "{next:?}");
    assert!(source.exists());
    fs::remove_file(written).unwrap();
    folder.set_modified(modified).unwrap();
    two.says(0, &["resume"]);
    assert!(!two.session(0, 1).exists() && place.exists());
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone");
}

#[test]
fn a_copy_that_somebody_has_locked_is_not_taken_from_under_him_and_what_he_leaves_of_it_goes_with_it() {
    let two = Two::new();
    two.lay(0, 1, "one");
    let before = two.all();
    two.says(0, &["move", "one", "--to", B]);
    let modified = two.session(1, 1).metadata().unwrap().modified().unwrap();
    let lock = two.base(1).join(format!("{}.lock", uuid(1)));
    fs::write(&lock, std::process::id().to_string()).unwrap();
    two.refuses("locked", &["undo"]);
    fs::write(two.session(1, 1).join("since"), "theirs").unwrap();
    fs::write(&lock, "4194303").unwrap();
    two.refuses("drifted", &["undo"]); // which leaves that alone as well
    fs::remove_file(two.session(1, 1).join("since")).unwrap();
    fs::File::open(two.session(1, 1)).unwrap().set_modified(modified).unwrap();
    fs::write(&lock, "4194303").unwrap();
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone");
}

/// Waits until it is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn while_a_copy_is_taken_back_nobody_else_gets_hold_of_it_and_a_kill_leaves_it_to_whoever_comes() {
    let two = Two::new();
    two.lay(0, 1, "one");
    let before = two.all();
    two.says(0, &["move", "one", "--to", B]);
    let lock = two.base(1).join(format!("{}.lock", uuid(1)));
    // Whoever takes the source's lock, which comes second, waits for whoever is at work in that folder.
    let undoing = || {
        let alone = DirLock::take(&two.base(0)).unwrap();
        let mut undo = Command::new(env!("CARGO_BIN_EXE_convocate-session"));
        let undo = undo.args(["undo", "--quiet", "--state-dir"]).arg(two.state()).spawn().unwrap();
        until("nobody holds the copy", || lock.exists());
        (alone, undo)
    };
    let (alone, mut undo) = undoing();
    two.refuses("locked", &["delete", "one", "--yes"]);
    undo.kill().unwrap();
    undo.wait().unwrap();
    until("the lock outlives whoever wanted it", || !lock.exists());
    drop(alone);

    let (alone, mut undo) = undoing();
    drop(alone);
    assert!(undo.wait().unwrap().success());
    two.assert_same(&before, "undone");
}

#[test]
fn what_has_holes_needs_no_more_room_than_it_takes_on_its_way_and_where_it_arrives() {
    let two = Two::new();
    two.lay(0, 1, "one");
    let file = fs::File::create(two.session(0, 1).join("disk image")).unwrap();
    fs::create_dir(two.state()).unwrap();
    let _small = [two.state(), two.base(1)].map(|place| Disk::in_memory(&place, "size=100m"));
    file.set_len(10 << 30).unwrap();
    let moves = ["move", "one", "--to", B];
    two.says(0, &[&moves[..], &["--dry-run"]].concat());
    file.set_len(150 << 20).unwrap(); // what is read in no time, and yet more than there is room for
    two.says(0, &moves);
    let arrived = two.session(1, 1).join("disk image").metadata().unwrap();
    assert!(arrived.len() == 150 << 20 && arrived.blocks() < 100, "{arrived:?}");
}

#[test]
fn where_the_state_folder_is_full_it_is_named_and_another_one_or_room_in_it_will_do() {
    let two = Two::new();
    two.lay(0, 1, "one");
    // What a link takes is not told beforehand.
    let text = "far/".repeat(50);
    for n in 0..1000 {
        symlink(&text, two.session(0, 1).join(format!("link {n}"))).unwrap();
    }
    let before = two.all();
    fs::create_dir(two.state()).unwrap();
    let full = Disk::in_memory(&two.state(), "size=2m");
    let moves = ["move", "one", "--to", B];
    let refused = two.says(4, &[&moves[..], &["--json"]].concat()).document();
    assert_eq!(refused["error"]["code"], "no-room", "{refused}");
    let hint = refused["error"]["hint"].as_str().unwrap();
    assert!(hint.contains(two.state().to_str().unwrap()) && hint.contains("--state-dir DIR"), "{hint}");
    assert_eq!(fs::read_dir(two.state().join("fetched")).unwrap().count(), 0, "half of it is left");
    full.becomes("size=20m");
    two.says(0, &moves);
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone");
}

#[test]
fn whoever_is_kept_from_moving_is_told_by_whom() {
    let two = Two::new();
    two.lay(0, 1, "one");
    two.lay(0, 2, "two");
    let halted = Halted::when(&two, 1, &two.session(1, 1));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| two.says(0, &["move", "one", "--to", B]));
        halted.is_waited_for();
        let refused = two.says(4, &["move", "two", "--to", B, "--json"]).document();
        halted.goes_on();
        let text = |member: &str| refused["error"][member].as_str().unwrap().to_owned();
        assert_eq!(text("code"), "locked");
        let (message, hint) = (text("message"), text("hint"));
        let run = fs::read_dir(two.state().join("runs")).unwrap().next().unwrap().unwrap().file_name();
        assert!(message.contains(&format!("; that is run {}", run.to_str().unwrap())), "{message}");
        assert!(!message.contains("move one --to") && hint.contains("kill -INT "), "{message} {hint}");
        first.join().unwrap();
    });
}

#[test]
fn what_has_the_registry_and_is_no_run_of_ours_is_not_to_be_killed() {
    let two = Two::new();
    two.lay(0, 1, "one");
    let _alone = DirLock::take(&two.cluster.registry()).unwrap();
    let refused = two.says(4, &["move", "one", "--to", B, "--json"]).document();
    let told = refused["error"].to_string();
    let process = format!("process {}, it", std::process::id());
    assert!(told.contains(&process) && !told.contains("kill"), "{told}");
}

#[test]
fn on_a_disk_that_a_delivery_has_filled_it_is_taken_back() {
    let two = Two::new();
    two.lay(0, 1, "one");
    // What a link takes is not told beforehand, and 64 MiB are to stay free.
    let text = "far/".repeat(50);
    for n in 0..17000 {
        symlink(&text, two.session(0, 1).join(format!("link {n}"))).unwrap();
    }
    let _small = Disk::in_memory(&two.base(1), "size=65m");
    let before = two.all();
    two.says(1, &["move", "one", "--to", B]);
    let _ = fs::write(two.base(1).join("fills it"), vec![7; 2 << 20]);
    two.says(0, &["undo"]);
    fs::remove_file(two.base(1).join("fills it")).unwrap();
    two.assert_same(&before, "undone");
}

/// Whether somebody waits for a folder's lock.
fn is_waited_for(folder: &Path) -> bool {
    let at = format!(":{} ", folder.metadata().unwrap().ino());
    let locks = fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|line| line.contains("-> FLOCK") && line.contains(&at))
}

#[test]
fn what_is_written_to_a_copy_whose_lock_was_left_behind_is_not_lost_once_it_was_compared() {
    let two = Two::new();
    two.lay(0, 1, "one");
    two.says(0, &["move", "one", "--to", B]);
    fs::write(two.base(1).join(format!("{}.lock", uuid(1))), "4194303").unwrap();
    let source = DirLock::take(&two.base(0)).unwrap();
    let mut undo = Command::new(env!("CARGO_BIN_EXE_convocate-session"));
    let mut undo = undo.args(["undo", "--quiet", "--state-dir"]).arg(two.state()).spawn().unwrap();
    // The copy's lock comes first, and again once the source is back.
    until("nobody takes the source's lock", || is_waited_for(&two.base(0)));
    let copy = DirLock::take_within(&two.base(1), Duration::from_mins(1)).unwrap();
    drop(source);
    until("nobody takes the stale lock over", || is_waited_for(&two.base(1)));
    fs::write(two.session(1, 1).join("since"), "theirs").unwrap();
    drop(copy);
    assert!(!undo.wait().unwrap().success());
    assert_eq!(fs::read(two.session(1, 1).join("since")).unwrap(), b"theirs");
    two.says(0, &["undo", "--set-aside"]);
    assert!(two.session(0, 1).exists() && !two.session(1, 1).exists());
}

#[test]
fn a_copy_that_was_worked_with_is_set_aside_where_it_is_and_what_cannot_be_is_refused_untouched() {
    let two = Two::new();
    two.lay(0, 1, "one");
    let before = two.all();
    two.says(0, &["move", "one", "--to", B]);
    fs::write(two.session(1, 1).join("since"), "theirs").unwrap();
    let offered = two.says(4, &["undo", "--json"]).document();
    assert!(offered["next"][1].as_str().unwrap().ends_with(" --set-aside"), "{offered}");

    // Somebody has put another in the source's place: that is not ours to move.
    two.lay(0, 1, "another");
    let then = two.all();
    for words in [&["undo", "--json"][..], &["undo", "--set-aside", "--json"]] {
        let refused = two.says(4, words).document();
        assert_eq!(refused["error"]["code"], "drifted", "{refused}");
        assert!(!refused.to_string().contains("--set-aside"), "it is not offered: {refused}");
        two.assert_same(&then, "refused");
    }
    fs::remove_dir_all(two.session(0, 1)).unwrap();

    let undone = two.says(0, &["undo", "--set-aside", "--json"]).document();
    let kept = fs::read_dir(two.base(1).join(".migrated")).unwrap().next().unwrap().unwrap();
    assert!(undone["findings"].to_string().contains(kept.file_name().to_str().unwrap()), "{undone}");
    assert_eq!(fs::read(kept.path().join("since")).unwrap(), b"theirs");
    fs::remove_dir_all(two.base(1).join(".migrated")).unwrap();
    two.assert_same(&before, "undone");
}

/// Which of the effects are struck: all of them when there is time for ten times the arbitrary cases too.
fn sampled<T>(all: Vec<T>) -> impl Iterator<Item = (usize, T)> {
    let every = if std::env::var_os("PROPTEST_CASES").is_some() { 1 } else { all.len() / 5 };
    all.into_iter().enumerate().filter(move |(at, _)| at % every == 0)
}

#[test]
fn killed_at_any_effect_here_it_is_whole_at_one_end_or_the_other_and_goes_on_or_back() {
    let two = Two::new();
    two.lay(0, 1, "one");
    fs::write(two.session(0, 1).join("last"), "whole").unwrap();
    fs::write(two.base(0).join(format!("{}.lock", uuid(1))), "4194303").unwrap();
    let before = two.all();
    let moves = ["move", &uuid(1), "--to", B];
    let effects = two.tool(&moves).effects();
    assert!(effects.len() > 60, "only {} effects: the loop would prove little", effects.len());
    two.says(0, &["undo"]);
    for (at, effect) in sampled(effects) {
        let when = format!("killed at {effect}");
        fs::remove_dir_all(two.state()).unwrap();
        two.tool(&moves).run_struck(&effect, Blow::Kill);
        let whole = [0, 1].map(|host| two.session(host, 1).join("last").exists());
        let half = [0, 1].map(|host| two.session(host, 1).exists());
        assert!(whole == half && whole != [false, false], "{when}: {half:?}");

        let again = two.tool(&moves).run();
        match again.status.code() {
            Some(7) if at % 2 == 0 => drop(two.says(0, &["resume"])),
            Some(0 | 7) => {}
            _ => panic!(
                "{when}: {}{}",
                String::from_utf8_lossy(&again.stdout),
                String::from_utf8_lossy(&again.stderr)
            ),
        }
        two.says(0, &["undo"]);
        two.assert_same(&before, &when);
    }
}

#[test]
fn a_link_that_is_lost_before_the_source_is_moved_aside_stops_the_run_which_goes_on() {
    let two = Two::new();
    two.lay(0, 1, "one");
    let before = two.all();
    let [waits, goes_on] = ["waits", "goes on"].map(|name| two.cluster.folder().join(name));
    let [place, waits_there, goes_on_there] =
        [&two.session(1, 1), &waits, &goes_on].map(|path| path.to_str().unwrap().to_owned());
    two.hook(1, &format!(
        "[ -d '{place}' ] || exit 0\n: > '{waits_there}'; while [ ! -e '{goes_on_there}' ]; do sleep 0.05; done"
    ));
    let stopped = std::thread::scope(|scope| {
        let run = scope.spawn(|| two.tool(&["move", "one", "--to", B]).run());
        while !waits.exists() {
            assert!(!run.is_finished(), "it was to be asked");
            std::thread::sleep(Duration::from_millis(20));
        }
        for process in two.cluster.agent(0).sshd().children() {
            let _ = Command::new("kill").args(["-KILL", &process.to_string()]).status();
        }
        fs::write(&goes_on, "").unwrap();
        run.join().unwrap()
    });
    let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert_eq!(stopped.status.code(), Some(1), "{said}");
    assert!(said.contains("was lost") && said.contains("resume"), "{said}");
    assert!(two.session(0, 1).exists() && two.session(1, 1).exists(), "the source stays until all is well");
    two.says(0, &["resume"]);
    assert!(!two.session(0, 1).exists());
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone");
}

/// What a program hears that shows it itself.
#[derive(Default)]
struct Heard(AtomicU64);

impl Progress for Heard {
    fn begin(&self, _phase: &str, _bytes: u64, _steps: u64) {}
    fn advance(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
    fn step_done(&self) {}
    fn end(&self) {}
}

#[test]
fn an_orphan_is_brought_to_an_agent_by_a_program_that_shows_it_itself() {
    let two = Two::new();
    two.lay(2, 1, "left behind");
    let before = two.all();
    let here = Surroundings::of_process().unwrap();
    let engine = Engine::from(two.cluster.folder(), &two.session(2, 1));
    engine.runs(Some(1));
    let mut options = convocate_migrate::Options::default();
    options.ssh.known_hosts = Some(two.cluster.known_hosts().try_into().unwrap());
    let network = Network {
        registry: Registry::at(two.cluster.registry()),
        base: two.base(2),
        profile: Profile::CONVOCATE,
        containers: Containers {
            program: engine.program(),
            arguments: vec![Engine::SAYS.into()],
            ..Containers::default()
        },
        options,
    };
    let (heard, state) = (Arc::new(Heard::default()), camino::Utf8PathBuf::try_from(two.state()).unwrap());
    let bring = |agent| {
        migrate_orphan(&uuid(1).parse().unwrap(), agent, &network, Some(&state), heard.clone(), &here)
    };
    assert_eq!(bring("nobody").unwrap_err().code, "agent");
    assert_eq!(bring(A).unwrap_err().code, "container-running", "its engine is the one that was named");
    two.assert_same(&before, "refused");
    engine.runs(None);
    let brought = bring(A).unwrap();
    assert!(brought.exit == Exit::Done && brought.run.is_some(), "{brought:?}");
    assert!(heard.0.load(Ordering::Relaxed) > 200, "the bytes were heard");
    assert!(two.session(0, 1).exists() && !two.session(2, 1).exists());
    assert!(brought.next[0].starts_with("convocate-migrate undo"), "{:?}", brought.next);
}

#[test]
fn where_a_session_was_moved_to_its_name_leads_too_and_where_it_came_from_after_an_undo() {
    let two = Two::new();
    two.lay(2, 1, "left behind");
    let document = two.session(2, 1).join("session.json");
    let with_a_name =
        fs::read_to_string(&document).unwrap().replace("\"udp\"", "\"udp\",\n  \"dns_name\": \"billing\"");
    fs::write(document, with_a_name).unwrap();
    let folder = two.cluster.folder().join("names");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("dnsmasq-hosts");
    let names = || fs::read_to_string(&file).unwrap().lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let given = ["--dns-hosts", file.to_str().unwrap()];
    two.says(0, &[&["move", "left behind", "--to", A], &given[..]].concat());
    assert_eq!(names(), ["127.0.0.1\tbilling"], "what is left behind has no name, what is at an agent has");
    two.says(0, &[&["clone", "left behind", "a copy", "--to", B, "--dns", "copy"], &given[..]].concat());
    assert_eq!(names(), ["127.0.0.1\tbilling", "127.0.0.1\tcopy"]);
    for left in [&["127.0.0.1\tbilling"][..], &[]] {
        let undo = Program::new(env!("CARGO_BIN_EXE_convocate-session")).arg("undo").arg("--state-dir");
        let undone = undo.arg(two.state()).run();
        assert_eq!(undone.status.code(), Some(0), "{}", String::from_utf8_lossy(&undone.stderr));
        assert_eq!(names(), left);
    }
}
