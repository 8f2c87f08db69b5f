//! Files of another host, brought here through its SFTP server: looked at before and after, hashed here, and after a
//! break gone on with where it broke.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use durable_files::{
    CopyError, Digested, FileError, Hasher, InContext, Meter, create_private_dirs, digest_file, open_regular,
    publish_over, remove_file_if_there,
};

use crate::display;
use crate::sftp::{AT_A_TIME, FileAttributes, SMALL, Sftp, SftpError, Small};
use crate::transport::TransportError;

/// A file that was brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledFile {
    /// Where it is now.
    pub path: PathBuf,
    /// The SHA-256 of what arrived, and its length.
    pub content: Digested,
    /// How much of it came this time, in bytes: nothing if it was here already.
    pub came: u64,
}

/// A folder that was brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PulledTree {
    /// Its files.
    pub files: Vec<PulledFile>,
    /// What stayed there: paths below the folder, each with the reason.
    pub left: Vec<(Vec<u8>, &'static str)>,
}

/// Why something was not brought.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The other host did not give it.
    #[error(transparent)]
    Sftp(SftpError),
    /// It is not a regular file, or its length is not told.
    #[error("{path} on {peer} is not a file that can be read")]
    NotAFile {
        /// The path there.
        path: String,
        /// Whom one talked to.
        peer: String,
    },
    /// It became something else while it was read.
    #[error("{path} on {peer} changed while it was being read")]
    Changed {
        /// The path there.
        path: String,
        /// Whom one talked to.
        peer: String,
    },
    /// The [`Meter`] said stop.
    #[error("stopped")]
    Stopped,
    /// It cannot be written here.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<SftpError> for PullError {
    fn from(error: SftpError) -> Self {
        match error {
            SftpError::Link(TransportError::Stopped) => Self::Stopped,
            error => Self::Sftp(error),
        }
    }
}

/// How deep folders may be nested.
const DEPTH: usize = 200;

