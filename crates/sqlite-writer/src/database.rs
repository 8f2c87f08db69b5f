//! A database of somebody else's, held so that nobody else can open it, or looked at without leaving a trace.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use migration_engine::{Cause, StepError};
use rusqlite::{Connection, OpenFlags, params_from_iter};
use tempfile::TempDir;

use crate::failure::Failure;
use crate::{SqliteError, Value};

/// How long another process may finish what it is doing before the database counts as in use.
const PATIENCE: Duration = Duration::from_millis(250);

/// Why a database was not opened. Nothing was written to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing is there; a database is never created.
    #[error("cannot open the database {}: expected a file, found nothing", .0.display())]
    Missing(PathBuf),
    /// Something else is there.
    #[error("cannot open the database {}: expected a SQLite database, found something else", .0.display())]
    NotADatabase(PathBuf),
    /// Another process has it open, idle or not.
    #[error("cannot open the database {}: expected nobody else to have it open, found it in use", .0.display())]
    InUse(PathBuf),
    /// The file or its folder may not be written.
    #[error("cannot open the database {}: expected to write it and its folder, found that not allowed", .0.display())]
    ReadOnly(PathBuf),
    /// Somebody writes it so busily that no consistent copy could be had to look at.
    #[error("cannot look at the database {}: expected it to be at rest, found it being written", .0.display())]
    Restless(PathBuf),
    /// The file system failed.
    #[error(transparent)]
    File(#[from] durable_files::FileError),
    /// Anything else that SQLite said.
    #[error("cannot open the database {}: {source}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: SqliteError,
    },
}

impl OpenError {
    pub(crate) fn sqlite(path: &Path, error: impl Into<SqliteError>) -> Self {
        let source = error.into();
        let path = path.to_path_buf();
        match source.kind() {
            Failure::Busy => Self::InUse(path),
            Failure::ReadOnly | Failure::CannotOpen => Self::ReadOnly(path),
            Failure::Corrupt => Self::NotADatabase(path),
            _ => Self::Sqlite { path, source },
        }
    }
}

impl From<OpenError> for StepError {
    /// Without its database a run cannot go on.
    fn from(error: OpenError) -> Self {
        let code = match &error {
            OpenError::Missing(_) => "database-missing",
            OpenError::NotADatabase(_) => "not-a-database",
            OpenError::InUse(_) | OpenError::Restless(_) => "database-in-use",
            OpenError::ReadOnly(_) => "database-read-only",
            OpenError::File(_) => "io",
            OpenError::Sqlite { source, .. } => source.code(),
        };
        Cause::new(code, error.to_string()).world()
    }
}

/// Why a question to a database was not answered.
#[derive(Debug, thiserror::Error)]
#[error("cannot query the database {}: {source}", path.display())]
pub struct QueryError {
    /// The database.
    pub path: PathBuf,
    /// What SQLite said.
    pub source: SqliteError,
}

/// Whether the content of a database is whole.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It is not.
    #[error("the database {} is not whole: {found}", path.display())]
    Broken {
        /// The database.
        path: PathBuf,
        /// The first thing found, by table and index.
        found: String,
    },
    /// It could not be checked.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// An open database: either the only one in the world ([`Database::open_exclusive`]) or a look at a still picture of it
/// ([`Database::peek`]).
pub struct Database {
    // The connection closes before the private copy under it is removed.
    pub(crate) connection: Connection,
    path: PathBuf,
    _copy: Option<TempDir>,
}

impl Database {
    /// Opens an existing database for writing and keeps everybody else out until it is dropped: its owner, starting
    /// meanwhile, waits and gives up. The other way round, an owner that has it open, even idle, is a refusal.
    ///
    /// Nothing is written, but closing folds in a `-wal` that a killed owner left.
    pub fn open_exclusive(path: &Path) -> Result<Self, OpenError> {
        let real = existing_file(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&real, flags).map_err(|error| OpenError::sqlite(path, error))?;
        // SQLite opens for reading what it may not write.
        if connection.is_readonly("main").map_err(|error| OpenError::sqlite(path, error))? {
            return Err(OpenError::ReadOnly(path.to_path_buf()));
        }
        let database = Self::new(connection, path, None);
        database.keep_others_out().map_err(|error| OpenError::sqlite(path, error))?;
        Ok(database)
    }

