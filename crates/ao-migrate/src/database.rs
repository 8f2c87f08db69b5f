//! What this tool knows of the daemon's database: its version, its tables, and which columns the daemon moves on
//! (formats/ao.md §6.3, §7, D1).

use std::collections::BTreeMap;
use std::path::Path;

use migration_cli::{Refusal, shell_word};
use sqlite_writer::{
    CheckError, Database, InsertRow, MisfitError, OpenError, QueryError, Row, Rows, TableContract, Value,
};

use crate::mapping::{Existing, ProjectKind, ProjectRow, SessionRow, WorktreeRow};
use session_model::{ActivityState, SessionKind};

/// The schema version that is written without being asked.
pub(crate) const SCHEMA: u32 = 12;

/// The versions beside it that have been tried: the columns of version 12 insert unchanged there.
const VERIFIED: std::ops::RangeInclusive<u32> = 13..=19;

/// What a daemon that ran in between honestly changes in a session.
const LIVING: &[&str] = &[
    "activity_state",
    "activity_last_at",
    "is_terminated",
    "updated_at",
    "first_signal_at",
    "runtime_handle_id",
];

/// The step that inserts a project.
pub(crate) fn insert_project(row: &ProjectRow) -> InsertRow {
    insert(ProjectRow::TABLE, &["id"], ProjectRow::COLUMNS, row.values(), &[])
}

/// The step that inserts a session.
pub(crate) fn insert_session(row: &SessionRow) -> InsertRow {
    insert(SessionRow::TABLE, &["id"], SessionRow::COLUMNS, row.values(), LIVING)
}

/// The step that names a session's worktree.
pub(crate) fn insert_worktree(row: &WorktreeRow) -> InsertRow {
    insert(WorktreeRow::TABLE, &["session_id", "repo_name"], WorktreeRow::COLUMNS, row.values(), &["state"])
}

/// Refuses any schema but that of the expected version, which is the answer.
pub(crate) fn check_schema(database: &Database, asked: Option<u32>) -> Result<u32, Refusal> {
    let version = check_version(database, asked)?;
    check_contract(database)?;
    Ok(version)
}

/// Refuses any version but the one that is expected: 12, or the one that `--schema` names.
fn check_version(database: &Database, asked: Option<u32>) -> Result<u32, Refusal> {
    let wanted = asked.unwrap_or(SCHEMA);
    if wanted != SCHEMA && !VERIFIED.contains(&wanted) {
        let (first, last) = (VERIFIED.start(), VERIFIED.end());
        let message =
            format!("cannot write schema version {wanted}: it has not been tried; {first} to {last} have");
        return Err(Refusal::new(
            "schema-unverified",
            message,
            "use a daemon of one of those versions, or this tool's next release",
        ));
    }
    let applied = applied_versions(database)?;
    let found = applied.iter().max().copied().unwrap_or(0);
    if found != i64::from(wanted) {
        return Err(wrong_version(database, found, wanted));
    }
    if let Some(missing) = (1..=found).find(|version| !applied.contains(version)) {
        let message = format!(
            "cannot write to {}: its schema version is {found}, but migration {missing} was never applied",
            database.path().display()
        );
        return Err(Refusal::new(
            "schema-incomplete",
            message,
            "start the daemon once: it applies what is missing",
        ));
    }
    Ok(wanted)
}

fn wrong_version(database: &Database, found: i64, wanted: u32) -> Refusal {
    let path = database.path().display();
    let message = format!("cannot write to {path}: expected schema version {wanted}, found {found}");
    let hint = if found == i64::from(SCHEMA) {
        format!("leave out --schema: without it, version {SCHEMA} is expected")
    } else if u32::try_from(found).is_ok_and(|found| VERIFIED.contains(&found)) {
        format!("if that is the daemon you use, pass --schema {found}")
    } else if found < i64::from(SCHEMA) {
        "start a daemon of schema version 12 once: it brings the database up to date".to_owned()
    } else {
        format!("versions {SCHEMA} and {} to {} can be written", VERIFIED.start(), VERIFIED.end())
    };
    Refusal::new("schema", message, hint)
}

/// The migrations that are applied: of each version the newest entry counts, since one can be rolled back.
fn applied_versions(database: &Database) -> Result<Vec<i64>, Refusal> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'";
    if query(database, tables)?.is_empty() {
        let message = format!(
            "{} is not a database of the daemon: it keeps no schema version",
            database.path().display()
        );
        return Err(Refusal::new("schema", message, "name the daemon's data directory with --data-dir"));
    }
    let entries = query(database, "SELECT version_id, is_applied FROM goose_db_version ORDER BY id")?;
    let newest: BTreeMap<i64, i64> =
        entries.iter().filter_map(|entry| Some((entry[0].as_i64()?, entry[1].as_i64()?))).collect();
    Ok(newest.into_iter().filter(|(_, applied)| *applied == 1).map(|(version, _)| version).collect())
}

/// Refuses a database into which these rows do not fit: a column that is missing, or one that must be given and is not
/// known.
fn check_contract(database: &Database) -> Result<(), Refusal> {
    let contracts = [
        TableContract::new(ProjectRow::TABLE, ProjectRow::COLUMNS.iter().copied()),
        TableContract::new(SessionRow::TABLE, SessionRow::COLUMNS.iter().copied()),
        TableContract::new(WorktreeRow::TABLE, WorktreeRow::COLUMNS.iter().copied()),
    ];
    database.fits(&contracts).map_err(|error| misfit(database, &error))
}

