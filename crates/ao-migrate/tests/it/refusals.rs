//! Every refusal with the real condition: nothing is written, the reason and the next command are named.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use testkit::ao_database::{self, Version};

use crate::home::{Ended, Home};

/// Runs the tool, and shows that nothing but a refusal came of it.
#[track_caller]
fn refused(home: &Home, arguments: &[&str]) -> Ended {
    let before = home.tree();
    let ended = home.expect(4, arguments);
    before.assert_same(&home.tree(), "a refusal writes nothing");
    assert!(!home.has_run());
    assert!(ended.stderr.lines().any(|line| line.starts_with("hint: ")), "{}", ended.stderr);
    ended
}

#[track_caller]
fn refused_with(home: &Home, arguments: &[&str], words: &str) {
    let ended = refused(home, arguments);
    assert!(ended.stderr.contains(words), "expected {words:?} in:\n{}", ended.stderr);
}

/// Another process with the database open, doing what its first statements say until it is dropped.
struct Holder(Child);

impl Holder {
    fn new(database: &Path, sql: &str) -> Self {
        let mut child = Command::new("sqlite3")
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the tests need sqlite3: `cargo xtask test` installs it");
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{sql}\nSELECT 'ready';").unwrap();
        child.stdin = Some(stdin);
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        while lines.next().expect("sqlite3 answers").unwrap() != "ready" {}
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_missing_database_is_never_created() {
    let home = Home::without_database("everything");
    refused_with(&home, &[], "expected the daemon's database at @HOME@/.ao/data/ao.db, found nothing there");
    assert!(!home.path().join(".ao").exists());
}

#[test]
fn a_database_that_another_process_has_open_idle_is_left_alone() {
    let home = Home::new("everything");
    let _daemon = Holder::new(&home.database(), "SELECT count(*) FROM sessions;");
    refused_with(&home, &[], "in use");
}

#[test]
fn a_database_that_another_process_is_writing_is_left_alone() {
    let home = Home::new("everything");
    let _daemon = Holder::new(&home.database(), "BEGIN IMMEDIATE;");
    refused_with(&home, &[], "in use");
}

#[test]
fn a_schema_that_was_not_asked_for_is_refused() {
    for (version, arguments, words) in [
        (11, &[][..], "expected schema version 12, found 11"),
        (13, &[], "expected schema version 12, found 13"),
        (13, &["--schema", "14"], "expected schema version 14, found 13"),
        (20, &[], "expected schema version 12, found 20"),
        (20, &["--schema", "20"], "cannot write schema version 20: it has not been tried"),
        (12, &["--schema", "13"], "expected schema version 13, found 12"),
        (12, &["--schema", "13"], "hint: leave out --schema"),
    ] {
        let home = Home::with_database("everything", Version(version));
        refused_with(&home, arguments, words);
        refused_with(&home, &[arguments, &["--dry-run"]].concat(), words);
    }
}

#[test]
fn the_verified_later_schemas_are_written_when_asked_for() {
    for version in 13..=19 {
        let home = Home::with_database("everything", Version(version));
        let dump = home.dump();
        home.expect(3, &["--schema", &version.to_string()]);
        assert_eq!(home.query("SELECT count(*) FROM sessions"), "12", "schema {version}");
        home.expect(0, &["undo"]);
        assert_eq!(dump, home.dump(), "schema {version}");
    }
}

#[test]
fn a_schema_with_a_column_that_we_do_not_know_is_refused() {
    let home = Home::without_database("everything");
    std::fs::create_dir_all(home.data_dir()).unwrap();
    ao_database::create_with_mandatory_column(&home.database(), Version(12));
    refused_with(&home, &[], "expected to know every column that the table sessions demands");
}

#[test]
fn a_database_that_is_not_whole_is_left_as_it_is() {
    let home = Home::new("everything");
    let orphan =
        "PRAGMA foreign_keys = OFF; INSERT INTO workspace_repos VALUES ('gone', 'name', 'path', '', '2026');";
    ao_database::execute(&home.database(), orphan);
    refused_with(&home, &["--dry-run"], "is not whole");
    refused_with(&home, &[], "is not whole");
}

#[test]
fn a_daemon_that_runs_is_named() {
    let home = Home::new("everything");
    let mut daemon = Command::new("sleep").arg("60").spawn().unwrap();
    std::fs::write(home.path().join(".ao/running.json"), format!(r#"{{"pid": {}, "port": 1}}"#, daemon.id()))
        .unwrap();
    let named = format!("names process {}, which is alive", daemon.id());
    refused_with(&home, &[], &named);
    refused_with(&home, &["--dry-run"], &named);
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    home.expect(3, &[]); // a stale run file passes
    home.expect(0, &["verify"]);
}

#[test]
fn a_run_file_that_does_not_read_could_be_a_running_daemons() {
    let home = Home::new("everything");
    std::fs::write(home.path().join(".ao/running.json"), "{").unwrap();
    refused_with(&home, &[], "cannot tell whether the daemon is running");
}

#[test]
fn a_path_that_was_named_must_be_there() {
    let home = Home::new("everything");
    refused_with(
        &home,
        &["--legacy-root", "/nowhere"],
        "reading the legacy root /nowhere: expected it to exist",
    );
    refused_with(&home, &["--legacy-config", "/nowhere.yaml"], "reading the legacy config /nowhere.yaml");
    refused_with(&home, &["--data-dir", "/nowhere"], "expected the daemon's database at /nowhere/ao.db");
}

#[test]
fn an_empty_path_is_never_taken_for_the_working_directory() {
    let home = Home::new("everything");
    for option in
        ["--legacy-root", "--legacy-config", "--data-dir", "--claude-home", "--run-file", "--state-dir"]
    {
        let ended = home.expect(2, &[option, ""]);
        assert!(ended.stderr.contains("empty"), "{option}: {}", ended.stderr);
    }
}

#[test]
fn an_unknown_project_is_a_mistake_of_usage_and_the_known_ones_are_named() {
    let home = Home::new("everything");
    let ended = home.expect(2, &["--project", "shop"]);
    assert!(ended.stderr.contains("the registry knows: billing-api, ledger, web-shop"), "{}", ended.stderr);
}

/// Runs the tool as the last command of a script in a mount namespace of its own; only root may make one.
fn unshared(script: &str, home: &Home, arguments: &[&str]) -> Ended {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-ec", &format!("{script} \"$0\" \"$@\"")]);
    command.arg(env!("CARGO_BIN_EXE_ao-migrate")).args(arguments);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env("HOME", home.path()).env("REHOME_STATE_DIR", home.state_dir());
    let output = command.output().expect("the tests need unshare, from util-linux");
    home.ended(&output)
}

/// The run and the dry run both refuse, and both for this reason.
#[track_caller]
fn refused_either_way(home: &Home, script: &str, words: &str) {
    let before = home.tree();
    for arguments in [&["--dry-run"][..], &[]] {
        let ended = unshared(script, home, arguments);
        assert_eq!(ended.code, Some(4), "{arguments:?} {}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(words), "{arguments:?} {}", ended.stderr);
    }
    before.without(&[".ao/data/ao.db"]).assert_same(&home.files(), "nothing was written");
    assert!(!home.has_run());
}

#[test]
fn a_data_directory_that_may_not_be_written_is_refused() {
    const WORDS: &str = "expected to write it and its folder, found that not allowed";
    let home = Home::new("everything");
    let data = home.data_dir().display().to_string();
    let read_only = format!("mount --bind '{data}' '{data}'; mount -o remount,bind,ro '{data}'; exec");
    refused_either_way(&home, &read_only, WORDS);

    // somebody who is not root, in a folder or with a file that is
    let outside = home.path().parent().unwrap().display().to_string();
    let nobody = "exec setpriv --reuid=65534 --regid=65534 --clear-groups";
    let give_away = format!("chmod 755 '{outside}'; chown -R 65534:65534 '{outside}'");
    for theirs in [&data, &format!("{data}/ao.db")] {
        refused_either_way(&home, &format!("{give_away}; chown 0:0 '{theirs}'; {nobody}"), WORDS);
    }
    assert_eq!(
        unshared(&format!("{give_away}; {nobody}"), &home, &[]).code,
        Some(3),
        "nothing else was wrong"
    );
    let again = unshared(&format!("chown 0:0 '{data}'; {nobody}"), &home, &[]);
    assert_eq!(again.code, Some(3), "with nothing to write it need not be writable: {}", again.stderr);
}

#[test]
fn a_disk_without_room_is_refused_before_the_first_write() {
    let home = Home::new("everything");
    let transcript = testkit_transcript(&home);
    std::fs::write(&transcript, vec![b' '; 3 << 20]).unwrap();
    let dump = home.dump();
    // The destination of all transcripts is a small disk of its own, with the sources in it.
    let claude = home.path().join(".claude").display().to_string();
    let script = format!(
        "cp -a '{claude}' '{claude}.full'; mount -t tmpfs -o size=5m none '{claude}'; cp -a '{claude}.full/.' '{claude}'; rm -r '{claude}.full'; exec"
    );
    refused_either_way(&home, &script, "not enough room");
    assert_eq!(dump, home.dump());
}

fn testkit_transcript(home: &Home) -> std::path::PathBuf {
    let projects = home.path().join(".claude/projects");
    let mut dirs = std::fs::read_dir(projects).unwrap().map(|dir| dir.unwrap().path());
    let is_first = |dir: &std::path::PathBuf| dir.to_string_lossy().ends_with("worktrees-ba-1");
    dirs.find(is_first).unwrap().join("0b1f5a3e-9d36-4a53-8d54-6f3d6f2f7a01.jsonl")
}