    pub(crate) fn new(connection: Connection, path: &Path, copy: Option<TempDir>) -> Self {
        connection.set_prepared_statement_cache_capacity(256);
        Self { connection, path: path.to_path_buf(), _copy: copy }
    }

    /// The mode must be set before the first read; a transaction then takes the lock, which is kept afterwards. It is
    /// an EXCLUSIVE one because without a WAL an IMMEDIATE one would not notice a reader.
    fn keep_others_out(&self) -> Result<(), SqliteError> {
        self.connection.busy_timeout(PATIENCE)?;
        self.connection.execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536;
             PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA temp_store = MEMORY;
             BEGIN EXCLUSIVE; ROLLBACK;",
        )?;
        Ok(())
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes it, so that an error of the last write-back is not lost.
    pub fn close(self) -> Result<(), QueryError> {
        let Self { connection, path, _copy } = self;
        connection.close().map_err(|(_, error)| QueryError { path, source: error.into() })
    }

    /// The rows that a statement answers; one that would write is refused.
    ///
    /// ```no_run
    /// # let database = sqlite_writer::Database::peek(std::path::Path::new("ao.db"))?;
    /// let rows = database.query("SELECT num FROM sessions WHERE id = ?1", &["app-1".into()])?;
    /// let num = rows.first().and_then(|row| row[0].as_i64());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn query(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Vec<Value>>, QueryError> {
        self.select(sql, parameters).map_err(|source| QueryError { path: self.path.clone(), source })
    }

    pub(crate) fn select(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Vec<Value>>, SqliteError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        if !statement.readonly() {
            return Err(SqliteError::writes());
        }
        let columns = statement.column_count();
        let mut found = Vec::new();
        let mut rows = statement.query(params_from_iter(parameters))?;
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|at| row.get_ref(at).map(Value::from));
            found.push(values.collect::<rusqlite::Result<_>>()?);
        }
        Ok(found)
    }

    /// The bytes of its pages, those not yet written back included.
    pub fn size(&self) -> Result<u64, QueryError> {
        let pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let bytes = self.query(pages, &[])?.first().and_then(|row| row.first()?.as_i64()).unwrap_or(0);
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    /// Whether every page, index, constraint and foreign key of the whole database is as it should be.
    ///
    /// Worth asking before a run: [`crate::Rows`] asks again before it commits, and cannot tell old damage from new.
    pub fn check(&self) -> Result<(), CheckError> {
        match self.first_damage() {
            Ok(None) => Ok(()),
            Ok(Some(found)) => Err(CheckError::Broken { path: self.path.clone(), found }),
            Err(source) => Err(QueryError { path: self.path.clone(), source }.into()),
        }
    }

    /// The first thing wrong with the content, uncommitted rows included.
    pub(crate) fn first_damage(&self) -> Result<Option<String>, SqliteError> {
        let said = self.select("PRAGMA integrity_check(1)", &[])?;
        let said = said.first().and_then(|row| row.first()?.as_str()).unwrap_or("no answer");
        if said != "ok" {
            return Ok(Some(said.to_owned()));
        }
        let dangling = self.select("SELECT \"table\", parent FROM pragma_foreign_key_check LIMIT 1", &[])?;
        Ok(dangling.first().map(|row| match row.as_slice() {
            [Value::Text(table), Value::Text(parent)] => {
                format!("a row of {table} refers to a row of {parent} that is not there")
            }
            _ => "a row refers to one that is not there".to_owned(),
        }))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The file itself behind symbolic links: SQLite keeps `-wal` beside that one.
pub(crate) fn existing_file(path: &Path) -> Result<PathBuf, OpenError> {
    let real = match std::fs::canonicalize(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(OpenError::Missing(path.to_path_buf()));
        }
        real => real.map_err(|error| durable_files::FileError::new("find the database", path, error))?,
    };
    if real.is_file() { Ok(real) } else { Err(OpenError::NotADatabase(path.to_path_buf())) }
}
