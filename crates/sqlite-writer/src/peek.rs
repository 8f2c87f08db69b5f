//! Looking at a database without leaving a byte.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use durable_files::InContext;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::database::{Database, OpenError, existing_file};

/// How often a copy is tried while somebody writes.
const ATTEMPTS: usize = 5;

/// What may hold content beside the database itself: committed rows, or those of a transaction to be rolled back.
const COMPANIONS: [&str; 2] = ["-wal", "-journal"];

impl Database {
    /// Opens a still picture of an existing database: no byte of it or its folder changes, and neither `-wal` nor
    /// `-shm` appears. It is read in place where nothing lies beside it, else from a private copy in the system's
    /// temporary folder, which is removed afterwards. It cannot be written, and nobody is kept out.
    pub fn peek(path: &Path) -> Result<Self, OpenError> {
        let real = existing_file(path)?;
        let database = if COMPANIONS.iter().all(|suffix| size(&with_suffix(&real, suffix)) == 0) {
            let uri = immutable_uri(&real);
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            Self::new(open(&uri, path, flags)?, path, None)
        } else {
            let copy = copy_at_rest(&real, path)?;
            let connection = open(&copy.path().join(COPY), path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection
                .execute_batch("PRAGMA query_only = ON")
                .map_err(|error| OpenError::sqlite(path, error))?;
            Self::new(connection, path, Some(copy))
        };
        // The first read is what finds a file that is no database.
        database
            .select("SELECT count(*) FROM sqlite_schema", &[])
            .map_err(|error| OpenError::sqlite(path, error))?;
        Ok(database)
    }
}

/// The name of the private copy in its folder.
const COPY: &str = "copy.db";

fn open(file: &Path, path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| OpenError::sqlite(path, error))
}

/// Copies the database and what lies beside it, again if anything moved meanwhile: the files belong together.
fn copy_at_rest(real: &Path, path: &Path) -> Result<TempDir, OpenError> {
    for _ in 0..ATTEMPTS {
        let before = traces(real);
        let folder = tempfile::tempdir().doing("create a temporary folder for a copy of", path)?;
        for suffix in ["", COMPANIONS[0], COMPANIONS[1]] {
            let (from, to) = (with_suffix(real, suffix), with_suffix(&folder.path().join(COPY), suffix));
            match std::fs::copy(&from, &to) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && !suffix.is_empty() => {}
                copied => drop(copied.doing("copy for a look at it", &from)?),
            }
        }
        if traces(real) == before {
            return Ok(folder);
        }
    }
    Err(OpenError::Restless(path.to_path_buf()))
}

/// What a write would change: sizes and times of the database and its companions.
fn traces(real: &Path) -> Vec<Option<(u64, std::time::SystemTime)>> {
    ["", COMPANIONS[0], COMPANIONS[1]]
        .into_iter()
        .map(|suffix| std::fs::metadata(with_suffix(real, suffix)).ok())
        .map(|found| found.and_then(|found| Some((found.len(), found.modified().ok()?))))
        .collect()
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The URI that tells SQLite that nobody writes the file: then it takes no lock and makes no companion.
#[cfg(unix)]
pub(crate) fn immutable_uri(real: &Path) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    format!("file://{}?immutable=1", percent_encoded(real.as_os_str().as_bytes())).into()
}

/// The URI that tells SQLite that nobody writes the file: then it takes no lock and makes no companion.
#[cfg(not(unix))]
pub(crate) fn immutable_uri(real: &Path) -> PathBuf {
    // `C:\folder` is spelled `/C:/folder`; the prefix of a canonical path is not understood.
    let text = real.to_string_lossy().replace('\\', "/");
    let text = text.strip_prefix("//?/").unwrap_or(&text);
    format!("file:///{}?immutable=1", percent_encoded(text.as_bytes())).into()
}

fn percent_encoded(bytes: &[u8]) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"/:-._~".contains(&byte);
    let spell = |&byte: &u8| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    bytes.iter().map(spell).collect()
}