/// Refuses what [`Database::open_exclusive`] would refuse to write, without opening it: SQLite makes files beside it.
pub(crate) fn check_writable(path: &Path) -> Result<(), OpenError> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = real.parent().unwrap_or(&real);
    if may_write(&real) && may_write(folder) { Ok(()) } else { Err(OpenError::ReadOnly(path.to_path_buf())) }
}

/// What the system says to this user, on a file system that may be mounted read-only.
#[cfg(unix)]
fn may_write(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

/// What the file itself says; permissions and mounts are seen only by writing.
#[cfg(not(unix))]
fn may_write(path: &Path) -> bool {
    path.is_dir() || std::fs::metadata(path).is_ok_and(|found| !found.permissions().readonly())
}

/// Refuses a database that is not whole.
pub(crate) fn check_whole(database: &Database) -> Result<(), Refusal> {
    database.check().map_err(|error| match error {
        CheckError::Broken { ref path, .. } => {
            let pragmas = "PRAGMA integrity_check; PRAGMA foreign_key_check";
            let hint =
                format!("`sqlite3 {} '{pragmas}'` shows what has to be mended first", shell_word(path));
            Refusal::new("database-broken", error.to_string(), hint)
        }
        CheckError::Query(error) => unreadable(error),
    })
}

/// Refuses a database that does not take a project and a session: they are inserted and taken back, before anything is
/// written.
pub(crate) fn check_takes_rows(rows: &mut Rows) -> Result<(), Refusal> {
    let tried = rows.try_out(&trial_rows());
    tried.map_err(|error| misfit(rows.database(), &error))
}

fn misfit(database: &Database, error: &MisfitError) -> Refusal {
    let message = format!("cannot write to {}: {error}", database.path().display());
    Refusal::new(
        "schema-incompatible",
        message,
        "this daemon's database is not one that this tool knows; please report it",
    )
}

/// Every project and session that is in the database.
pub(crate) fn existing(database: &Database) -> Result<Existing, Refusal> {
    Ok(Existing {
        projects: all(database, ProjectRow::TABLE, ProjectRow::COLUMNS)?,
        sessions: all(database, SessionRow::TABLE, SessionRow::COLUMNS)?,
    })
}

fn all(
    database: &Database,
    table: &str,
    columns: &[&str],
) -> Result<BTreeMap<String, Vec<serde_json::Value>>, Refusal> {
    let rows = query(database, &format!("SELECT {} FROM {table}", columns.join(", ")))?;
    let by_id = |row: Vec<Value>| {
        let row: Vec<serde_json::Value> = row.into_iter().map(to_json).collect();
        Some((row.first()?.as_str()?.to_owned(), row))
    };
    Ok(rows.into_iter().filter_map(by_id).collect())
}

/// One row by its id.
pub(crate) fn row(
    database: &Database,
    table: &str,
    columns: &'static [&'static str],
    id: &str,
) -> Result<Option<Row>, QueryError> {
    let sql = format!("SELECT {} FROM {table} WHERE id = ?1", columns.join(", "));
    let found = database.query(&sql, &[id.into()])?.into_iter().next();
    Ok(found.map(|values| columns.iter().copied().zip(values).collect()))
}

fn query(database: &Database, sql: &str) -> Result<Vec<Vec<Value>>, Refusal> {
    database.query(sql, &[]).map_err(unreadable)
}

/// A question to the database that was not answered.
#[allow(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
pub(crate) fn unreadable(error: QueryError) -> Refusal {
    let hint = format!("check it with `sqlite3 {} 'PRAGMA integrity_check'`", shell_word(&error.path));
    Refusal::failure("database-unreadable", error.to_string(), hint)
}

fn insert(
    table: &'static str,
    key: &'static [&'static str],
    columns: &'static [&'static str],
    values: Vec<serde_json::Value>,
    living: &'static [&'static str],
) -> InsertRow {
    let row: Row = columns.iter().copied().zip(values.into_iter().map(from_json)).collect();
    InsertRow::new(table, key.iter().copied(), row).may_move_on(living.iter().copied())
}

/// A project and a session of an id that no session can have.
fn trial_rows() -> [InsertRow; 2] {
    const ID: &str = "rehome/trial";
    const TIME: &str = "2026-01-01T00:00:00.000Z";
    let project = ProjectRow {
        id: ID.into(),
        path: ID.into(),
        repo_origin_url: String::new(),
        display_name: String::new(),
        registered_at: TIME.into(),
        archived_at: None,
        config: None,
        kind: ProjectKind::SingleRepo,
    };
    let session = SessionRow {
        id: ID.into(),
        project_id: ID.into(),
        num: 1,
        issue_id: String::new(),
        kind: SessionKind::Worker,
        harness: None,
        activity_state: ActivityState::Idle,
        activity_last_at: TIME.into(),
        is_terminated: false,
        branch: String::new(),
        workspace_path: String::new(),
        runtime_handle_id: String::new(),
        agent_session_id: String::new(),
        prompt: String::new(),
        created_at: TIME.into(),
        updated_at: TIME.into(),
        display_name: String::new(),
        first_signal_at: Some(TIME.into()),
    };
    [insert_project(&project), insert_session(&session)]
}

/// Rows of this tool hold text, integers and NULL; anything else in the database differs from all of them.
fn to_json(value: Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Real(number) => serde_json::json!({ "real": number.to_string() }),
        Value::Blob(bytes) => serde_json::json!({ "blob": bytes.len() }),
    }
}

fn from_json(value: serde_json::Value) -> Value {
    match value {
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Number(number) => number.as_i64().map_or(Value::Null, Value::Integer),
        _ => Value::Null,
    }
}
