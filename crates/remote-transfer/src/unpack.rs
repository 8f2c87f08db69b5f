//! A tar stream as a tree of this host, whoever has made it: nothing it says leads out of the folder it is unpacked into.

mod beneath;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::path::Path;

use durable_files::{FileError, Hasher, Meter};
use tar::{Archive, EntryType};

use crate::clash::folded;
use crate::display;
use crate::manifest::{Entry, Kind, Manifest};
use crate::walk::{About, DEPTH, Remark};
use beneath::Beneath;

/// How much a stream may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The lengths of all files together, holes included.
    pub bytes: u64,
    /// How many entries.
    pub entries: u64,
}

/// What was unpacked.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// The tree as it is now, with the digests of all files.
    pub manifest: Manifest,
    /// What of the stream is not in it.
    pub remarks: Vec<Remark>,
}

/// Why a stream was not unpacked whole. What it has left in the folder is to be thrown away.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// An entry that no tree of ours has, or that would lead out of this one.
    #[error("entry {path} of the stream {why}")]
    Refused {
        /// What the stream calls it.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// More than it may be.
    #[error("the stream holds more than {limit} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much it may be.
        limit: u64,
    },
    /// It is not a tar stream, or not all of one.
    #[error("the stream cannot be read: {0}")]
    Stream(io::Error),
    /// The tree cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The [`Meter`] said stop.
    #[error("stopped")]
    Stopped,
}

/// How long the names, times and maps of holes of one entry may be.
const HEADERS: u64 = 16 << 20;

/// How much of a name is shown, in bytes.
const SHOWN: usize = 1000;

/// What a tree may consist of.
const KINDS: [EntryType; 6] = [
    EntryType::Regular,
    EntryType::Continuous,
    EntryType::GNUSparse,
    EntryType::Directory,
    EntryType::Symlink,
    EntryType::Link,
];

/// Unpacks a tar stream into an empty folder of this host.
///
/// An entry goes into a folder that an earlier entry has made, or into the root, and never in the place of another:
/// there are no absolute names, no `..`, nothing through links, no devices, and no names that would be one here. What
/// sets ids is cleared; everything belongs to whoever unpacks it. Symbolic links keep their texts, which may lead
/// anywhere: whoever works in the tree afterwards must not follow them. Nothing is made durable.
///
/// ```
/// use durable_files::Quiet;
/// use remote_transfer::{Limits, Parcel, Tree, unpack};
///
/// let (here, there) = (tempfile::tempdir()?, tempfile::tempdir()?);
/// std::fs::write(here.path().join("notes"), "months of conversation")?;
/// let tree = Tree::open(here.path())?;
/// let (mut parcel, mut stream) = (Parcel::new(&tree, tree.walk(&mut Quiet)?), Vec::new());
/// parcel.send(&|_| true, &mut stream, &mut Quiet)?;
///
/// let limits = Limits { bytes: 1_000, entries: 10 };
/// let unpacked = unpack(&mut stream.as_slice(), there.path(), limits, &mut Quiet)?;
/// assert_eq!(unpacked.manifest, *parcel.manifest());
///
/// let tiny = Limits { bytes: 3, entries: 10 };
/// let fresh = tempfile::tempdir()?;
/// assert!(unpack(&mut stream.as_slice(), fresh.path(), tiny, &mut Quiet).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn unpack(
    stream: &mut dyn Read,
    into: &Path,
    limits: Limits,
    meter: &mut dyn Meter,
) -> Result<Unpacked, UnpackError> {
    unpack_at_times(stream, into, limits, &|_| None, meter)
}

/// The same for a stream that does not tell all of the times: these count where they are known.
pub(crate) fn unpack_at_times(
    stream: &mut dyn Read,
    into: &Path,
    limits: Limits,
    time_of: &dyn Fn(&[u8]) -> Option<i64>,
    meter: &mut dyn Meter,
) -> Result<Unpacked, UnpackError> {
    let (allowed, ended) = (Cell::new(HEADERS), Cell::new(false));
    let mut archive = Archive::new(Bounded { stream, allowed: &allowed, ended: &ended });
    let root = Beneath::open(into)?;
    let mut unpacking = Unpacking {
        folds: root.folds()?,
        root,
        entries: BTreeMap::new(),
        names: HashMap::new(),
        remarks: Vec::new(),
        limits,
        bytes: 0,
        time_of,
        meter,
    };
    let mut entries = archive.entries().map_err(UnpackError::Stream)?;
    loop {
        allowed.set(HEADERS);
        let Some(entry) = entries.next() else { break };
        allowed.set(u64::MAX);
        unpacking.entry(&mut entry.map_err(UnpackError::Stream)?)?;
    }
    if ended.get() {
        return Err(UnpackError::Stream(io::ErrorKind::UnexpectedEof.into())); // its end has a mark of its own
    }
    unpacking.finish()
}

