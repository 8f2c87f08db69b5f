//! What SQLite said, without what the rows hold.

use std::fmt;

use migration_engine::{Cause, StepError};
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// The kinds of failure that need different answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// Another process has the database in use.
    Busy,
    /// The file or its folder may not be written.
    ReadOnly,
    /// No room on the disk.
    Full,
    /// The disk failed.
    Io,
    /// The file could not be opened.
    CannotOpen,
    /// It is not a database, or a damaged one.
    Corrupt,
    /// A constraint of the schema was violated.
    Constraint,
    /// The statement does not fit the schema, or anything else.
    Other,
}

/// A failure of SQLite: its kind and a sentence that names tables, columns and constraints, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteError {
    kind: Failure,
    message: String,
}

impl std::error::Error for SqliteError {}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl SqliteError {
    /// Which kind it is.
    pub fn kind(&self) -> Failure {
        self.kind
    }

    pub(crate) fn writes() -> Self {
        Self { kind: Failure::Other, message: "the statement would write".into() }
    }

    pub(crate) fn no_table(name: &str) -> Self {
        Self { kind: Failure::Other, message: format!("there is no table {name}") }
    }

    pub(crate) fn lost(table: &str) -> Self {
        Self {
            kind: Failure::Other,
            message: format!("the row just inserted into {table} is not found by its key"),
        }
    }

    /// As the outcome of a step: a violated constraint or an impossible value is the item's, all else the run's.
    pub(crate) fn while_doing(&self, doing: impl fmt::Display) -> StepError {
        match self.kind {
            Failure::Constraint => Cause::new("constraint", format!("cannot {doing}: {self}")).item(),
            _ => self.of_the_run(doing),
        }
    }

    /// As the outcome of what concerns every item alike.
    pub(crate) fn of_the_run(&self, doing: impl fmt::Display) -> StepError {
        Cause::new(self.code(), format!("cannot {doing}: {self}")).world()
    }

    /// The stable name of a failure that stops a run.
    pub(crate) fn code(&self) -> &'static str {
        match self.kind {
            Failure::Busy => "database-in-use",
            Failure::ReadOnly | Failure::CannotOpen => "database-read-only",
            Failure::Full => "no-room",
            Failure::Io => "io",
            Failure::Corrupt => "database-corrupt",
            Failure::Constraint | Failure::Other => "database",
        }
    }
}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, said) => Self::from_failure(failure, said.as_deref()),
            rusqlite::Error::SqlInputError { error, msg, .. } => {
                Self { kind: kind(error.code), message: msg }
            }
            // What rusqlite itself finds wrong (column types, counts of parameters) is a mistake of ours.
            other => Self { kind: Failure::Other, message: other.to_string() },
        }
    }
}

impl SqliteError {
    fn from_failure(failure: ffi::Error, said: Option<&str>) -> Self {
        let described = ffi::code_to_str(failure.extended_code);
        let said = said.filter(|said| names_only_the_schema(failure, said)).unwrap_or(described);
        let message = said.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { kind: kind(failure.code), message }
    }
}

fn kind(code: ErrorCode) -> Failure {
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            Failure::Busy
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Failure::ReadOnly,
        ErrorCode::DiskFull => Failure::Full,
        ErrorCode::SystemIoFailure => Failure::Io,
        ErrorCode::CannotOpen => Failure::CannotOpen,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Failure::Corrupt,
        ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch => Failure::Constraint,
        _ => Failure::Other,
    }
}

/// Whether a message of SQLite's is made of names alone. That of a trigger's RAISE may hold anything, and so may that
/// of a function which failed.
fn names_only_the_schema(failure: ffi::Error, said: &str) -> bool {
    match failure.code {
        ErrorCode::ConstraintViolation => !matches!(
            failure.extended_code,
            ffi::SQLITE_CONSTRAINT_TRIGGER | ffi::SQLITE_CONSTRAINT_FUNCTION | ffi::SQLITE_CONSTRAINT_VTAB
        ),
        ErrorCode::Unknown => ["no such ", "table ", "near "].iter().any(|start| said.starts_with(start)),
        _ => true,
    }
}
