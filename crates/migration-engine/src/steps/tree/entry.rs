//! What is in a new folder, as plain data.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use durable_files::{FileError, PathText, is_one_file};
use serde::{Deserialize, Serialize};

use crate::{Cause, StepError};

/// One thing in a new folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<C> {
    /// Where in it: names of folders, and at last its own.
    pub path: PathText,
    /// What it is.
    #[serde(flatten)]
    pub node: Node<C>,
}

/// What a thing in a new folder is. Times are in nanoseconds since 1970; without one, it is the time of writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Node<C> {
    /// A folder.
    Folder {
        /// Its permission bits.
        mode: u32,
        /// Its modification time, if it can be set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mtime: Option<i64>,
    },
    /// A file.
    File {
        /// What it holds.
        content: C,
        /// Its permission bits.
        mode: u32,
        /// Its modification time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mtime: Option<i64>,
    },
    /// A symlink, which nothing here ever follows.
    Symlink {
        /// The text of it.
        target: PathText,
    },
}

/// An entry that no folder can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot be in a new folder: {why}", path.display())]
pub struct BadEntry {
    /// Its path.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: &'static str,
}

impl From<BadEntry> for StepError {
    fn from(bad: BadEntry) -> Self {
        Cause { needs_new_plan: true, ..Cause::new("bad-entry", bad.to_string()) }.item()
    }
}

/// Whether every entry stays inside the folder and comes after the folder it is in.
pub(super) fn check<C>(entries: &[Entry<C>]) -> Result<(), BadEntry> {
    let mut is_folder: HashMap<&Path, bool> = HashMap::from([(Path::new(""), true)]);
    for entry in entries {
        let bad = |why| Err(BadEntry { path: entry.path.to_path_buf(), why });
        if !is_confined(&entry.path) {
            return bad("it is not a plain path below it");
        }
        if is_folder.get(entry.path.parent().unwrap_or(Path::new(""))) != Some(&true) {
            return bad("no folder that it would be in comes before it");
        }
        if is_folder.insert(&entry.path, matches!(entry.node, Node::Folder { .. })).is_some() {
            return bad("it is there twice");
        }
    }
    Ok(())
}

/// Names only, each written as it is and none of them empty.
fn is_confined(path: &Path) -> bool {
    let is_name = |part: &Component<'_>| matches!(part, Component::Normal(_));
    let names: PathBuf = path.components().take_while(is_name).collect();
    let is_exact = names.as_os_str() == path.as_os_str() || cfg!(windows) && names == path;
    is_exact && !path.as_os_str().is_empty()
}

/// The entry whose name is the same as that of a later one where `staging` is: they differ in case, or in how letters are
/// put together.
pub(super) fn first_of_clash<'a, C>(
    before: &'a [Entry<C>],
    entry: &Entry<C>,
    staging: &Path,
) -> Option<&'a Entry<C>> {
    let path = staging.join(&entry.path);
    let fold = |path: &Path| path.to_string_lossy().to_lowercase();
    before.iter().find(|earlier| {
        is_one_file(&staging.join(&earlier.path), &path).unwrap_or(false)
            || cfg!(not(unix)) && fold(&earlier.path) == fold(&entry.path)
    })
}

#[cfg(unix)]
pub(in super::super) fn make_symlink(target: &Path, path: &Path) -> Result<(), FileError> {
    std::os::unix::fs::symlink(target, path)
        .map_err(|error| FileError::new("create the symlink", path, error))
}

/// Whether it leads to a file or a folder would have to be known, and the right to make one is rare.
#[cfg(not(unix))]
pub(in super::super) fn make_symlink(_target: &Path, path: &Path) -> Result<(), FileError> {
    Err(FileError::new("create the symlink", path, std::io::ErrorKind::Unsupported))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: &str) -> Entry<()> {
        Entry { path: path.into(), node: Node::Folder { mode: 0o700, mtime: None } }
    }

    fn link(path: &str) -> Entry<()> {
        Entry { path: path.into(), node: Node::Symlink { target: "/".into() } }
    }

    #[test]
    fn no_entry_ever_leaves_its_folder() {
        for path in ["", "/", "/etc", "..", "a/..", "a/../../b", "a/./b", "./a", "a//b", "a/", "."] {
            let entries = [folder("a"), folder("a/b"), folder(path)];
            assert!(check(&entries).is_err(), "{path:?}");
        }
        assert!(check(&[link("a"), folder("a/b")]).is_err(), "nor through a symlink of its own");
        assert_eq!(check(&[folder("..a"), link("..a/b.."), link("c")]), Ok(()));
    }

    #[test]
    fn an_entry_without_a_folder_or_with_a_twin_is_refused() {
        assert!(check(&[folder("a/b"), folder("a")]).is_err());
        assert!(check(&[folder("a"), link("a")]).is_err());
    }
}
