//! A whole database to a file and back, through SQLite's backup API.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use durable_files::{
    FileError, InContext, Meter, PublishError, beside, publish_new, remove_file_if_there, sync_dir,
};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::peek::immutable_uri;
use crate::{Database, SqliteError};

/// How many pages pass between two looks at the meter: a mebibyte of the usual ones.
const PAGES: i32 = 256;

/// Why a snapshot was not taken or not brought back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// SQLite failed.
    #[error("cannot copy the database {} to {}: {source}", from.display(), to.display())]
    Sqlite {
        /// The copied database.
        from: PathBuf,
        /// The copy.
        to: PathBuf,
        /// What SQLite said.
        source: SqliteError,
    },
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Something stands where the snapshot goes.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The meter said stop.
    #[error("stopped while copying the database {}", .0.display())]
    Stopped(PathBuf),
}

impl Database {
    /// Copies the whole database to a new file (0600), durably and all at once: until it is complete nothing stands at
    /// `to`. Answers its size in bytes.
    pub fn snapshot(&self, to: &Path, meter: &mut dyn Meter) -> Result<u64, SnapshotError> {
        let staged = beside(to, "snapshot", "tmp");
        remove_file_if_there(&staged)?;
        create_private(&staged).doing("create", &staged)?;
        let copied = self.copy_to(&staged, to, meter);
        if copied.is_err() {
            remove_file_if_there(&staged)?;
        }
        copied?;
        File::open(&staged).and_then(|file| file.sync_all()).doing("make durable", &staged)?;
        let bytes = std::fs::metadata(&staged).doing("look at", &staged)?.len();
        publish_new(&staged, to)?;
        sync_dir(to.parent().unwrap_or(Path::new(".")))?;
        Ok(bytes)
    }

    fn copy_to(&self, staged: &Path, to: &Path, meter: &mut dyn Meter) -> Result<(), SnapshotError> {
        let failed = |error: rusqlite::Error| SnapshotError::Sqlite {
            from: self.path().to_path_buf(),
            to: to.to_path_buf(),
            source: error.into(),
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut copy = Connection::open_with_flags(staged, flags).map_err(failed)?;
        // The copy is synced once, when it is complete; before that nobody knows of it.
        copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").map_err(failed)?;
        run(&Backup::new(&self.connection, &mut copy).map_err(failed)?, meter, self.path(), &failed)?;
        copy.close().map_err(|(_, error)| failed(error))
    }

    /// Brings a snapshot back into the existing file, whose inode, owner and mode stay.
    pub fn restore(&mut self, from: &Path) -> Result<(), SnapshotError> {
        let to = self.path().to_path_buf();
        let failed = |error: rusqlite::Error| SnapshotError::Sqlite {
            from: from.into(),
            to: to.clone(),
            source: error.into(),
        };
        let real = std::fs::canonicalize(from).doing("find the snapshot", from)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let snapshot = Connection::open_with_flags(immutable_uri(&real), flags).map_err(failed)?;
        let backup = Backup::new(&snapshot, &mut self.connection).map_err(failed)?;
        run(&backup, &mut durable_files::Quiet, from, &failed)
    }
}

fn run(
    backup: &Backup<'_, '_>,
    meter: &mut dyn Meter,
    from: &Path,
    failed: &dyn Fn(rusqlite::Error) -> SnapshotError,
) -> Result<(), SnapshotError> {
    loop {
        match backup.step(PAGES).map_err(failed)? {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Nobody else can have either end: this is the disk's answer.
            _ => return Err(failed(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(BUSY), None))),
        }
        if meter.passed(1 << 20).is_break() {
            return Err(SnapshotError::Stopped(from.to_path_buf()));
        }
    }
}

const BUSY: i32 = rusqlite::ffi::SQLITE_BUSY;

#[cfg(unix)]
fn create_private(file: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

#[cfg(not(unix))]
fn create_private(file: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(file)
}