/// Brings one file to `target`. What is there already with the same length and time is not brought again; what came of
/// it before a break is kept beside it, and only the rest is asked for.
pub fn pull_file(
    sftp: &mut Sftp<'_>,
    source: &[u8],
    target: &Path,
    meter: &mut dyn Meter,
) -> Result<PulledFile, PullError> {
    let before = sftp.stat(source)?;
    let Some(size) = before.size.filter(|_| before.is_file()) else {
        return Err(PullError::NotAFile { path: display(source), peer: sftp.peer().to_owned() });
    };
    let changed =
        |sftp: &Sftp<'_>| PullError::Changed { path: display(source), peer: sftp.peer().to_owned() };
    if is_here(target, &before) {
        return Ok(PulledFile { path: target.to_owned(), content: digest(target, meter)?, came: 0 });
    }
    create_private_dirs(target.parent().unwrap_or(target))?;
    let part = Part::of(target, size, &before);
    let (mut file, had) = part.open()?;
    let mut hasher = part.begun(had, meter)?;
    let mut failed: Option<PullError> = None;
    let mut came = 0;
    sftp.read(source, had, &mut |data| {
        came += data.len() as u64;
        if had + came > size {
            return false; // it grows, without an end for all one knows
        }
        hasher.update(data);
        failed = match file.write_all(data).doing("write", &part.path) {
            Err(error) => Some(error.into()),
            Ok(()) if meter.passed(data.len() as u64).is_break() => Some(PullError::Stopped),
            Ok(()) => None,
        };
        failed.is_none()
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    if had + came != size || sftp.stat(source)? != before {
        drop(file);
        remove_file_if_there(&part.path)?;
        return Err(changed(sftp));
    }
    let content = part.finish(file, hasher.finish(), target, &before, meter)?;
    Ok(PulledFile { path: target.to_owned(), content, came })
}

/// A file that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The path there.
    pub source: Vec<u8>,
    /// Where it goes here.
    pub target: PathBuf,
    /// What was told of it when it was listed.
    pub told: FileAttributes,
}

/// Brings files in this order, each as [`pull_file`] does; small ones that stand together come together.
pub fn pull_files(
    sftp: &mut Sftp<'_>,
    wanted: &[Wanted],
    meter: &mut dyn Meter,
) -> Result<Vec<PulledFile>, PullError> {
    let is_small = |file: &Wanted| {
        file.told.size.is_some_and(|size| size <= SMALL) && !is_here(&file.target, &file.told)
    };
    let mut pulled = Vec::new();
    for together in wanted.chunk_by(|a, b| is_small(a) && is_small(b)) {
        for some in together.chunks(AT_A_TIME) {
            let sources: Vec<&[u8]> = some.iter().map(|file| &*file.source).collect();
            let read = if some.iter().all(is_small) { sftp.read_small(&sources)? } else { Vec::new() };
            let mut read = read.into_iter();
            for Wanted { source, target, .. } in some {
                // Whatever is odd about a file is found out with that file alone.
                pulled.push(match read.next().flatten().filter(Small::is_whole) {
                    Some(small) => put(&small, target, meter)?,
                    None => pull_file(sftp, source, target, meter)?,
                });
            }
        }
    }
    Ok(pulled)
}

/// What came in one go becomes a file.
fn put(small: &Small, target: &Path, meter: &mut dyn Meter) -> Result<PulledFile, PullError> {
    let came = small.content.len() as u64;
    create_private_dirs(target.parent().unwrap_or(target))?;
    let part = Part::of(target, came, &small.before);
    let (mut file, _) = part.open()?;
    file.set_len(0).doing("empty", &part.path)?;
    file.write_all(&small.content).doing("write", &part.path)?;
    let mut hasher = Hasher::default();
    hasher.update(&small.content);
    let content = part.finish(file, hasher.finish(), target, &small.before, meter)?;
    if meter.passed(came).is_break() {
        return Err(PullError::Stopped);
    }
    Ok(PulledFile { path: target.to_owned(), content, came })
}

/// Brings a folder with what `choose` wants of it, by paths below it, to `target`. Links and special files stay there,
/// and so does what has a name that cannot be one here.
pub fn pull_tree(
    sftp: &mut Sftp<'_>,
    source: &[u8],
    target: &Path,
    choose: &dyn Fn(&[u8], &FileAttributes) -> bool,
    meter: &mut dyn Meter,
) -> Result<PulledTree, PullError> {
    let mut pulled = PulledTree::default();
    let mut folders = VecDeque::from([(Vec::new(), 0)]);
    while let Some((folder, depth)) = folders.pop_front() {
        let listed = sftp.list(&joined(source, &folder))?;
        if let Some(here) = local(target, &folder) {
            create_private_dirs(&here)?;
        }
        let mut wanted = Vec::new();
        for (name, found) in listed {
            let path = if folder.is_empty() { name } else { [&folder[..], &name].join(&b'/') };
            if !choose(&path, &found) {
                continue;
            }
            match local(target, &path) {
                None => pulled.left.push((path, "its name cannot be one here")),
                Some(_) if found.is_dir() && depth < DEPTH => folders.push_back((path, depth + 1)),
                Some(target) if found.is_file() => {
                    wanted.push(Wanted { source: joined(source, &path), target, told: found });
                }
                Some(_) if found.is_symlink() => pulled.left.push((path, "it is a link")),
                Some(_) => pulled.left.push((path, "it is neither a file nor a folder")),
            }
        }
        pulled.files.extend(pull_files(sftp, &wanted, meter)?);
    }
    Ok(pulled)
}

fn joined(root: &[u8], below: &[u8]) -> Vec<u8> {
    if below.is_empty() { root.to_owned() } else { [root, below].join(&b'/') }
}

/// Where it goes here; nothing for what could lead elsewhere or cannot be a name.
fn local(root: &Path, below: &[u8]) -> Option<PathBuf> {
    let mut path = root.to_owned();
    for part in below.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
        path.push(name_here(part)?);
    }
    Some(path)
}

/// How long a name may be, in bytes here, and on Windows in its own units.
const LONGEST: usize = 255;

/// What another host calls a file or folder, as a name on this machine: one step down, to nothing but a file or folder.
#[cfg(unix)]
pub fn name_here(name: &[u8]) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    let is_one = !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| matches!(byte, b'/' | 0));
    (is_one && name.len() <= LONGEST).then(|| OsString::from_vec(name.to_owned()))
}

/// What another host calls a file or folder, as a name on this machine: one step down, to nothing but a file or folder.
#[cfg(not(unix))]
pub fn name_here(name: &[u8]) -> Option<OsString> {
    name_on_windows(name).map(OsString::from)
}

