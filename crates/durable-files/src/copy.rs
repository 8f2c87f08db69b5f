//! A file written whole, durable and read back, under a name that nobody looks at.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::digest::{CHUNK, digest_file};
use crate::{
    Digest, FileError, Fingerprint, Hasher, InContext, publish::remove_file_if_there, sync::sync_file,
};

/// Sees the bytes pass, and may say stop.
pub trait Meter {
    /// `bytes` more have been written; [`ControlFlow::Break`] ends the copy with [`CopyError::Stopped`].
    fn passed(&mut self, bytes: u64) -> ControlFlow<()>;
}

/// A [`Meter`] that never stops anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Meter for Quiet {
    fn passed(&mut self, _bytes: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// What a written file shall look like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// The permission bits (ignored where the system has none).
    pub mode: u32,
    /// The modification time in nanoseconds since 1970; `None` leaves the time of writing.
    pub mtime: Option<i64>,
}

impl Traits {
    /// Readable and writable by its owner alone, with the time of writing.
    pub const PRIVATE: Self = Self { mode: 0o600, mtime: None };

    /// The permissions of the file at `path` (never a set-user-id bit), with the time of writing.
    pub fn like(path: &Path) -> Result<Self, FileError> {
        let metadata = std::fs::symlink_metadata(path).doing("look at", path)?;
        Ok(Self { mode: mode_of(&metadata) & 0o777, mtime: None })
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The SHA-256 of every byte, as written and as read back.
    pub digest: Digest,
    /// The new file as it stands.
    pub written: Fingerprint,
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source is no longer what the caller expected, before or after reading it.
    #[error("{} changed while it was being read", .0.display())]
    SourceChanged(PathBuf),
    /// What came back from the disk is not what was written.
    #[error("{} holds {found} after {expected} was written to it", path.display())]
    Damaged {
        /// The new file.
        path: PathBuf,
        /// The digest of what was written.
        expected: Digest,
        /// The digest of what was read back.
        found: Digest,
    },
    /// The [`Meter`] said stop.
    #[error("stopped")]
    Stopped,
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Copies `source`, which must look like `expected` before and after, to the new file `staged`: written, given its
/// traits, read back, compared and made durable. A leftover at `staged` is replaced.
pub fn copy_file(
    source: &Path,
    expected: &Fingerprint,
    staged: &Path,
    traits: Traits,
    meter: &mut dyn Meter,
) -> Result<Copied, CopyError> {
    let copied = copy_file_undurably(source, expected, staged, traits, meter)?;
    sync_file(staged)?;
    Ok(copied)
}

/// Does all that [`copy_file`] does but the last: the new file is durable only after [`crate::Unsynced::sync`], so that many can
/// share one sync.
pub fn copy_file_undurably(
    source: &Path,
    expected: &Fingerprint,
    staged: &Path,
    traits: Traits,
    meter: &mut dyn Meter,
) -> Result<Copied, CopyError> {
    let mut reader = open_as_expected(source, expected)?;
    let copied = write_staged(&mut reader, source, staged, traits, meter)?;
    let after = reader.metadata().doing("look at", source)?;
    if Fingerprint::of(&after) != *expected {
        return Err(CopyError::SourceChanged(source.to_path_buf()));
    }
    Ok(copied)
}

/// Writes `content` to the new file `staged`, with all the care of [`copy_file`].
pub fn write_file(content: &[u8], staged: &Path, traits: Traits) -> Result<Copied, CopyError> {
    let written = write_staged(&mut &content[..], staged, staged, traits, &mut Quiet)?;
    sync_file(staged)?;
    Ok(written)
}

/// Writes what `reader` gives, which comes from `source`, to the new file `staged`, with all the care of [`copy_file`].
pub fn write_stream(
    reader: &mut dyn Read,
    source: &Path,
    staged: &Path,
    traits: Traits,
    meter: &mut dyn Meter,
) -> Result<Copied, CopyError> {
    let written = write_staged(reader, source, staged, traits, meter)?;
    sync_file(staged)?;
    Ok(written)
}

fn open_as_expected(source: &Path, expected: &Fingerprint) -> Result<File, CopyError> {
    let file = match open_without_following(source) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(CopyError::SourceChanged(source.to_path_buf()));
        }
        opened => opened.doing("open", source)?,
    };
    let metadata = file.metadata().doing("look at", source)?;
    if !metadata.is_file() || Fingerprint::of(&metadata) != *expected {
        return Err(CopyError::SourceChanged(source.to_path_buf()));
    }
    Ok(file)
}

fn write_staged(
    reader: &mut dyn Read,
    source: &Path,
    staged: &Path,
    traits: Traits,
    meter: &mut dyn Meter,
) -> Result<Copied, CopyError> {
    remove_file_if_there(staged)?;
    let mut file = create_private_file(staged).doing("create", staged)?;
    let expected = pour(reader, source, &mut file, staged, meter)?;
    dress(&file, traits).doing("set mode and time of", staged)?;
    let written = Fingerprint::of(&file.metadata().doing("look at", staged)?);
    let found = digest_file(staged, meter)?.digest;
    if found == expected {
        Ok(Copied { digest: found, written })
    } else {
        Err(CopyError::Damaged { path: staged.to_path_buf(), expected, found })
    }
}

