//! An `io::Error` never travels without what was being done and on what.

use std::io;
use std::path::{Path, PathBuf};

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}: {source}", path.display())]
pub struct FileError {
    /// What was being done, as a verb: "open", "create the folder".
    pub doing: &'static str,
    /// What it was done to.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl FileError {
    /// Ties an error of the operating system to what was being done.
    pub fn new(doing: &'static str, path: impl AsRef<Path>, source: impl Into<io::Error>) -> Self {
        Self { doing, path: path.as_ref().to_path_buf(), source: source.into() }
    }

    /// Whether the thing was simply not there.
    pub fn is_not_found(&self) -> bool {
        is_not_found(&self.source)
    }

    /// Whether there was no room for it.
    pub fn is_for_lack_of_room(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }

    /// Whether the failure is of the machine rather than of this one file: see [`is_world_failure`].
    pub fn is_world_failure(&self) -> bool {
        is_world_failure(&self.source)
    }
}

/// Whether nothing is there: not the thing, or no folder that could hold it.
pub(crate) fn is_not_found(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether an error speaks of the machine (no room, no quota, a read-only or failing disk, too many open files) and
/// would meet the next file as well.
pub fn is_world_failure(error: &io::Error) -> bool {
    use io::ErrorKind::{OutOfMemory, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    const EIO: i32 = 5;
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem | OutOfMemory)
        || (cfg!(unix) && matches!(error.raw_os_error(), Some(EIO | ENFILE | EMFILE)))
}

/// Adds to an `io::Result` what was being done.
pub trait InContext<T> {
    /// Names the verb and the path.
    fn doing(self, doing: &'static str, path: impl AsRef<Path>) -> Result<T, FileError>;
}

impl<T, E: Into<io::Error>> InContext<T> for Result<T, E> {
    fn doing(self, doing: &'static str, path: impl AsRef<Path>) -> Result<T, FileError> {
        self.map_err(|source| FileError::new(doing, path, source))
    }
}
