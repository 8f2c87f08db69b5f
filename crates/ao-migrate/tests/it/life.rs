//! Dry run, run, run again, verify, undo: on a home with three projects and sessions of every kind.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use crate::home::Home;

/// When each file and folder last changed: a file that came and went leaves its trace in its folder's time.
fn times(home: &Home) -> BTreeMap<PathBuf, SystemTime> {
    fn collect(at: &Path, times: &mut BTreeMap<PathBuf, SystemTime>) {
        let found = std::fs::symlink_metadata(at).unwrap();
        times.insert(at.to_owned(), found.modified().unwrap());
        if found.is_dir() {
            for entry in std::fs::read_dir(at).unwrap() {
                collect(&entry.unwrap().path(), times);
            }
        }
    }
    let mut times = BTreeMap::new();
    collect(home.path(), &mut times);
    times
}

/// Runs it and expects that nothing in the home changed, nor came and went.
#[track_caller]
fn leaves_no_trace(home: &Home, arguments: &[&str]) {
    let before = (home.tree(), times(home));
    home.expect(3, arguments);
    before.0.assert_same(&home.tree(), &format!("after {arguments:?}"));
    let now = times(home);
    let touched: Vec<&PathBuf> =
        before.1.iter().filter(|(at, time)| now[*at] != **time).map(|(at, _)| at).collect();
    assert!(touched.is_empty(), "something came and went after {arguments:?}: {touched:?}");
}

#[test]
fn a_dry_run_changes_no_byte_anywhere() {
    let home = Home::new("everything");
    leaves_no_trace(&home, &["--dry-run"]);
    leaves_no_trace(&home, &["--dry-run", "--move-worktrees"]);
    assert!(!home.state_dir().exists(), "not even a state directory");
}

#[test]
fn a_run_that_finds_everything_done_leaves_no_trace() {
    let home = Home::new("everything");
    home.expect(3, &[]);
    leaves_no_trace(&home, &[]);
}

/// Its rows are in `-wal` alone; they count, and stay where they are.
#[test]
fn what_a_killed_daemon_left_beside_its_database_is_read_and_left_there() {
    let home = Home::new("everything");
    home.expect(3, &[]);
    let path = home.database();
    let mut daemon =
        Command::new("sqlite3").arg(&path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let sql = b"UPDATE sessions SET display_name = 'named since' WHERE id = 'ba-1';\nSELECT 'done';\n";
    daemon.stdin.as_mut().unwrap().write_all(sql).unwrap();
    let mut said = [0; 5];
    daemon.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(std::fs::metadata(home.data_dir().join("ao.db-wal")).unwrap().len() > 0);
    leaves_no_trace(&home, &["--dry-run"]);
    leaves_no_trace(&home, &[]);
    let report = home.report(3, &[]);
    let item = report["items"].as_array().unwrap().iter().find(|item| item["id"] == "ba-1").unwrap();
    assert_eq!((&item["bucket"], &item["reason"]), (&"conflict".into(), &"row-differs".into()));
}

#[test]
fn what_was_migrated_is_there_is_found_again_and_is_taken_back() {
    let home = Home::new("everything");
    let (files, dump) = (home.files(), home.dump());
    let ended = home.expect(3, &["--verbose"]);
    println!("{}\n{}", ended.stdout, ended.stderr);
    println!("{}", home.dump());

    let (migrated_files, migrated) = (home.files(), home.dump());
    let again = home.expect(3, &[]);
    println!("{}\n{}", again.stdout, again.stderr);
    migrated_files.assert_same(&home.files(), "after a second run");
    assert_eq!(migrated, home.dump());

    home.expect(0, &["verify"]);
    home.expect(0, &["undo"]);
    files.assert_same(&home.files(), "after the undo");
    assert_eq!(dump, home.dump());
}

/// A pipe has no end until somebody writes to it: whoever opens one waits, deaf to signals.
#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    for place in [
        ".agent-orchestrator/config.yaml",
        ".agent-orchestrator/portfolio/preferences.json",
        "src/WebShop/agent-orchestrator.yml",
        ".ao/running.json",
        ".claude/settings.json",
    ] {
        let home = Home::new("everything");
        let path = home.path().join(place);
        let _ = std::fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let mut tool = Command::new("timeout");
        tool.args(["60", env!("CARGO_BIN_EXE_ao-migrate"), "--dry-run"]).env("HOME", home.path());
        let ended = home.ended(&tool.output().unwrap());
        assert!(matches!(ended.code, Some(3 | 4)), "{place}: {:?} {}", ended.code, ended.stderr);
    }
}
