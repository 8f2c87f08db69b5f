//! What a tree consists of, as plain data: what is sent, what must have arrived, and what an undo may take away.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use durable_files::{Digest, Digested, Hasher};
use serde::{Deserialize, Serialize};
use session_model::text_or_hex;

use crate::display;

/// The entries of a tree, sorted by the bytes of their paths, so that a folder comes before what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    entries: Vec<Entry>,
}

/// One entry. The root itself is the one with an empty path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it is, below the root: parts between slashes, none of them empty, `.` or `..`.
    #[serde(with = "text_or_hex")]
    pub path: Vec<u8>,
    /// Permission bits (`0o1777` at most: what sets ids is not carried).
    pub mode: u32,
    /// The modification time, in nanoseconds since 1970.
    pub mtime: i64,
    /// What it is.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Kind {
    /// A folder.
    Folder,
    /// A regular file.
    File {
        /// Its length in bytes, holes included.
        size: u64,
        /// The SHA-256 of its content, once somebody has read it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<Digest>,
    },
    /// A symbolic link, whose text is kept as it is.
    Symlink {
        /// Where it points, whether or not anything is there.
        #[serde(with = "text_or_hex")]
        text: Vec<u8>,
    },
    /// A further name of a file that comes earlier.
    HardLink {
        /// The path of that file.
        #[serde(with = "text_or_hex")]
        to: Vec<u8>,
    },
}

/// How two trees differ in one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub path: Vec<u8>,
    /// What is different there.
    pub what: What,
}

/// What is different about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It should be there and is not.
    Missing,
    /// It is there and should not be.
    Unexpected,
    /// It is something else: kind, size, content, or where a link points.
    Content,
    /// Content as expected; mode or time are not.
    Attributes,
}

impl Manifest {
    /// The manifest of these entries, in whatever order.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Self { entries }
    }

    /// All entries, the root first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The same, to fill digests in.
    pub(crate) fn entries_mut(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    /// The entry at a path.
    pub fn get(&self, path: &[u8]) -> Option<&Entry> {
        self.entries.get(self.position(path)?)
    }

    /// Gives a file another content. Says whether there is such a file.
    pub fn replace(&mut self, path: &[u8], content: &[u8]) -> bool {
        let Some(at) = self.position(path) else { return false };
        let kind = &mut self.entries[at].kind;
        let is_file = matches!(kind, Kind::File { .. });
        if is_file {
            *kind = Kind::File { size: content.len() as u64, digest: Some(Digest::of(content)) };
        }
        is_file
    }

    /// Where the entry at a path stands in [`entries`](Self::entries).
    pub(crate) fn position(&self, path: &[u8]) -> Option<usize> {
        self.entries.binary_search_by(|entry| entry.path.as_slice().cmp(path)).ok()
    }

    /// Whether a folder above a path lets not even its owner look into it.
    pub(crate) fn is_closed_above(&self, path: &[u8]) -> bool {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let mut above = std::iter::once(0).chain(slashes.map(|(at, _)| at));
        above.any(|end| self.get(&path[..end]).is_some_and(Entry::is_closed))
    }

    /// The bytes of all files, a file of several names once.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(Entry::bytes).sum()
    }

    /// Everything in which `found` is not what this manifest says, in the order of paths. What has no digest on either
    /// side is compared by size.
    pub fn differences(&self, found: &Self) -> Vec<Difference> {
        let mut paths: BTreeMap<&[u8], [Option<&Entry>; 2]> = BTreeMap::new();
        for (side, manifest) in [self, found].into_iter().enumerate() {
            for entry in &manifest.entries {
                paths.entry(&entry.path).or_default()[side] = Some(entry);
            }
        }
        let differences = paths.into_iter().filter_map(|(path, sides)| {
            let what = match sides {
                [Some(_), None] => What::Missing,
                [None, _] => What::Unexpected,
                [Some(expected), Some(found)] => expected.difference(found)?,
            };
            Some(Difference { path: path.to_vec(), what })
        });
        differences.collect()
    }

    /// Writes it as text, one line an entry, and gives the SHA-256 of that text.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<Digested> {
        let mut hasher = Hasher::default();
        let mut line = Vec::new();
        for entry in &self.entries {
            line.clear();
            serde_json::to_writer(&mut line, entry)?;
            line.push(b'\n');
            hasher.update(&line);
            out.write_all(&line)?;
        }
        Ok(hasher.finish())
    }

    /// The SHA-256 of its text.
    pub fn digest(&self) -> Digest {
        self.write(&mut io::sink()).expect("because a sink takes everything").digest
    }

    /// Reads what [`write`](Self::write) has written.
    pub fn read(input: &mut dyn BufRead) -> io::Result<Self> {
        let entries: io::Result<Vec<Entry>> =
            input.lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect();
        Ok(Self::new(entries?))
    }
}

impl Entry {
    /// The bytes that have to pass for it.
    pub fn bytes(&self) -> u64 {
        if let Kind::File { size, .. } = self.kind { size } else { 0 }
    }

    /// Whether it is a folder into which not even its owner may look.
    pub(crate) fn is_closed(&self) -> bool {
        self.kind == Kind::Folder && self.mode & 0o500 != 0o500
    }

    /// The path for people: control characters and what is not UTF-8 are shown, not sent to the terminal.
    pub fn display(&self) -> String {
        display(&self.path)
    }

    fn difference(&self, found: &Self) -> Option<What> {
        let same_kind = match (&self.kind, &found.kind) {
            (Kind::File { size, digest: Some(digest) }, Kind::File { size: s, digest: Some(d) }) => {
                (size, digest) == (s, d)
            }
            (Kind::File { size, .. }, Kind::File { size: found, .. }) => size == found,
            (expected, found) => expected == found,
        };
        // Of links only what they say counts: a system may give them what mode it likes, and their time is nobody's.
        let plain = matches!(self.kind, Kind::Symlink { .. } | Kind::HardLink { .. });
        match same_kind {
            false => Some(What::Content),
            true if plain || (self.mode, self.mtime) == (found.mode, found.mtime) => None,
            true => Some(What::Attributes),
        }
    }
}