/// What may be a name where devices have names too.
#[cfg(any(not(unix), test))]
fn name_on_windows(name: &[u8]) -> Option<&str> {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let name = std::str::from_utf8(name).ok()?;
    if name.is_empty() || name.encode_utf16().count() > LONGEST {
        return None;
    }
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    let numbered = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
    let is_device = DEVICES.contains(&&*stem) || numbered.is_some_and(|number| number.chars().count() == 1);
    let is_spoilt =
        name.ends_with(['.', ' ']) || name.contains(|c: char| c < ' ' || r#"<>:"/\|?*"#.contains(c));
    (!is_device && !is_spoilt).then_some(name)
}

fn is_here(target: &Path, before: &FileAttributes) -> bool {
    let Ok(metadata) = fs::symlink_metadata(target) else { return false };
    let seconds = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    metadata.is_file()
        && Some(metadata.len()) == before.size
        && seconds.map(|time| time.as_secs()) == before.mtime.map(u64::from)
}

fn digest(path: &Path, meter: &mut dyn Meter) -> Result<Digested, PullError> {
    digest_file(path, meter).map_err(|error| match error {
        CopyError::Stopped => PullError::Stopped,
        CopyError::File(error) => error.into(),
        other => FileError::new("read", path, io::Error::other(other)).into(),
    })
}

/// Where the beginning of such a version of a file is kept after a break, beside its place.
pub fn part_of(target: &Path, size: u64, mtime: u32) -> PathBuf {
    durable_files::beside(target, &format!("{size}-{mtime}"), "part")
}

/// What has come so far of one version of a file: a later version begins anew, under another name.
struct Part {
    path: PathBuf,
    size: u64,
}

impl Part {
    fn of(target: &Path, size: u64, before: &FileAttributes) -> Self {
        Self { path: part_of(target, size, before.mtime.unwrap_or(0)), size }
    }

    /// Takes in what is there already.
    fn begun(&self, had: u64, meter: &mut dyn Meter) -> Result<Hasher, PullError> {
        let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 1 << 16]);
        let mut rest = if had == 0 { None } else { Some(open_regular(&self.path)?.take(had)) };
        while let Some(rest) = &mut rest {
            match rest.read(&mut buffer).doing("read", &self.path)? {
                0 => break,
                len => hasher.update(&buffer[..len]),
            }
            if meter.passed(0).is_break() {
                return Err(PullError::Stopped);
            }
        }
        Ok(hasher)
    }

    /// Opens it to be gone on with, and tells how much is there.
    fn open(&self) -> Result<(File, u64), FileError> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&self.path).doing("open", &self.path)?;
        let had = file.metadata().doing("look at", &self.path)?.len();
        if had <= self.size {
            return Ok((file, had));
        }
        file.set_len(0).doing("empty", &self.path)?;
        Ok((file, 0))
    }

    fn finish(
        &self,
        file: File,
        arrived: Digested,
        target: &Path,
        before: &FileAttributes,
        meter: &mut dyn Meter,
    ) -> Result<Digested, PullError> {
        if let Some(seconds) = before.mtime {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
            file.set_modified(time).doing("set the time of", &self.path)?;
        }
        file.sync_all().doing("sync", &self.path)?;
        drop(file);
        let content = digest(&self.path, meter)?;
        if content != arrived {
            remove_file_if_there(&self.path)?;
            let other = io::Error::other("it does not hold what was written to it");
            return Err(FileError::new("read back", &self.path, other).into());
        }
        publish_over(&self.path, target)?;
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_one_step_down_and_to_no_device() {
        let long = [b'x'; 256];
        for name in [&b""[..], b".", b"..", b"a/b", b"a\0b", &long] {
            assert_eq!(name_here(name), None, "{}", display(name));
            assert_eq!(name_on_windows(name), None, "{}", display(name));
        }
        for name in [
            "CON",
            "nul.txt",
            "Aux .x",
            "COM1",
            "lpt9.log",
            "COM\u{b9}",
            "CONIN$",
            "a.",
            "a ",
            r"a\b",
            "a:b",
            "a?",
        ] {
            assert_eq!(name_on_windows(name.as_bytes()), None, "{name}");
        }
        assert_eq!(name_on_windows(&[0xff]), None);
        for name in ["a", "a b.txt", "COM10", "CONSOLE", "..a", "\u{e9}"] {
            assert_eq!(name_on_windows(name.as_bytes()), Some(name));
            assert_eq!(name_here(name.as_bytes()), Some(name.into()));
        }
    }
}
