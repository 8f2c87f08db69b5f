//! The rewrite's database, made anew from the tables of formats/ao.md §7: an `ao.db` as a daemon of a given schema
//! version leaves it.

mod schema;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, types::ValueRef};

/// The highest migration applied: 11, 12, the later ones of formats/ao.md §11, or any other for refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u32);

/// Makes an empty database of this version in WAL mode, cleanly closed: no `-wal`, no `-shm`.
///
/// # Panics
/// If it cannot be made.
pub fn create(path: &Path, version: Version) {
    create_from(path, version, schema::VERSION_12);
}

/// The same, of a daemon whose sessions have one more column that is mandatory and has no default.
///
/// # Panics
/// If it cannot be made.
pub fn create_with_mandatory_column(path: &Path, version: Version) {
    let ddl = schema::VERSION_12.replacen(
        "first_signal_at TIMESTAMP,",
        "first_signal_at TIMESTAMP,\n    owner TEXT NOT NULL,",
        1,
    );
    create_from(path, version, &ddl);
}

/// Adds rows that the user made himself: project `own`, session `own-1`, its pull request with one check.
///
/// # Panics
/// If they cannot be added.
pub fn add_user_rows(path: &Path) {
    execute(path, schema::USER_ROWS);
}

/// Runs statements as the daemon would, foreign keys on, and closes cleanly.
///
/// # Panics
/// If one fails.
pub fn execute(path: &Path, sql: &str) {
    let connection = open(path);
    connection.execute_batch(sql).unwrap();
    connection.close().unwrap();
}

/// Runs statements and leaves the files as a daemon does that is killed afterwards: what was committed stands in
/// `-wal` alone, and `-shm` is there too.
///
/// # Panics
/// If one fails.
pub fn execute_and_crash(path: &Path, sql: &str) {
    let connection = open(path);
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0").unwrap();
    connection.execute_batch(sql).unwrap();
    let files: Vec<(PathBuf, Vec<u8>)> = ["", "-wal", "-shm"]
        .map(|suffix| with_suffix(path, suffix))
        .map(|file| (file.clone(), fs::read(file).unwrap()))
        .into();
    connection.close().unwrap();
    for (file, bytes) in files {
        fs::write(file, bytes).unwrap();
    }
}

/// Everything that an undo restores, as text: the schema, every row of every table including `sqlite_sequence`, the
/// user version and the journal mode. The file and its folder stay as they are.
///
/// # Panics
/// If it cannot be read.
pub fn dump(path: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    for suffix in ["", "-wal", "-journal"] {
        if let Ok(bytes) = fs::read(with_suffix(path, suffix)) {
            fs::write(with_suffix(&copy, suffix), bytes).unwrap();
        }
    }
    let connection = Connection::open(&copy).unwrap();
    let mut text = String::new();
    for pragma in ["user_version", "journal_mode"] {
        let value = rows(&connection, &format!("PRAGMA {pragma}"));
        writeln!(text, "{pragma}: {}", value.concat()).unwrap();
    }
    for statement in rows(&connection, "SELECT type, name, sql FROM sqlite_schema") {
        writeln!(text, "{statement}").unwrap();
    }
    for table in rows(&connection, "SELECT name FROM sqlite_schema WHERE type = 'table'") {
        let table = table.trim_matches('\'').replace('"', "\"\"");
        for row in rows(&connection, &format!("SELECT * FROM \"{table}\"")) {
            writeln!(text, "{table}: {row}").unwrap();
        }
    }
    text
}

/// The first value that a query answers, as text; the file and its folder stay as they are.
///
/// # Panics
/// If there is none.
pub fn query(path: &Path, sql: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    fs::copy(path, &copy).unwrap();
    let text = |row: &rusqlite::Row<'_>| {
        row.get_ref(0).map(|value| match value {
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => literal(other),
        })
    };
    Connection::open(&copy).unwrap().query_row(sql, [], text).unwrap()
}

fn create_from(path: &Path, Version(version): Version, ddl: &str) {
    let connection = open(path);
    connection.execute_batch(ddl).unwrap();
    for version in 0..=version {
        connection.execute_batch(schema::step_to(version)).unwrap();
        connection
            .execute(
                "INSERT INTO goose_db_version (version_id, is_applied, tstamp) VALUES (?1, 1, '2026-01-01 00:00:00')",
                [version],
            )
            .unwrap();
    }
    connection.close().unwrap();
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON").unwrap();
    connection
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Each row as text, every value spelled as an SQL literal of its own storage class.
fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let values: Vec<String> = (0..columns).map(|at| literal(row.get_ref_unwrap(at))).collect();
        Ok(values.join(", "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) => format!("'{}'", text.escape_ascii()),
        ValueRef::Blob(bytes) => format!("x'{}'", bytes.escape_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixture_has_what_a_genuine_version_12_database_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ao.db");
        create(&path, Version(12));
        add_user_rows(&path);
        let connection = Connection::open(&path).unwrap();
        let count = |kind: &str| {
            let sql = "SELECT count(*) FROM sqlite_schema WHERE type = ?1 AND name NOT LIKE 'sqlite_%'";
            connection.query_row(sql, [kind], |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!((count("table"), count("index"), count("trigger")), (13, 8, 9));
        assert_eq!(rows(&connection, "SELECT count(*) FROM goose_db_version"), ["13"]);
        let events =
            rows(&connection, "SELECT event_type, payload FROM change_log WHERE session_id = 'own-1'");
        assert_eq!(
            events[0],
            r#"'session_created', '{\"id\":\"own-1\",\"activity\":\"idle\",\"isTerminated\":false}'"#
        );
        assert_eq!(events.len(), 3);
    }

    #[test]
    fn every_version_is_made_and_closed_cleanly_and_a_crashed_one_keeps_its_rows_in_the_wal() {
        let folder = tempfile::tempdir().unwrap();
        for version in [11, 13, 14, 15, 16, 17, 18, 19, 20] {
            let path = folder.path().join(format!("{version}.db"));
            create(&path, Version(version));
            assert!(!with_suffix(&path, "-wal").exists());
        }
        let path = folder.path().join("19.db");
        let before = fs::read(&path).unwrap();
        execute_and_crash(&path, schema::USER_ROWS);
        assert_eq!(fs::read(&path).unwrap(), before);
        assert!(with_suffix(&path, "-wal").exists() && with_suffix(&path, "-shm").exists());
        assert!(dump(&path).contains("'own-1'"));
    }
}
