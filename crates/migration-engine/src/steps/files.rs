//! The world of the file steps.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use durable_files::{
    CopyError, Digest, FileError, Fingerprint, InContext, PublishError, Traits, Unsynced, beside,
    create_private_dir, digest_file, digest_prefix, link_file, open_expected, publish_new,
    remove_file_if_there, remove_tree_if_there, sync_dir, tagged, write_new,
};

use super::tree::make_symlink;
use crate::step::OCCUPIED;
use crate::{Cx, Slot, State, StepError, World};

/// What is not durable yet: content that was staged, and folders whose names have changed.
#[derive(Debug, Default)]
pub struct Files {
    staged: Unsynced,
    touched: BTreeSet<PathBuf>,
    doomed: BTreeMap<PathBuf, Fingerprint>,
}

impl Files {
    /// Remembers that a name in the folder of `path` has changed, if there is such a folder.
    pub fn touch(&mut self, path: &Path) {
        let folder = path.parent().filter(|folder| !self.touched.contains(*folder) && folder.is_dir());
        self.touched.extend(folder.map(Path::to_path_buf));
    }

    /// Remembers that a file was staged whose content is not durable.
    pub(crate) fn staged(&mut self, path: PathBuf) -> Result<(), StepError> {
        Ok(self.staged.add(path)?)
    }

    /// Remembers a folder into which new files are staged that are not durable.
    pub(crate) fn staged_tree(&mut self, root: PathBuf) -> Result<(), StepError> {
        Ok(self.staged.add_tree(root)?)
    }

    /// Has a file removed once everything published before is durable: only then is it not needed any more, and only if
    /// it still looks like this.
    pub(crate) fn doom(&mut self, path: &Path, file: Fingerprint) {
        self.doomed.insert(path.to_path_buf(), file);
    }

    /// Lets a file be that was to be removed.
    pub(crate) fn spare(&mut self, path: &Path) {
        self.doomed.remove(path);
    }

    fn sync(&mut self) -> Result<(), StepError> {
        while let Some(dir) = self.touched.pop_first() {
            sync_dir(&dir).map_err(|error| StepError::from(error).fatal())?;
        }
        Ok(())
    }
}

impl World for Files {
    fn persist(&mut self) -> Result<(), StepError> {
        Ok(self.staged.sync()?)
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.sync()?;
        while let Some((path, file)) = self.doomed.pop_first() {
            let found = fingerprint_if_there(&path).map_err(StepError::fatal)?;
            if found.is_some_and(|found| found.same_file(&file)) {
                remove_file_if_there(&path).map_err(|error| StepError::from(error).fatal())?;
                self.touch(&path);
            }
        }
        self.sync()
    }

    /// A rename cannot be rolled back: the folders still need their sync.
    fn abandon(&mut self) {}
}

