use std::fs;
use std::path::PathBuf;

use sqlite_writer::{Database, InsertRow, Rows};
use testkit::ao_database;

use crate::support::{Home, bytes_of, project};

const LATE: &str =
    "INSERT INTO projects (id, path, registered_at) VALUES ('late', '/late', '2026-01-01T00:00:00.000Z')";

fn projects(database: &Database) -> usize {
    database.query("SELECT id FROM projects", &[]).unwrap().len()
}

#[test]
fn a_look_sees_all_that_was_committed_and_leaves_no_byte_in_any_state_of_the_wal() {
    let clean = Home::new();
    clean.daemon(LATE);

    let empty_wal = Home::new();
    empty_wal.daemon(LATE);
    fs::write(empty_wal.data().join("ao.db-wal"), "").unwrap();

    let crashed = Home::new();
    ao_database::execute_and_crash(&crashed.database(), LATE);

    let crashed_without_shm = Home::new();
    ao_database::execute_and_crash(&crashed_without_shm.database(), LATE);
    fs::remove_file(crashed_without_shm.data().join("ao.db-shm")).unwrap();

    for home in [clean, empty_wal, crashed, crashed_without_shm] {
        let before = bytes_of(&home.data());
        let database = Database::peek(&home.database()).unwrap();
        assert_eq!(projects(&database), 1);
        assert_eq!(bytes_of(&home.data()), before, "while open");
        drop(database);
        assert_eq!(bytes_of(&home.data()), before, "afterwards");
    }
}

#[test]
fn a_look_does_not_see_what_a_killed_writer_never_committed() {
    let home = Home::with_tables(
        "CREATE TABLE t (n INTEGER, word TEXT);
         INSERT INTO t SELECT value, 'committed' FROM json_each('[' || substr(replace(hex(zeroblob(2500)), '0', ',0'), 2) || ']');
         PRAGMA journal_mode = DELETE",
    );
    // Pages of an unfinished transaction in the file itself, and the journal to roll them back, as a kill leaves them.
    let script = "import os, sqlite3, sys\n\
         c = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
         c.execute('PRAGMA cache_size = 1')\n\
         c.execute('BEGIN')\n\
         c.execute(\"UPDATE t SET word = 'unfinished'\")\n\
         os._exit(9)\n";
    std::process::Command::new("python3").arg("-c").arg(script).arg(home.database()).status().unwrap();
    assert_eq!(home.names(), ["ao.db", "ao.db-journal"]);
    assert!(fs::read(home.database()).unwrap().windows(10).any(|bytes| bytes == b"unfinished"));
    let before = bytes_of(&home.data());
    let seen = Database::peek(&home.database()).unwrap().query("SELECT DISTINCT word FROM t", &[]).unwrap();
    assert_eq!(seen, [["committed".into()]]);
    assert_eq!(bytes_of(&home.data()), before);
}

#[test]
fn a_path_with_every_awkward_character_is_still_the_path() {
    let home = Home::new();
    let awkward = home.data().join("a?b#c%41 é&immutable=0");
    fs::create_dir(&awkward).unwrap();
    let moved: PathBuf = awkward.join("ao.db");
    fs::rename(home.database(), &moved).unwrap();
    ao_database::execute(&moved, LATE);
    assert_eq!(projects(&Database::peek(&moved).unwrap()), 1);
    assert_eq!(bytes_of(&awkward).len(), 1);
}

#[test]
fn the_private_copy_goes_with_the_look() {
    let home = Home::new();
    ao_database::execute_and_crash(&home.database(), LATE);
    let database = Database::peek(&home.database()).unwrap();
    let file = database.query("SELECT file FROM pragma_database_list", &[]).unwrap();
    let copy = PathBuf::from(file[0][0].as_str().unwrap());
    assert!(copy.exists() && !copy.starts_with(home.data()));
    drop(database);
    assert!(!copy.parent().unwrap().exists());
}

#[test]
fn nothing_is_written_through_a_look_or_a_question() {
    for crashed in [false, true] {
        let home = Home::new();
        if crashed {
            ao_database::execute_and_crash(&home.database(), LATE);
        }
        let before = bytes_of(&home.data());
        let peek = Database::peek(&home.database()).unwrap();
        assert!(peek.query("DELETE FROM projects RETURNING id", &[]).is_err());
        let mut rows = Rows::new(peek);
        let tried: &[InsertRow] = &[project("ledger")];
        assert!(rows.try_out(tried).is_err());
        assert_eq!(bytes_of(&home.data()), before);
    }
    let home = Home::new();
    let held = Database::open_exclusive(&home.database()).unwrap();
    assert!(held.query("DELETE FROM goose_db_version", &[]).is_err());
}
