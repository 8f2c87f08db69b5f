//! Opening files: the one place that reads them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

#[cfg(any(feature = "convocate", feature = "cowork", feature = "openclaw"))]
use durable_files::verbatim;
use session_model::{Anomaly, Place, Timestamp};

/// Nothing that these tools wrote comes near this size; what does is not read into memory.
const LARGEST: u64 = 64 << 20;

/// Reads a whole file into `buffer` (what it held is gone) and returns the file's modification time.
#[cfg(feature = "ao")]
pub(crate) fn read_into(buffer: &mut Vec<u8>, path: &Path) -> io::Result<Timestamp> {
    fill(buffer, open(path)?)
}

/// The same, of a file that is open.
pub(crate) fn fill(buffer: &mut Vec<u8>, file: File) -> io::Result<Timestamp> {
    buffer.clear();
    let metadata = file.metadata()?;
    if metadata.len() > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    buffer.reserve(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    file.take(LARGEST).read_to_end(buffer)?;
    Ok(metadata.modified().map_or(Timestamp::UNIX_EPOCH, timestamp))
}

/// Opens a file, also behind a symlink. Anything else is not opened at all: a pipe would be waited for without end.
#[cfg(feature = "ao")]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    File::open(path)
}

/// Opens a regular file that stands under this very name; nothing else is opened, since a pipe's writer would notice.
#[cfg(any(feature = "convocate", feature = "cowork", feature = "openclaw"))]
pub(crate) fn open_itself(path: &Path) -> io::Result<File> {
    let found = std::fs::symlink_metadata(verbatim(path))?;
    if found.is_file() { open_now(path) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// What has taken the file's place since the last look is not followed, waited for or read.
#[cfg(any(feature = "convocate", feature = "cowork", feature = "openclaw"))]
fn open_now(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    take_the_name_itself(&mut options);
    let file = options.open(verbatim(path))?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

#[cfg(all(unix, any(feature = "convocate", feature = "cowork", feature = "openclaw")))]
fn take_the_name_itself(options: &mut std::fs::OpenOptions) {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    options.custom_flags(i32::try_from(flags).expect("because flags of open are an int"));
}

#[cfg(all(windows, any(feature = "convocate", feature = "cowork", feature = "openclaw")))]
fn take_the_name_itself(options: &mut std::fs::OpenOptions) {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
}

/// Reads a whole file. `None` when there is none.
#[cfg(feature = "ao")]
pub(crate) fn read(path: &Path) -> io::Result<Option<(Vec<u8>, Timestamp)>> {
    let mut bytes = Vec::new();
    match read_into(&mut bytes, path) {
        Ok(mtime) => Ok(Some((bytes, mtime))),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a path leads nowhere, be it because a folder on the way is a file.
pub(crate) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A file or folder that the system would not let us read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Anomaly {
    let message = match error.kind() {
        io::ErrorKind::InvalidInput => "expected a regular file, found something else".to_owned(),
        kind => format!("expected to be able to read it, the system says: {kind}"),
    };
    Anomaly::new("unreadable", message).at(Place::new(path))
}

/// A file's time, kept within the years that have four digits.
pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    let earliest = Timestamp::UNIX_EPOCH;
    Timestamp::try_from(time).unwrap_or(earliest).clamp(earliest, latest())
}

/// The last second that can be written with a year of four digits.
pub(crate) fn latest() -> Timestamp {
    Timestamp::from_second(253_402_207_200).expect("because it is a second of the year 9999")
}

#[cfg(all(test, unix, any(feature = "convocate", feature = "cowork", feature = "openclaw")))]
mod tests {
    use super::open_now;

    #[test]
    fn what_takes_a_files_place_at_the_last_moment_is_neither_followed_nor_waited_for() {
        let place = tempfile::tempdir().unwrap();
        let [file, link, pipe] = ["file", "link", "pipe"].map(|name| place.path().join(name));
        std::fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(open_now(&file).is_ok());
        for other in [&link, &pipe, place.path()] {
            assert!(open_now(other).is_err(), "{}", other.display());
        }
    }
}
