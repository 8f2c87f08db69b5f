//! How much room a destination has, and whether it may be written to.

use std::path::{Path, PathBuf};

use crate::FileError;

/// Free room on the file system that holds a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Tells one file system from another.
    pub device: u64,
    /// Bytes that this user may still write.
    pub bytes: u64,
    /// Files that may still be created (`u64::MAX` where the file system does not count them).
    pub inodes: u64,
}

/// Less room than is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not enough room at {}: {bytes} bytes in {inodes} files are needed, {} bytes and {} files are free",
    at.display(), free.bytes, free.inodes
)]
pub struct Shortage {
    /// Some place on the file system in question.
    pub at: PathBuf,
    /// What is needed, in bytes.
    pub bytes: u64,
    /// What is needed, in files and folders.
    pub inodes: u64,
    /// What is free.
    pub free: Room,
}

impl Room {
    /// Refuses what takes more than this room, which is at `at`.
    pub fn must_hold(self, at: &Path, bytes: u64, inodes: u64) -> Result<(), Shortage> {
        if self.bytes >= bytes && self.inodes >= inodes {
            return Ok(());
        }
        Err(Shortage { at: at.to_path_buf(), bytes, inodes, free: self })
    }
}

/// The room at `path`, or at its nearest ancestor that exists.
#[cfg(unix)]
pub fn room_at(path: &Path) -> Result<Room, FileError> {
    use crate::InContext;
    use std::os::unix::fs::MetadataExt;
    let existing = path.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    let stat = rustix::fs::statvfs(existing).doing("ask for the free room at", existing)?;
    let device = std::fs::metadata(existing).doing("look at", existing)?.dev();
    let inodes = if stat.f_files == 0 { u64::MAX } else { stat.f_favail };
    Ok(Room { device, bytes: stat.f_bavail.saturating_mul(stat.f_frsize), inodes })
}

/// The room at `path`: not known from safe code here, so never the reason of a refusal.
#[cfg(not(unix))]
pub fn room_at(_path: &Path) -> Result<Room, FileError> {
    Ok(Room { device: 0, bytes: u64::MAX, inodes: u64::MAX })
}

/// Whether this user may make things at `path`, or at its nearest ancestor that exists. An error names what stands
/// against it: the permissions, or that the file system is read-only.
#[cfg(unix)]
pub fn must_be_writable(path: &Path) -> Result<(), FileError> {
    use crate::InContext;
    use rustix::fs::Access;
    let existing = path.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(existing, wanted).doing("write to", existing)
}

/// Whether this user may make things at `path`: not known from safe code here, so never the reason of a refusal.
#[cfg(not(unix))]
pub fn must_be_writable(_path: &Path) -> Result<(), FileError> {
    Ok(())
}
