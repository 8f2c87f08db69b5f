//! Each refusal under its real condition.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use sqlite_writer::{Database, OpenError};
use testkit::ao_database;
use testkit::crash::example;

use crate::support::{Home, bytes_of};

/// Another process that has the database open.
struct Holder {
    child: Child,
    stdin: ChildStdin,
}

impl Holder {
    /// Runs statements in a process of its own, and keeps its connection open.
    fn start(database: &Path, statements: &str) -> Self {
        let mut child = Command::new("sqlite3")
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sqlite3, the command line of SQLite, must be installed");
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{statements}\n.print ready").unwrap();
        stdin.flush().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        assert!(stdout.lines().map_while(Result::ok).any(|line| line == "ready"), "the holder died");
        Self { child, stdin }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = writeln!(self.stdin, ".quit");
        let _ = self.stdin.flush();
        let _ = self.child.wait();
    }
}

fn refusal(home: &Home) -> OpenError {
    Database::open_exclusive(&home.database()).unwrap_err()
}

#[test]
fn a_daemon_that_has_the_database_open_but_is_idle_is_noticed() {
    let home = Home::new();
    let daemon = Holder::start(&home.database(), "SELECT count(*) FROM sessions;");
    assert!(matches!(refusal(&home), OpenError::InUse(_)));
    drop(daemon);
    Database::open_exclusive(&home.database()).unwrap();
}

#[test]
fn a_process_in_the_middle_of_a_write_is_noticed() {
    let home = Home::new();
    let _writer = Holder::start(&home.database(), "BEGIN IMMEDIATE;");
    let error = refusal(&home);
    assert!(matches!(error, OpenError::InUse(_)));
    assert!(error.to_string().ends_with("expected nobody else to have it open, found it in use"), "{error}");
}

#[test]
fn without_a_wal_a_reader_in_the_middle_of_a_read_is_noticed() {
    let home = Home::new();
    home.daemon("PRAGMA journal_mode = DELETE");
    let _reader = Holder::start(&home.database(), "BEGIN; SELECT count(*) FROM sqlite_schema;");
    assert!(matches!(refusal(&home), OpenError::InUse(_)));
}

#[test]
fn no_daemon_gets_in_while_the_database_is_held_and_nothing_is_left_afterwards() {
    for mode in ["WAL", "DELETE"] {
        let home = Home::new();
        home.daemon(&format!("PRAGMA journal_mode = {mode}"));
        let before = bytes_of(&home.data());
        let held = Database::open_exclusive(&home.database()).unwrap();
        for statement in ["SELECT count(*) FROM sessions", "BEGIN IMMEDIATE"] {
            let daemon = Command::new("sqlite3").arg(home.database()).arg(statement).output().unwrap();
            assert!(!daemon.status.success(), "{mode}: {statement}");
            assert!(String::from_utf8_lossy(&daemon.stderr).contains("locked"), "{mode}: {statement}");
        }
        held.close().unwrap();
        assert_eq!(bytes_of(&home.data()), before, "{mode}");
    }
}

#[test]
fn what_a_killed_daemon_committed_is_there_and_its_leftovers_are_folded_in() {
    let home = Home::new();
    ao_database::execute_and_crash(
        &home.database(),
        "INSERT INTO projects (id, path, registered_at) VALUES ('late', '/late', '2026-01-01T00:00:00.000Z')",
    );
    let before = home.dump();
    assert_eq!(home.names(), ["ao.db", "ao.db-shm", "ao.db-wal"]);
    let database = Database::open_exclusive(&home.database()).unwrap();
    assert_eq!(database.query("SELECT id FROM projects", &[]).unwrap(), [["late".into()]]);
    database.close().unwrap();
    home.assert_dump(&before, "afterwards");
    assert_eq!(
        home.names(),
        ["ao.db", "ao.db-shm"],
        "the stale -shm is nobody's content; its owner makes it anew"
    );
}

#[test]
fn a_missing_database_is_not_created() {
    let home = Home::new();
    fs::remove_file(home.database()).unwrap();
    for error in [refusal(&home), Database::peek(&home.database()).unwrap_err()] {
        assert!(matches!(error, OpenError::Missing(_)), "{error}");
    }
    assert!(home.names().is_empty());
}

#[test]
fn what_is_no_database_is_left_alone() {
    let home = Home::new();
    fs::write(home.database(), "a text that is long enough to be taken for a page".repeat(100)).unwrap();
    for error in [refusal(&home), Database::peek(&home.database()).unwrap_err()] {
        assert!(matches!(error, OpenError::NotADatabase(_)), "{error}");
    }
    fs::remove_file(home.database()).unwrap();
    fs::create_dir(home.database()).unwrap();
    assert!(matches!(refusal(&home), OpenError::NotADatabase(_)));
}

#[test]
fn a_link_to_the_database_finds_what_lies_beside_the_database_itself() {
    let home = Home::new();
    ao_database::execute_and_crash(&home.database(), "DELETE FROM goose_db_version WHERE version_id = 12");
    let link = home.data().join("link.db");
    std::os::unix::fs::symlink("ao.db", &link).unwrap();
    for database in [Database::peek(&link).unwrap(), Database::open_exclusive(&link).unwrap()] {
        let rows = database.query("SELECT max(version_id) FROM goose_db_version", &[]).unwrap();
        assert_eq!(rows[0][0].as_i64(), Some(11));
    }
}

/// Runs the example as somebody who is bound by permissions, which root is not.
fn run_unprivileged(folder: &Path) -> Output {
    let shared = tempfile::tempdir().unwrap();
    let program = shared.path().join("program");
    fs::copy(example("catalogue_books"), &program).unwrap();
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    open(shared.path());
    open(&program);
    let mut command = Command::new(&program);
    if our_user() == 0 {
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    }
    command.arg("apply").arg(folder).output().unwrap()
}

/// Who we are: the owner of what we create.
fn our_user() -> u32 {
    tempfile::tempdir().unwrap().path().metadata().unwrap().uid()
}

#[test]
fn a_database_that_may_not_be_written_is_refused_by_name_and_stays_as_it_is() {
    for (folder_mode, file_mode) in [(0o555, 0o666), (0o777, 0o444)] {
        let home = tempfile::tempdir().unwrap();
        let database = home.path().join("library.db");
        ao_database::execute(&database, "CREATE TABLE shelf (id TEXT PRIMARY KEY, label TEXT)");
        // Where a run would write before it opens the database.
        fs::create_dir(home.path().join("state")).unwrap();
        fs::set_permissions(home.path().join("state"), fs::Permissions::from_mode(0o777)).unwrap();
        fs::set_permissions(&database, fs::Permissions::from_mode(file_mode)).unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(folder_mode)).unwrap();
        let before = fs::read(&database).unwrap();
        let output = run_unprivileged(home.path());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "modes {folder_mode:o} {file_mode:o}");
        assert!(said.contains("expected to write it and its folder, found that not allowed"), "{said}");
        assert_eq!(fs::read(&database).unwrap(), before);
        assert!(!home.path().join("library.db-wal").exists());
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    }
}
