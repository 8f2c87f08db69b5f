//! What a file looked like, without reading it.

use std::fs::Metadata;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{FileError, InContext};

/// The identity and the outward signs of a regular file: two equal fingerprints mean the same, unchanged file.
///
/// A write within the clock's granularity can leave all of this as it was; whoever takes the fingerprint of a file that
/// changed less than two seconds ago adds a digest (design: fingerprints in the plan, digests while staging).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The device (0 where the system has none).
    pub dev: u64,
    /// The inode (0 where the system has none).
    pub ino: u64,
    /// The size in bytes.
    pub size: u64,
    /// The modification time in nanoseconds since 1970.
    pub mtime: i64,
    /// The change time in nanoseconds since 1970 (0 where the system has none).
    pub ctime: i64,
}

impl Fingerprint {
    /// The fingerprint of what stands at `path` itself; a symlink is not followed.
    pub fn of_file(path: &Path) -> Result<Self, FileError> {
        std::fs::symlink_metadata(path).doing("look at", path).map(|metadata| Self::of(&metadata))
    }

    /// The fingerprint in metadata already at hand.
    #[cfg(unix)]
    pub fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            dev: metadata.dev(),
            ino: metadata.ino(),
            size: metadata.size(),
            mtime: nanos(metadata.mtime(), metadata.mtime_nsec()),
            ctime: nanos(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The fingerprint in metadata already at hand: size and modification time are all that safe code sees here.
    #[cfg(not(unix))]
    pub fn of(metadata: &Metadata) -> Self {
        let mtime = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
            .map_or(0, |age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
        Self { dev: 0, ino: 0, size: metadata.len(), mtime, ctime: 0 }
    }

    /// Whether the file changed less than two seconds before `now` (nanoseconds since 1970), so that another write might
    /// not show.
    pub fn is_young(&self, now: i128) -> bool {
        now - i128::from(self.ctime.max(self.mtime)) < 2_000_000_000
    }

    /// Whether this is the same file with the same bytes as far as can be seen from outside; the change time may
    /// differ, since renaming a file or changing its mode moves it.
    pub fn same_file(&self, other: &Self) -> bool {
        Self { ctime: 0, ..*self } == Self { ctime: 0, ..*other }
    }
}

#[cfg(unix)]
fn nanos(seconds: i64, nanos: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}
