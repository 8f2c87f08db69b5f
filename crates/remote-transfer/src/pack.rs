//! A tree as one stream, in one pass: every byte is hashed on its way, and what changes meanwhile is an error.

mod holes;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use durable_files::{Digest, Digested, FileError, Hasher, InContext, Meter};
use tar::{Builder, EntryType, Header};

use crate::display;
use crate::manifest::{Entry, Kind, Manifest};
use crate::walk::{Seen, Tree, Walked};
use holes::{Map, Segments};

/// The stream as it grows. It ends itself when it is dropped, so there is one for all entries.
type Archive<'a> = Builder<&'a mut dyn Write>;

/// A tree that is ready to be sent.
#[derive(Debug)]
pub struct Parcel<'a> {
    tree: &'a Tree,
    walked: Walked,
    replaced: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// The SHA-256 of the stream, and its length.
    pub stream: Digested,
}

/// Why a tree was not sent whole. The stream is then cut short and good for nothing.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file is not what it was when the tree was looked at, or became something else while it was read.
    #[error("{} changed while it was being read", .0.display())]
    Changed(PathBuf),
    /// The [`Meter`] said stop.
    #[error("stopped")]
    Stopped,
    /// The tree cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The stream cannot be written.
    #[error("cannot send the stream: {0}")]
    Stream(io::Error),
}

impl<'a> Parcel<'a> {
    /// Makes ready what was found in a tree.
    pub fn new(tree: &'a Tree, walked: Walked) -> Self {
        Self { tree, walked, replaced: BTreeMap::new() }
    }

    /// Sends this content in the place of a file's own.
    pub fn replace(&mut self, path: &[u8], content: Vec<u8>) {
        if self.walked.manifest.replace(path, &content) {
            self.replaced.insert(path.to_owned(), content);
        }
    }

    /// What is sent, with the digests of all files that were read so far.
    pub fn manifest(&self) -> &Manifest {
        &self.walked.manifest
    }

    /// The digest of a file, which is read for it unless that is known already. Nothing for what is no file.
    pub fn digest(&mut self, path: &[u8], meter: &mut dyn Meter) -> Result<Option<Digest>, PackError> {
        let Some(at) = self.walked.manifest.position(path) else { return Ok(None) };
        if let Kind::File { digest: None, .. } = self.walked.manifest.entries()[at].kind {
            self.send_file(at, &mut Builder::new(&mut io::sink()), meter)?;
        }
        let Kind::File { digest, .. } = self.walked.manifest.entries()[at].kind else { return Ok(None) };
        Ok(digest)
    }

    /// Writes the chosen entries to `out` as a tar stream that any GNU tar unpacks.
    ///
    /// Everything in it is readable and writable by its owner, whatever the tree says: the true modes are set when the
    /// content has been verified where it arrived.
    pub fn send(
        &mut self,
        choose: &dyn Fn(&Entry) -> bool,
        out: &mut dyn Write,
        meter: &mut dyn Meter,
    ) -> Result<Packed, PackError> {
        let mut hashing = Hashing { out, hasher: Hasher::default() };
        let mut out: Archive<'_> = Builder::new(&mut hashing);
        for at in 0..self.walked.manifest.entries().len() {
            let entry = &self.walked.manifest.entries()[at];
            if meter.passed(0).is_break() {
                return Err(PackError::Stopped);
            }
            match &entry.kind {
                _ if !choose(entry) => {}
                Kind::File { .. } => self.send_file(at, &mut out, meter)?,
                Kind::Folder => append(entry, EntryType::Directory, &[], &mut out)?,
                Kind::Symlink { text } => append(entry, EntryType::Symlink, text, &mut out)?,
                Kind::HardLink { to } => append(entry, EntryType::Link, to, &mut out)?,
            }
        }
        out.into_inner().map_err(PackError::Stream)?;
        Ok(Packed { stream: hashing.hasher.finish() })
    }

    fn send_file(
        &mut self,
        at: usize,
        out: &mut Archive<'_>,
        meter: &mut dyn Meter,
    ) -> Result<(), PackError> {
        let entry = &self.walked.manifest.entries()[at];
        let found = if let Some(content) = self.replaced.get(&entry.path) {
            let header = header(entry, EntryType::Regular, content.len() as u64);
            extended(entry, &[], out)?;
            out.append(&header, content.as_slice()).map_err(PackError::Stream)?;
            Digest::of(content)
        } else {
            let file = Unchanged::open(self.tree, &self.walked, entry)?;
            file.send(entry, out, meter)?
        };
        if let Kind::File { digest, .. } = &mut self.walked.manifest.entries_mut()[at].kind {
            *digest = Some(found);
        }
        Ok(())
    }
}