/// The fingerprint of what stands at a path, if anything does.
pub(crate) fn fingerprint_if_there(path: &Path) -> Result<Option<Fingerprint>, StepError> {
    match Fingerprint::of_file(path) {
        Ok(fingerprint) => Ok(Some(fingerprint)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How a file stands to content that was or shall be there: the same, the same and more, or something else.
pub(crate) fn compare_content(
    path: &Path,
    len: u64,
    digest: Digest,
    cx: &Cx<'_>,
) -> Result<State, StepError> {
    let metadata = std::fs::symlink_metadata(path).map_err(|e| FileError::new("look at", path, e))?;
    if !metadata.is_file() {
        return Ok(State::Conflict("something that is not a regular file is there".into()));
    }
    if metadata.len() < len {
        return Ok(State::Conflict(format!("expected {len} bytes, found {}", metadata.len())));
    }
    let more = metadata.len() - len;
    let begins_equal = if more == 0 {
        digest_file(path, &mut { *cx })?.digest == digest
    } else {
        digest_prefix(path, len, &mut { *cx })?.digest == digest
    };
    Ok(match (begins_equal, more) {
        (true, 0) => State::Done,
        (true, more) => State::Superseded(format!("it has grown by {more} bytes since")),
        (false, _) => State::Conflict("other content is there".into()),
    })
}

/// Moves whatever stands at a path to a folder of the run, which may be on another disk, under a name that tells the
/// step and `name`: for [`Step::set_aside`](crate::Step::set_aside).
pub fn move_into(folder: &Path, path: &Path, name: &Path, slot: &Slot, cx: &Cx<'_>) -> Result<(), StepError> {
    if let Some(copied) = bring_into(folder, path, name, slot, cx)? {
        copied.must_be_unchanged()?;
        remove_tree_if_there(path)?;
    }
    Ok(())
}

/// The same for a folder that must never be taken for the whole when it is half removed: it loses its name before.
pub(crate) fn move_tree_into(
    folder: &Path,
    tree: &Path,
    name: &Path,
    gone: &Path,
    slot: &Slot,
    cx: &Cx<'_>,
) -> Result<(), StepError> {
    if let Some(copied) = bring_into(folder, tree, name, slot, cx)? {
        copied.must_be_unchanged()?;
        publish_new(tree, gone)?;
        remove_tree_if_there(gone)?;
    }
    Ok(())
}

/// Answers what was copied, and still stands, if it had to be.
fn bring_into(
    folder: &Path,
    path: &Path,
    name: &Path,
    slot: &Slot,
    cx: &Cx<'_>,
) -> Result<Option<Seen>, StepError> {
    put_into(folder, name, slot, |kept| match publish_new(path, kept) {
        Err(PublishError::File(error)) if is_other_disk(&error) || is_forbidden(&error, path) => {
            copy_into(path, kept, cx).map(Some)
        }
        moved => Ok(moved.map(|()| None)?),
    })
}

/// A folder that may not be written to keeps its place: its way back up is written in it. A file that keeps its place could
/// not be removed either.
fn is_forbidden(error: &FileError, path: &Path) -> bool {
    error.source.kind() == ErrorKind::PermissionDenied && !path.is_symlink() && path.is_dir()
}

/// What everything looked like that was copied, before it was read.
#[derive(Debug, Default)]
pub(crate) struct Seen(Vec<(PathBuf, Fingerprint)>);

impl Seen {
    /// Whoever wrote to it meanwhile would find it gone, and a copy without what he wrote.
    pub(crate) fn must_be_unchanged(&self) -> Result<(), StepError> {
        for (path, looked) in &self.0 {
            if fingerprint_if_there(path)? != Some(*looked) {
                return Err(CopyError::SourceChanged(path.clone()).into());
            }
        }
        Ok(())
    }
}

/// Copies whatever stands at a path; of a folder all that is in it. Pipes and sockets hold nothing that could be copied.
fn copy_tree(from: &Path, to: &Path, seen: &mut Seen, cx: &Cx<'_>) -> Result<(), StepError> {
    let found = std::fs::symlink_metadata(from).doing("look at", from)?;
    let expect = Fingerprint::of(&found);
    seen.0.push((from.to_path_buf(), expect));
    if found.is_symlink() {
        make_symlink(&std::fs::read_link(from).doing("read", from)?, to)?;
    } else if found.is_dir() {
        create_private_dir(to)?;
        for entry in std::fs::read_dir(from).doing("look into", from)? {
            let name = entry.doing("look into", from)?.file_name();
            copy_tree(&from.join(&name), &to.join(&name), seen, cx)?;
        }
    } else if found.is_file() {
        let traits = Traits::like(from)?.with_mtime(expect.mtime);
        write_new(&mut open_expected(from, &expect)?, from, to, traits, &mut { *cx })?;
    }
    Ok(())
}

/// Gives a file a name in a folder of the run as well, or a copy there if that is on another disk. Answers what was copied.
pub(crate) fn keep_in(folder: &Path, file: &Path, slot: &Slot, cx: &Cx<'_>) -> Result<Seen, StepError> {
    put_into(folder, file, slot, |kept| match link_file(file, kept) {
        Err(error) if is_other_disk(&error) => copy_into(file, kept, cx),
        Err(error) if error.source.kind() == ErrorKind::AlreadyExists => {
            Err(PublishError::Occupied(kept.to_path_buf()).into())
        }
        linked => Ok(linked.map(|()| Seen::default())?),
    })
}

/// Puts something into a folder under a name that tells its step, and replaces nothing that an interrupted attempt has
/// put there.
fn put_into<T>(
    folder: &Path,
    name: &Path,
    slot: &Slot,
    put: impl Fn(&Path) -> Result<T, StepError>,
) -> Result<T, StepError> {
    let mut attempt = 0;
    let put = loop {
        let tag = if attempt == 0 { slot.step().to_string() } else { format!("{}.{attempt}", slot.step()) };
        match put(&folder.join(tagged(name, &tag))) {
            Err(StepError::Item(cause)) if cause.code == OCCUPIED => attempt += 1,
            done => break done?,
        }
    };
    sync_dir(folder)?;
    Ok(put)
}

fn is_other_disk(error: &FileError) -> bool {
    error.source.kind() == ErrorKind::CrossesDevices
}

/// Copies whatever stands at a path, whole or not at all, and answers what it has seen; nothing is copied if it holds
/// nothing that could be.
fn copy_into(path: &Path, kept: &Path, cx: &Cx<'_>) -> Result<Seen, StepError> {
    let staged = beside(kept, "set-aside", "tmp");
    remove_tree_if_there(&staged)?;
    let mut seen = Seen::default();
    copy_tree(path, &staged, &mut seen, cx)?;
    let mut unsynced = Unsynced::default();
    match staged.symlink_metadata() {
        Ok(found) if found.is_dir() => unsynced.add_tree(staged.clone())?,
        Ok(found) if found.is_file() => unsynced.add(staged.clone())?,
        Ok(_) => {}
        Err(_) => return Ok(seen),
    }
    unsynced.sync()?;
    seen.must_be_unchanged()?;
    publish_new(&staged, kept)?;
    Ok(seen)
}
