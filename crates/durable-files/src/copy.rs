//! A file written whole, durable and read back, under a name that nobody looks at.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::beside::{Followed, Follower};
use crate::digest::{CHUNK, digest_file, read_chunk};
use crate::{Digest, FileError, Fingerprint, InContext, is_world_failure, publish::remove_file_if_there};

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
    /// Whether runs of zeros take no room on the disk.
    pub sparse: bool,
}

impl Traits {
    /// Readable and writable by its owner alone, with the time of writing.
    pub const PRIVATE: Self = Self { mode: 0o600, mtime: None, sparse: false };

    /// The same with a modification time, in nanoseconds since 1970.
    #[must_use]
    pub fn with_mtime(self, mtime: i64) -> Self {
        Self { mtime: Some(mtime), ..self }
    }

    /// The permissions of the file at `path` (never a set-user-id bit), with the time of writing.
    pub fn like(path: &Path) -> Result<Self, FileError> {
        let metadata = std::fs::symlink_metadata(path).doing("look at", path)?;
        Ok(Self { mode: mode_of(&metadata) & 0o777, ..Self::PRIVATE })
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

/// Copies `source`, which must look like `expected` before and after, to the new file `staged`: written, read back,
/// compared, given its traits and made durable. A leftover at `staged` is replaced.
pub fn copy_file(
    source: &Path,
    expected: &Fingerprint,
    staged: &Path,
    traits: Traits,
    meter: &mut dyn Meter,
) -> Result<Copied, CopyError> {
    let mut reader = open_expected(source, expected)?;
    let copied = write_stream(&mut reader, source, staged, traits, meter)?;
    let after = reader.metadata().doing("look at", source)?;
    if Fingerprint::of(&after) == *expected {
        Ok(copied)
    } else {
        Err(CopyError::SourceChanged(source.to_path_buf()))
    }
}

/// Writes `content` to the new file `staged`, with all the care of [`copy_file`].
pub fn write_file(content: &[u8], staged: &Path, traits: Traits) -> Result<Copied, CopyError> {
    write_stream(&mut &content[..], staged, staged, traits, &mut Quiet)
}

/// Writes what `reader` gives, which comes from `source`, to the new file `staged`, with all the care of [`copy_file`].
pub fn write_stream(
    reader: &mut dyn Read,
    source: &Path,
    staged: &Path,
    traits: Traits,
    meter: &mut dyn Meter,
) -> Result<Copied, CopyError> {
    remove_file_if_there(staged)?;
    let (file, written) = create(reader, source, staged, traits, meter)?;
    file.sync_all().doing("make durable", staged)?;
    Ok(written)
}

/// Writes what `give` gives to the new file `staged`, with all the care of [`copy_file`]: for content that is not in memory
/// as a whole.
pub fn write_with(
    staged: &Path,
    traits: Traits,
    give: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<Copied, CopyError> {
    remove_file_if_there(staged)?;
    let file = create_private_file(staged).doing("create", staged)?;
    let mut out =
        BufWriter::with_capacity(CHUNK, Followable { file: &file, follower: Follower::new(staged) });
    give(&mut out).and_then(|()| out.flush()).doing("write", staged)?;
    let (out, _) = out.into_parts();
    let written = settle(&file, out.follower.finish()?, staged, traits, &mut Quiet)?;
    file.sync_all().doing("make durable", staged)?;
    Ok(written)
}

/// Does all that [`write_stream`] does but the first and the last: nothing may stand at `staged`, and the new file is
/// durable only after [`crate::Unsynced::sync`], so that many can share one sync.
pub fn write_new(
    reader: &mut dyn Read,
    source: &Path,
    staged: &Path,
    traits: Traits,
    meter: &mut dyn Meter,
) -> Result<Copied, CopyError> {
    create(reader, source, staged, traits, meter).map(|(_file, written)| written)
}

/// What is read back is read before the mode comes, which may forbid it.
fn create(
    reader: &mut dyn Read,
    source: &Path,
    staged: &Path,
    traits: Traits,
    meter: &mut dyn Meter,
) -> Result<(File, Copied), CopyError> {
    let mut file = create_private_file(staged).doing("create", staged)?;
    let followed = pour(reader, source, &mut file, staged, traits.sparse, meter)?;
    let copied = settle(&file, followed, staged, traits, meter)?;
    Ok((file, copied))
}

/// What was written to a file is compared with what is there, and the file gets its traits.
fn settle(
    file: &File,
    Followed { digest: expected, is_read_back }: Followed,
    staged: &Path,
    traits: Traits,
    meter: &mut dyn Meter,
) -> Result<Copied, CopyError> {
    let found = if is_read_back { expected } else { digest_file(staged, meter)?.digest };
    if found != expected {
        return Err(CopyError::Damaged { path: staged.to_path_buf(), expected, found });
    }
    dress(file, traits).doing("set mode and time of", staged)?;
    let written = Fingerprint::of(&file.metadata().doing("look at", staged)?);
    Ok(Copied { digest: found, written })
}

/// Opens a source that must look like this.
pub fn open_expected(source: &Path, expected: &Fingerprint) -> Result<File, CopyError> {
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

/// Writes everything; what is long is read back on the way.
fn pour(
    reader: &mut dyn Read,
    source: &Path,
    file: &mut File,
    staged: &Path,
    sparse: bool,
    meter: &mut dyn Meter,
) -> Result<Followed, CopyError> {
    let mut follower = Follower::new(staged);
    let mut len = 0;
    let mut buffer = Vec::with_capacity(CHUNK);
    while read_chunk(reader, &mut buffer).doing("read", source)? {
        len += buffer.len() as u64;
        let put = if sparse { write_sparsely(file, &buffer, len) } else { file.write_all(&buffer) };
        put.doing("write", staged)?;
        follower.wrote(file, &buffer)?;
        if meter.passed(buffer.len() as u64).is_break() {
            return Err(CopyError::Stopped);
        }
    }
    follower.finish()
}

/// Writes to a file, and is followed.
struct Followable<'f> {
    file: &'f File,
    follower: Follower<'f>,
}

impl Write for Followable<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.follower.wrote(self.file, &bytes[..written]).map_err(|error| error.source)?;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a hole is a multiple of, in bytes.
const BLOCK: usize = 4096;

/// Writes at the file's position, and passes over blocks of zeros; the file is `len` bytes long then.
fn write_sparsely(file: &mut File, bytes: &[u8], len: u64) -> std::io::Result<()> {
    let is_zero = |block: &[u8]| block.iter().all(|byte| *byte == 0);
    let same_kind = |a: &[u8], b: &[u8]| is_zero(a) == is_zero(b);
    let blocks: Vec<&[u8]> = bytes.chunks(BLOCK).collect();
    let mut rest = bytes;
    for run in blocks.chunk_by(|a, b| same_kind(a, b)) {
        let (run, after) = rest.split_at(run.iter().map(|block| block.len()).sum());
        rest = after;
        if is_zero(run) {
            file.seek(SeekFrom::Current(i64::try_from(run.len()).unwrap_or(i64::MAX)))?;
        } else {
            file.write_all(run)?;
        }
    }
    file.set_len(len) // a hole at the end has not been written
}

/// The mode comes last of all but the time, since it may take away our own right to write.
fn dress(file: &File, traits: Traits) -> std::io::Result<()> {
    if let Some(mtime) = traits.mtime {
        file.set_modified(from_nanos(mtime))?;
    }
    set_mode(file, traits.mode)
}

/// Gives a folder its mode and time. That it cannot have the time there is no failure.
pub fn dress_dir(dir: &Path, traits: Traits) -> Result<(), FileError> {
    if cfg!(windows) {
        return Ok(()); // no handle to a directory in safe code: see Limitations
    }
    let file = File::open(dir).doing("open the folder", dir)?;
    if let Some(mtime) = traits.mtime {
        match file.set_modified(from_nanos(mtime)) {
            Err(error) if is_world_failure(&error) => return Err(error).doing("set the time of", dir),
            _ => {}
        }
    }
    set_mode(&file, traits.mode).doing("set the mode of", dir)
}

fn from_nanos(nanos: i64) -> SystemTime {
    let age = Duration::from_nanos(nanos.unsigned_abs());
    if nanos < 0 { SystemTime::UNIX_EPOCH - age } else { SystemTime::UNIX_EPOCH + age }
}

/// Opens what is a regular file itself; a symlink is not followed, a pipe not waited for.
pub fn open_regular(path: &Path) -> Result<File, FileError> {
    let file = open_without_following(path).doing("open", path)?;
    if file.metadata().doing("look at", path)?.is_file() {
        return Ok(file);
    }
    let found = std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file");
    Err(FileError::new("read", path, found))
}

#[cfg(unix)]
pub(crate) fn open_without_following(path: &Path) -> std::io::Result<File> {
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
        let content: Vec<u8> = (0..40 * CHUNK + 17).map(|i| u8::try_from(i % 251).unwrap()).collect();
        for length in [0, 17, CHUNK, 3 * CHUNK + 17, 4 * CHUNK, content.len()] {
            let content = &content[..length];
            std::fs::write(&source, content).unwrap();
            let traits = Traits::PRIVATE.with_mtime(-1_234_567_891);
            let expected = Fingerprint::of_file(&source).unwrap();
            let copied = copy_file(&source, &expected, &staged, traits, &mut Quiet).unwrap();
            assert!(std::fs::read(&staged).unwrap() == content, "{length} bytes");
            assert_eq!(copied.digest, Digest::of(content));
            assert_eq!(Fingerprint::of_file(&staged).unwrap().mtime, -1_234_567_891);
        }
    }

    #[test]
    fn what_comes_back_from_the_disk_must_be_what_was_written_however_long_it_is() {
        struct Meddling<'p>(std::io::Take<std::io::Repeat>, &'p Path);
        impl Read for Meddling<'_> {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                let read = self.0.read(into)?;
                if read == 0 {
                    OpenOptions::new().append(true).open(self.1)?.write_all(b"x")?;
                }
                Ok(read)
            }
        }
        let folder = folder();
        let staged = folder.path().join("b");
        for length in [CHUNK, 8 * CHUNK] {
            let mut meddling = Meddling(std::io::repeat(7).take(length as u64), &staged);
            let outcome = write_stream(&mut meddling, &staged, &staged, Traits::PRIVATE, &mut Quiet);
            assert!(matches!(outcome, Err(CopyError::Damaged { .. })), "{outcome:?}");
        }
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

    #[cfg(unix)]
    #[test]
    fn holes_stay_holes_and_every_byte_is_kept() {
        use std::os::unix::fs::MetadataExt;
        let folder = folder();
        let mut content = vec![0; 7 * CHUNK + 17];
        for at in [5, 2 * CHUNK - 1] {
            content[at] = 1;
        }
        for length in [content.len(), 3 * CHUNK + 17, 2 * CHUNK, 0] {
            let staged = folder.path().join("b");
            let traits = Traits { sparse: true, ..Traits::PRIVATE };
            let written =
                write_stream(&mut &content[..length], &staged, &staged, traits, &mut Quiet).unwrap();
            assert_eq!(std::fs::read(&staged).unwrap(), content[..length]);
            assert_eq!(written.digest, Digest::of(&content[..length]));
            let blocks = std::fs::metadata(&staged).unwrap().blocks() * 512;
            assert!(blocks <= 4 * BLOCK as u64, "{blocks} bytes on the disk");
        }
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