/// A stream that gives no more than it is allowed to before that is set anew.
struct Bounded<'a> {
    stream: &'a mut dyn Read,
    allowed: &'a Cell<u64>,
    ended: &'a Cell<bool>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowed = self.allowed.get();
        if allowed == 0 {
            return Err(io::Error::other("a name or map that is longer than any has to be"));
        }
        let len = buffer.len().min(usize::try_from(allowed).unwrap_or(usize::MAX));
        let read = self.stream.read(&mut buffer[..len])?;
        self.allowed.set(allowed - read as u64);
        self.ended.set(self.ended.get() || (read == 0 && len > 0));
        Ok(read)
    }
}

type Member<'a, 'b> = tar::Entry<'a, Bounded<'b>>;

struct Unpacking<'a> {
    root: Beneath,
    /// Whether names that differ in case or composition are one name here.
    folds: bool,
    entries: BTreeMap<Vec<u8>, Entry>,
    /// Where names are folded: what each was.
    names: HashMap<Vec<u8>, Vec<u8>>,
    remarks: Vec<Remark>,
    limits: Limits,
    bytes: u64,
    time_of: &'a dyn Fn(&[u8]) -> Option<i64>,
    meter: &'a mut dyn Meter,
}

impl Unpacking<'_> {
    fn entry(&mut self, member: &mut Member<'_, '_>) -> Result<(), UnpackError> {
        let name = member.path_bytes().into_owned();
        let refused = |why: &str| UnpackError::Refused {
            path: display(&name[..name.len().min(SHOWN)]),
            why: why.to_owned(),
        };
        let path = plain(&name).map_err(refused)?;
        if !KINDS.contains(&member.header().entry_type()) {
            return Err(refused("is neither file, folder nor link"));
        }
        self.takes_its_place(path, member).map_err(|why| refused(&why))?;
        if self.entries.len() as u64 >= self.limits.entries {
            return Err(UnpackError::TooMuch { what: "entries", limit: self.limits.entries });
        }
        let mode = member.header().mode().map_err(UnpackError::Stream)?;
        let mtime = time(member).map_err(refused)?;
        let mtime = (self.time_of)(path).unwrap_or(mtime);
        let link = member.link_name_bytes().map(Cow::into_owned).unwrap_or_default();
        let kind = match member.header().entry_type() {
            EntryType::Directory if path.is_empty() => Kind::Folder,
            EntryType::Directory => self.root.folder(path).map(|()| Kind::Folder)?,
            EntryType::Symlink => {
                self.root.symlink(path, &link, mtime)?;
                Kind::Symlink { text: link }
            }
            EntryType::Link => {
                let to = plain(&link).ok().filter(|to| self.is_file(to));
                let to = to.ok_or_else(|| refused("is a further name of what is no file before it"))?;
                self.root.hard_link(path, to)?;
                Kind::HardLink { to: to.to_owned() }
            }
            _ => self.file(path, mode & 0o1777, mtime, member)?,
        };
        if mode & 0o6000 != 0 && !matches!(kind, Kind::Symlink { .. } | Kind::HardLink { .. }) {
            self.remarks.push(Remark { path: path.to_owned(), about: About::SetsIds });
        }
        let entry = Entry { path: path.to_owned(), mode: mode & 0o1777, mtime, kind };
        self.entries.insert(path.to_owned(), entry);
        Ok(())
    }

    fn is_file(&self, path: &[u8]) -> bool {
        self.entries.get(path).is_some_and(|entry| matches!(entry.kind, Kind::File { .. }))
    }

    /// Whether nothing is there yet, and a folder of this stream is around it.
    fn takes_its_place(&mut self, path: &[u8], member: &Member<'_, '_>) -> Result<(), String> {
        let is_folder = |entry: &Entry| matches!(entry.kind, Kind::Folder);
        let around = path.iter().rposition(|&byte| byte == b'/').map(|slash| &path[..slash]);
        if path.is_empty() && member.header().entry_type() != EntryType::Directory {
            return Err("would take the place of the root".to_owned());
        }
        if self.entries.contains_key(path) {
            return Err("comes twice".to_owned());
        }
        if !around.is_none_or(|around| self.entries.get(around).is_some_and(is_folder)) {
            return Err("is in no folder of the stream".to_owned());
        }
        if self.folds
            && let Some(earlier) = self.names.insert(folded(path), path.to_owned())
        {
            return Err(format!("and {} would be one name here", display(&earlier)));
        }
        Ok(())
    }

    fn file(
        &mut self,
        path: &[u8],
        mode: u32,
        mtime: i64,
        member: &mut Member<'_, '_>,
    ) -> Result<Kind, UnpackError> {
        let size = member.size();
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.limits.bytes {
            return Err(UnpackError::TooMuch { what: "bytes", limit: self.limits.bytes });
        }
        let keeps_holes = member.header().entry_type() == EntryType::GNUSparse;
        let (mut file, mut hasher) = (self.root.file(path, keeps_holes)?, Hasher::default());
        let (mut block, mut written) = (vec![0; 64 << 10], 0);
        loop {
            let read = member.read(&mut block).map_err(UnpackError::Stream)?;
            if read == 0 {
                break;
            }
            if self.meter.passed(read as u64).is_break() {
                return Err(UnpackError::Stopped);
            }
            hasher.update(&block[..read]);
            file.write(&block[..read])?;
            written += read as u64;
        }
        if written != size {
            return Err(UnpackError::Stream(io::ErrorKind::UnexpectedEof.into()));
        }
        file.finish(mode, mtime)?;
        Ok(Kind::File { size, digest: Some(hasher.finish().digest) })
    }

    /// Gives folders their modes and times, now that nothing more goes into them.
    fn finish(mut self) -> Result<Unpacked, UnpackError> {
        let root = self.root.itself()?;
        self.entries.entry(Vec::new()).or_insert(root);
        self.put_first_names_first();
        for entry in self.entries.values().rev().filter(|entry| entry.kind == Kind::Folder) {
            self.root.dress(&entry.path, entry.mode, entry.mtime)?;
        }
        let manifest = Manifest::new(self.entries.into_values().collect());
        Ok(Unpacked { manifest, remarks: self.remarks })
    }
}