fn pour(
    reader: &mut dyn Read,
    source: &Path,
    file: &mut File,
    staged: &Path,
    meter: &mut dyn Meter,
) -> Result<Digest, CopyError> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = reader.read(&mut buffer).doing("read", source)?;
        if read == 0 {
            return Ok(hasher.finish().digest);
        }
        hasher.update(&buffer[..read]);
        file.write_all(&buffer[..read]).doing("write", staged)?;
        if meter.passed(read as u64).is_break() {
            return Err(CopyError::Stopped);
        }
    }
}

/// The mode comes last of all but the time, since it may take away our own right to write.
fn dress(file: &File, traits: Traits) -> std::io::Result<()> {
    if let Some(mtime) = traits.mtime {
        file.set_modified(from_nanos(mtime))?;
    }
    set_mode(file, traits.mode)
}

fn from_nanos(nanos: i64) -> SystemTime {
    let age = Duration::from_nanos(nanos.unsigned_abs());
    if nanos < 0 { SystemTime::UNIX_EPOCH - age } else { SystemTime::UNIX_EPOCH + age }
}

/// Opens what is a regular file itself.
pub(crate) fn open_regular(path: &Path) -> Result<File, FileError> {
    let file = open_without_following(path).doing("open", path)?;
    if file.metadata().doing("look at", path)?.is_file() {
        return Ok(file);
    }
    let found = std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file");
    Err(FileError::new("read", path, found))
}

#[cfg(unix)]
fn open_without_following(path: &Path) -> std::io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    // NONBLOCK, so that a pipe put in the place of a file cannot make us wait for ever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(open(path, flags, Mode::empty())?))
}

#[cfg(not(unix))]
fn open_without_following(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

fn create_private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(unix)]
fn mode_of(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions())
}

#[cfg(not(unix))]
fn mode_of(_metadata: &std::fs::Metadata) -> u32 {
    Traits::PRIVATE.mode
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where there are modes")]
fn set_mode(_file: &File, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_copy_keeps_every_byte_and_the_time_to_the_nanosecond() {
        let folder = folder();
        let (source, staged) = (folder.path().join("a"), folder.path().join("b"));
        let content: Vec<u8> = (0..3 * CHUNK + 17).map(|i| u8::try_from(i % 251).unwrap()).collect();
        std::fs::write(&source, &content).unwrap();
        let traits = Traits { mode: 0o600, mtime: Some(-1_234_567_891) };
        let expected = Fingerprint::of_file(&source).unwrap();
        let copied = copy_file(&source, &expected, &staged, traits, &mut Quiet).unwrap();
        assert_eq!(std::fs::read(&staged).unwrap(), content);
        assert_eq!(copied.digest, Digest::of(&content));
        assert_eq!(Fingerprint::of_file(&staged).unwrap().mtime, -1_234_567_891);
    }

    #[test]
    fn a_source_that_changed_since_it_was_looked_at_is_not_copied() {
        let folder = folder();
        let (source, staged) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&source, "one").unwrap();
        let expected = Fingerprint::of_file(&source).unwrap();
        std::fs::write(&source, "longer").unwrap();
        let outcome = copy_file(&source, &expected, &staged, Traits::PRIVATE, &mut Quiet);
        assert!(matches!(outcome, Err(CopyError::SourceChanged(_))));
        assert!(!staged.exists());
    }

    #[test]
    fn a_source_that_changes_while_it_is_read_is_not_copied() {
        struct Writer(PathBuf);
        impl Meter for Writer {
            fn passed(&mut self, _bytes: u64) -> ControlFlow<()> {
                std::fs::write(&self.0, "longer").unwrap();
                ControlFlow::Continue(())
            }
        }
        let folder = folder();
        let source = folder.path().join("a");
        std::fs::write(&source, "one").unwrap();
        let expected = Fingerprint::of_file(&source).unwrap();
        let mut meter = Writer(source.clone());
        let outcome = copy_file(&source, &expected, &folder.path().join("b"), Traits::PRIVATE, &mut meter);
        assert!(matches!(outcome, Err(CopyError::SourceChanged(_))), "{outcome:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_put_in_the_place_of_a_source_is_not_followed() {
        let folder = folder();
        let (secret, source) = (folder.path().join("secret"), folder.path().join("a"));
        std::fs::write(&secret, "secret").unwrap();
        std::os::unix::fs::symlink(&secret, &source).unwrap();
        let expected = Fingerprint::of_file(&secret).unwrap();
        assert!(
            copy_file(&source, &expected, &folder.path().join("b"), Traits::PRIVATE, &mut Quiet).is_err()
        );
    }

    #[test]
    fn a_stop_is_heard_within_a_chunk() {
        struct Once;
        impl Meter for Once {
            fn passed(&mut self, _bytes: u64) -> ControlFlow<()> {
                ControlFlow::Break(())
            }
        }
        let folder = folder();
        let source = folder.path().join("a");
        std::fs::write(&source, vec![0; 5 * CHUNK]).unwrap();
        let expected = Fingerprint::of_file(&source).unwrap();
        let staged = folder.path().join("b");
        let outcome = copy_file(&source, &expected, &staged, Traits::PRIVATE, &mut Once);
        assert!(matches!(outcome, Err(CopyError::Stopped)));
        let half = std::fs::metadata(&staged).unwrap();
        assert_eq!(half.len(), CHUNK as u64);
        #[cfg(unix)]
        assert_eq!(mode_of(&half) & 0o777, 0o600, "private from its first byte");
    }
}
