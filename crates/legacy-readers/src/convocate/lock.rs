//! A session's lock file: a leftover of attaches in the single-host era, or another tool at work right now.

use std::fs;
use std::path::{Path, PathBuf};

use session_model::Timestamp;

use crate::files;

/// A lock file as it was found. Reading never removes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFile {
    /// The file.
    pub path: PathBuf,
    /// What it holds: a process id, if somebody's tool wrote it.
    pub text: Vec<u8>,
    /// Whether it could be read. What somebody else has closed to us may be held by anybody.
    pub is_readable: bool,
    /// Its permission bits.
    pub mode: u32,
    /// When it was written.
    pub modified: Timestamp,
}

/// What a lock file claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// That this process has the session.
    Process(u32),
    /// Nothing that could be a process: nobody has it.
    Nobody,
    /// Something that we may not read: somebody has it, for all we know.
    Unknown,
}

impl LockFile {
    /// Reads one, if it is there.
    pub fn read(path: &Path) -> Option<Self> {
        let metadata = fs::symlink_metadata(path).ok()?;
        let (mut text, mut is_readable) = (Vec::new(), true);
        if metadata.is_file() && metadata.len() <= 4096 {
            is_readable = files::open_itself(path).and_then(|file| files::fill(&mut text, file)).is_ok();
        }
        let modified = metadata.modified().map_or(Timestamp::UNIX_EPOCH, files::timestamp);
        Some(Self { path: path.to_owned(), text, is_readable, mode: mode_of(&metadata), modified })
    }

    /// Whom it speaks for: the number it begins with.
    pub fn claim(&self) -> Claim {
        if !self.is_readable {
            return Claim::Unknown;
        }
        let text = self.text.trim_ascii();
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&text[..digits]).ok().and_then(|digits| digits.parse().ok());
        number.filter(|&process: &u32| process > 0).map_or(Claim::Nobody, Claim::Process)
    }
}

#[cfg(unix)]
fn mode_of(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
fn mode_of(_metadata: &fs::Metadata) -> u32 {
    0o600
}
