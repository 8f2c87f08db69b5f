//! Going through a tree once, without following anything.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use crate::error::TreeError;
use crate::names::safe_names;
use crate::tree::{Entry, Kind, Tree, joined};

/// Deeper than any path that Windows can hold.
const DEEPEST: usize = 1024;
const MOST_ENTRIES: u64 = 10_000_000;

/// What a walk leaves out. `lost+found` it leaves out always.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skip {
    /// What tools can fetch again: `node_modules`, `.cache`, `.local` and what begins with `.npm`, however deep.
    pub caches: bool,
    /// Below this directory, taken from where the walk begins, empty directories are where the host's folders were
    /// mounted: their content was never on this disk.
    pub mounts: Option<Vec<u8>>,
}

impl Skip {
    /// For the home of a session: caches, and the empty mount points below `mnt`.
    pub fn of_session() -> Self {
        Self { caches: true, mounts: Some(b"mnt".to_vec()) }
    }

    /// As little as possible.
    pub fn nothing() -> Self {
        Self { caches: false, mounts: None }
    }

    fn names(&self, name: &[u8], kind: Kind) -> Option<Reason> {
        const CACHES: [&[u8]; 3] = [b"node_modules", b".cache", b".local"];
        if name == b"lost+found" && kind == Kind::Directory {
            return Some(Reason::LostAndFound);
        }
        let is_cache = CACHES.contains(&name) || name.starts_with(b".npm");
        (self.caches && is_cache).then_some(Reason::Cache)
    }

    fn is_below_mounts(&self, path: &[u8]) -> bool {
        let below =
            |mounts: &Vec<u8>| path.strip_prefix(mounts.as_slice()).is_some_and(|it| it.starts_with(b"/"));
        self.mounts.as_ref().is_some_and(below)
    }
}

/// Why a walk left something out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// Its name is that of something that tools can fetch again.
    Cache,
    /// It is where a filesystem check puts what has lost its name.
    LostAndFound,
    /// It is an empty directory where a folder of the host was mounted.
    MountPoint,
}

/// One thing that a walk came by.
#[derive(Debug)]
pub struct Visit {
    /// From where the walk began, with slashes between.
    pub path: Vec<u8>,
    /// The same with every component as Windows can have it, see [`safe_names`]. It never leads out of where it is put.
    pub safe_path: String,
    /// What is there.
    pub found: Found,
}

/// What stands at a place that a walk came by.
#[derive(Debug)]
#[non_exhaustive]
pub enum Found {
    /// A directory; what is in it comes next.
    Directory(Entry),
    /// A file, to be opened with [`Tree::read`].
    File(Entry),
    /// A symlink and its target, as it is written there: relative, absolute or dangling.
    Symlink(Entry, Vec<u8>),
    /// A pipe, device or socket.
    Special(Entry),
    /// Something that was left out, with all that is in it.
    Skipped(Entry, Reason),
    /// Something that cannot be read, with all that may be in it. The walk goes on.
    Unreadable(TreeError),
}

/// The entries below a directory: each directory before what is in it, the names of each in the order of their bytes.
pub struct Walk<'t> {
    tree: &'t Tree,
    skip: Skip,
    /// The names still to be visited, of the innermost directory last.
    levels: Vec<VecDeque<Ahead>>,
    /// Directories that were entered: none is entered twice, whatever a damaged one says.
    entered: HashSet<u32>,
    left: u64,
}

/// A name that was listed and not looked at yet.
struct Ahead {
    path: Vec<u8>,
    safe_path: String,
    full_path: Vec<u8>,
    inode: u32,
}

impl<'t> Walk<'t> {
    pub(crate) fn new(tree: &'t Tree, directory: &Entry, skip: Skip) -> Result<Self, TreeError> {
        let mut walk = Self { tree, skip, levels: Vec::new(), entered: HashSet::new(), left: MOST_ENTRIES };
        walk.entered.insert(directory.inode());
        let first = walk.ahead(directory, b"", "")?;
        walk.levels.push(first);
        Ok(walk)
    }

    fn ahead(&self, directory: &Entry, path: &[u8], safe_path: &str) -> Result<VecDeque<Ahead>, TreeError> {
        let names = self.tree.names(directory)?;
        let safe = safe_names(names.iter().map(|(name, _)| name.as_slice()));
        let ahead = |((name, inode), safe): ((Vec<u8>, u32), String)| Ahead {
            path: joined(path, &name),
            safe_path: if safe_path.is_empty() { safe } else { format!("{safe_path}/{safe}") },
            full_path: joined(&directory.path, &name),
            inode,
        };
        Ok(names.into_iter().zip(safe).map(ahead).collect())
    }

    fn look(&mut self, ahead: &Ahead) -> Result<Found, TreeError> {
        let entry = self.tree.entry(ahead.full_path.clone(), ahead.inode)?;
        if let Some(reason) = self.skip.names(entry.name(), entry.kind()) {
            return Ok(Found::Skipped(entry, reason));
        }
        match entry.kind() {
            Kind::File => Ok(Found::File(entry)),
            Kind::Symlink => self.tree.target(&entry).map(|target| Found::Symlink(entry, target)),
            Kind::Directory => self.enter(ahead, entry),
            _ => Ok(Found::Special(entry)),
        }
    }

    fn enter(&mut self, ahead: &Ahead, entry: Entry) -> Result<Found, TreeError> {
        if !self.entered.insert(entry.inode()) {
            let what = format!("directory inode {} at /{}", entry.inode(), entry.path.escape_ascii());
            return Err(TreeError::corrupt(what, "one name", "another one before"));
        }
        if self.levels.len() >= DEEPEST {
            let what = format!("the directories above /{}", entry.path.escape_ascii());
            return Err(TreeError::TooMany { what, limit: DEEPEST as u64 });
        }
        let inside = self.ahead(&entry, &ahead.path, &ahead.safe_path)?;
        if inside.is_empty() && self.skip.is_below_mounts(&ahead.path) {
            return Ok(Found::Skipped(entry, Reason::MountPoint));
        }
        self.levels.push(inside);
        Ok(Found::Directory(entry))
    }
}

impl Iterator for Walk<'_> {
    type Item = Visit;

    fn next(&mut self) -> Option<Visit> {
        let ahead = loop {
            if let Some(ahead) = self.levels.last_mut()?.pop_front() {
                break ahead;
            }
            self.levels.pop();
        };
        let found = if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            self.look(&ahead)
        } else {
            self.levels.clear();
            let what = "the entries of the tree".to_owned();
            Err(TreeError::TooMany { what, limit: MOST_ENTRIES })
        };
        let found = found.unwrap_or_else(Found::Unreadable);
        Some(Visit { path: ahead.path, safe_path: ahead.safe_path, found })
    }
}

impl fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk")
            .field("skip", &self.skip)
            .field("depth", &self.levels.len())
            .finish_non_exhaustive()
    }
}