impl Unpacking<'_> {
    /// Of the names of one file the first is the file, in whatever order they came.
    fn put_first_names_first(&mut self) {
        let mut earlier: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for (path, entry) in &self.entries {
            if let Kind::HardLink { to } = &entry.kind
                && path < to
            {
                earlier.entry(to.clone()).or_insert_with(|| path.clone());
            }
        }
        for (file, first) in &earlier {
            let Some(mut entry) = self.entries.remove(file) else { continue };
            let link = Kind::HardLink { to: first.clone() };
            self.entries.insert(file.clone(), Entry { kind: link, ..entry.clone() });
            entry.path.clone_from(first);
            self.entries.insert(first.clone(), entry);
        }
        for entry in self.entries.values_mut() {
            if let Kind::HardLink { to } = &mut entry.kind
                && let Some(first) = earlier.get(to)
            {
                to.clone_from(first);
            }
        }
    }
}

/// The path below the root that a name means, if it means one.
fn plain(name: &[u8]) -> Result<&[u8], &'static str> {
    let path = name.strip_prefix(b"./").unwrap_or(name);
    let path = path.strip_suffix(b"/").unwrap_or(path);
    if path == b"." || (path.is_empty() && name.starts_with(b".")) {
        return Ok(b"");
    }
    let mut parts = path.split(|&byte| byte == b'/');
    if name.starts_with(b"/") {
        Err("has an absolute name")
    } else if path.contains(&0) || parts.clone().any(|part| matches!(part, b"" | b"." | b"..")) {
        Err("has a name that leads elsewhere")
    } else if parts.nth(DEPTH).is_some() {
        Err("is nested too deep")
    } else {
        Ok(path)
    }
}

/// When it was modified, in nanoseconds since 1970.
fn time(member: &mut Member<'_, '_>) -> Result<i64, &'static str> {
    const NONE: &str = "has a time that is none";
    let seconds = member.header().mtime().map_err(|_| NONE)?.cast_signed(); // GNU tar writes what was before 1970 so
    let mut time = seconds.checked_mul(NANOSECONDS).ok_or(NONE)?;
    for extension in member.pax_extensions().map_err(|_| NONE)?.into_iter().flatten() {
        let extension = extension.map_err(|_| "is described in a way that is not understood")?;
        if extension.key_bytes() == b"mtime" {
            time = extension.value().ok().and_then(nanoseconds).ok_or(NONE)?;
        } else if extension.key_bytes().starts_with(b"GNU.sparse.") {
            return Err("has its holes described in a way that is not read here"); // and would be another file
        }
    }
    Ok(time)
}

const NANOSECONDS: i64 = 1_000_000_000;

/// `-1.5` and the like, cut after the ninth digit.
fn nanoseconds(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (seconds, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<9.9}").parse().ok()?;
    let whole = seconds.parse::<i64>().ok()?.checked_mul(NANOSECONDS)?.checked_add(fraction)?;
    Some(sign * whole)
}
