//! A folder as a value, so that "byte for byte as before" can be asserted.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Everything that an undo restores: names, bytes, modes, and modification times of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree(BTreeMap<PathBuf, Node>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Folder { mode: u32 },
    File { mode: u32, mtime: (i64, i64), bytes: Vec<u8> },
    Link(PathBuf),
    Other,
}

impl Tree {
    /// Reads the folder.
    ///
    /// # Panics
    /// If anything in it cannot be read.
    pub fn of(root: &Path) -> Self {
        let mut nodes = BTreeMap::new();
        collect(root, root, &mut nodes);
        Self(nodes)
    }

    /// The same tree without what lies under these names of the top level.
    #[must_use]
    pub fn without(mut self, top: &[&str]) -> Self {
        self.0.retain(|path, _| !top.iter().any(|name| path.starts_with(name)));
        self
    }

    /// The same tree with the times of all files forgotten, to be compared with one that was made at another time.
    #[must_use]
    pub fn without_times(mut self) -> Self {
        for node in self.0.values_mut() {
            if let Node::File { mtime, .. } = node {
                *mtime = (0, 0);
            }
        }
        self
    }

    /// The names in it.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().map(|path| path.display().to_string()).collect()
    }

    /// What differs, one line each; empty if nothing does.
    pub fn difference(&self, other: &Self) -> String {
        let mut lines = String::new();
        for (path, node) in &self.0 {
            match other.0.get(path) {
                None => writeln!(lines, "- {}", path.display()),
                Some(found) if found != node => {
                    writeln!(lines, "! {}: {} became {}", path.display(), node.brief(), found.brief())
                }
                Some(_) => Ok(()),
            }
            .unwrap();
        }
        for path in other.0.keys().filter(|path| !self.0.contains_key(*path)) {
            writeln!(lines, "+ {}", path.display()).unwrap();
        }
        lines
    }

    /// Asserts that the folder is now as it was.
    ///
    /// # Panics
    /// If it is not; the message tells what differs and when.
    #[track_caller]
    pub fn assert_same(&self, now: &Self, when: &str) {
        let difference = self.difference(now);
        assert!(difference.is_empty(), "{when}:\n{difference}");
    }
}

impl Node {
    fn brief(&self) -> String {
        match self {
            Self::Folder { mode } => format!("folder {mode:o}"),
            Self::File { mode, mtime, bytes } => {
                let start = bytes[..bytes.len().min(60)].escape_ascii();
                format!("file {mode:o} mtime {}.{:09} {} bytes \"{start}\"", mtime.0, mtime.1, bytes.len())
            }
            Self::Link(target) => format!("link to {}", target.display()),
            Self::Other => "something else".into(),
        }
    }
}

fn collect(root: &Path, at: &Path, nodes: &mut BTreeMap<PathBuf, Node>) {
    for entry in fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        let node = if metadata.is_dir() {
            collect(root, &path, nodes);
            Node::Folder { mode }
        } else if metadata.is_symlink() {
            Node::Link(fs::read_link(&path).unwrap())
        } else if metadata.is_file() {
            Node::File {
                mode,
                mtime: (metadata.mtime(), metadata.mtime_nsec()),
                bytes: fs::read(&path).unwrap(),
            }
        } else {
            Node::Other
        };
        nodes.insert(path.strip_prefix(root).unwrap().to_path_buf(), node);
    }
}
