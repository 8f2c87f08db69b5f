//! SHA-256 of files, as they pass.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::copy::open_regular;
use crate::{CopyError, InContext, Meter};

/// How much is read at a time, and how often a stop is looked for, in bytes.
pub(crate) const CHUNK: usize = 1 << 20;

/// A SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// A digest and the number of bytes it speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digested {
    /// The SHA-256.
    pub digest: Digest,
    /// How many bytes went into it.
    pub len: u64,
}

/// A digest in the making.
#[derive(Debug, Clone, Default)]
pub struct Hasher {
    state: Sha256,
    len: u64,
}

impl Hasher {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.len += bytes.len() as u64;
    }

    /// The digest of everything taken in.
    pub fn finish(self) -> Digested {
        Digested { digest: Digest(self.state.finalize().into()), len: self.len }
    }
}

/// The digest of a whole regular file; a symlink is not followed, a pipe not waited for.
pub fn digest_file(path: &Path, meter: &mut dyn Meter) -> Result<Digested, CopyError> {
    digest_prefix(path, u64::MAX, meter)
}

/// The digest of a file's first `len` bytes (of all of it, if it is shorter).
pub fn digest_prefix(path: &Path, len: u64, meter: &mut dyn Meter) -> Result<Digested, CopyError> {
    digest_stream(&mut open_regular(path)?.take(len), path, meter)
}

/// The digest of what `reader` gives, which comes from `source`.
pub fn digest_stream(
    reader: &mut dyn Read,
    source: &Path,
    meter: &mut dyn Meter,
) -> Result<Digested, CopyError> {
    let mut hasher = Hasher::default();
    let mut buffer = Vec::with_capacity(CHUNK);
    while read_chunk(reader, &mut buffer).doing("read", source)? {
        hasher.update(&buffer);
        if meter.passed(0).is_break() {
            return Err(CopyError::Stopped);
        }
    }
    Ok(hasher.finish())
}

/// Reads the next full chunk, or what is left; answers whether there was any. The buffer keeps its room: of thousands of
/// small files, most of the time would go into filling it with zeros.
pub(crate) fn read_chunk(reader: &mut dyn Read, buffer: &mut Vec<u8>) -> std::io::Result<bool> {
    buffer.clear();
    reader.take(CHUNK as u64).read_to_end(buffer)?;
    Ok(!buffer.is_empty())
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// What a text that is not a SHA-256 is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(NotADigest);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NotADigest)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotADigest)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        text.parse()
    }
}