/// A file that looks as it did when the tree was walked.
struct Unchanged {
    file: File,
    seen: Seen,
    path: PathBuf,
}

impl Unchanged {
    fn open(tree: &Tree, walked: &Walked, entry: &Entry) -> Result<Self, PackError> {
        let path = tree.path().join(display(&entry.path));
        let Some(&seen) = walked.seen.get(&entry.path) else { return Err(PackError::Changed(path)) };
        let file = tree.open_file(&entry.path)?;
        let file = Self { file, seen, path };
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<(), PackError> {
        let now = Seen::now(&self.file).doing("look at", &self.path)?;
        if now == self.seen { Ok(()) } else { Err(PackError::Changed(self.path.clone())) }
    }

    fn send(&self, entry: &Entry, out: &mut Archive<'_>, meter: &mut dyn Meter) -> Result<Digest, PackError> {
        let size = entry.bytes();
        let map = Map::of(&self.file, size).doing("find the holes of", &self.path)?;
        let (kind, stored) =
            if map.is_whole() { (EntryType::Regular, size) } else { (EntryType::GNUSparse, map.stored()) };
        let mut header = header(entry, kind, stored);
        let extra = map.write_into(&mut header);
        header.set_cksum();
        extended(entry, &[], out)?;
        let mut content = Segments::new(&self.file, &map, meter);
        let sent = out.append(&header, extra.as_slice().chain(&mut content));
        match (content.trouble(), sent) {
            (Some(trouble), _) => Err(trouble.of(&self.path)),
            (None, Err(error)) => Err(PackError::Stream(error)),
            (None, Ok(())) => {
                let digest = content.finish(size);
                self.check().map(|()| digest)
            }
        }
    }
}

fn append(entry: &Entry, kind: EntryType, link: &[u8], out: &mut Archive<'_>) -> Result<(), PackError> {
    extended(entry, link, out)?;
    let mut header = header(entry, kind, 0);
    // A longer one stands in the extension; whoever does not know of that must not take the beginning for a link.
    if let (Some(gnu), true) = (header.as_gnu_mut(), link.len() <= SHORT) {
        gnu.linkname[..link.len()].copy_from_slice(link);
    }
    header.set_cksum();
    out.append(&header, io::empty()).map_err(PackError::Stream)
}

/// What fits a name in a header.
const SHORT: usize = 99;

fn header(entry: &Entry, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    let needed = if kind.is_dir() { 0o700 } else { 0o600 };
    let path = member(entry);
    if let Some(gnu) = header.as_gnu_mut() {
        let short = path.len().min(SHORT);
        gnu.name[..short].copy_from_slice(&path[..short]);
    }
    header.set_entry_type(kind);
    header.set_mode(entry.mode | needed);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(entry.mtime.div_euclid(NANOSECONDS)).unwrap_or(0));
    header.set_cksum();
    header
}

const NANOSECONDS: i64 = 1_000_000_000;

/// The name in the stream: nothing that could be taken for anything but a path below the root.
fn member(entry: &Entry) -> Vec<u8> {
    [b"./", entry.path.as_slice()].concat()
}

/// What a header has no room for: times before a second's end, long names, long links.
fn extended(entry: &Entry, link: &[u8], out: &mut Archive<'_>) -> Result<(), PackError> {
    let (seconds, rest) = (entry.mtime.div_euclid(NANOSECONDS), entry.mtime.rem_euclid(NANOSECONDS));
    // A time before 1970 is written with its sign before both parts.
    let time = if seconds < 0 && rest > 0 {
        format!("{}.{:09}", signed(seconds + 1), NANOSECONDS - rest)
    } else {
        format!("{seconds}.{rest:09}")
    };
    let path = member(entry);
    let mut records: Vec<(&str, &[u8])> = Vec::new();
    if rest != 0 || seconds < 0 {
        records.push(("mtime", time.as_bytes()));
    }
    if path.len() > SHORT {
        records.push(("path", &path));
    }
    if link.len() > SHORT {
        records.push(("linkpath", link));
    }
    out.append_pax_extensions(records).map_err(PackError::Stream)
}

fn signed(seconds: i64) -> String {
    if seconds == 0 { "-0".to_owned() } else { seconds.to_string() }
}

struct Hashing<'a> {
    out: &'a mut dyn Write,
    hasher: Hasher,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
