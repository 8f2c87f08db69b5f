//! A whole new folder, published by one rename.

mod entry;
mod manifest;

use std::path::{Path, PathBuf};

use durable_files::{
    Digest, Fingerprint, PathText, Traits, create_private_dir, create_private_dirs, dress_dir, missing_dirs,
    must_be_no_links, publish_new, remove_empty_dirs, remove_file_if_there, remove_tree_if_there, sync_dir,
};
use serde::{Deserialize, Serialize};

pub(super) use entry::make_symlink;
pub use entry::{BadEntry, Entry, Node};

use super::content::{self, Content, FileWorld, Verbatim};
use super::files::{Files, fingerprint_if_there, move_tree_into};
use crate::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};
use manifest::{Kind, Manifest};

/// Puts a folder with all that is in it to a place where nothing is, and verifies every byte of it.
///
/// It is put together beside its place under a name that nobody looks at, made durable with one sync, and takes its name
/// by one rename: nobody ever sees half of it. What was written is listed in a manifest in the run's own folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallTree<C = Verbatim> {
    /// Where it goes; nothing may be there.
    pub target: PathText,
    /// The folders that did not exist when the plan was made, outermost first: an undo removes them if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_dirs: Vec<PathText>,
    /// The permission bits of the folder itself.
    pub mode: u32,
    /// Its modification time in nanoseconds since 1970, if it can be set; `None` leaves the time of writing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtime: Option<i64>,
    /// What is in it, each folder before what is in that.
    pub entries: Vec<Entry<C>>,
}

/// A folder that was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledTree {
    /// The inode of the folder (0 where the system has none): another one by its name is not ours, whatever it holds.
    pub ino: u64,
    /// The list of what was written, in the run's own folder.
    pub manifest: PathText,
    /// The SHA-256 of that list, which holds the digest of every file.
    pub digest: Digest,
    /// How many files there are in it.
    pub files: u64,
    /// How many folders.
    pub folders: u64,
    /// How many symlinks.
    pub symlinks: u64,
    /// How many bytes the files hold.
    pub bytes: u64,
    /// The name under which an undo moves it aside before it removes it.
    pub aside: PathText,
}

impl<C: Content> InstallTree<C> {
    /// The step for a folder (0700, with the time of writing) at a place, with the folders that are missing now.
    pub fn of(target: &Path, entries: Vec<Entry<C>>) -> Result<Self, BadEntry> {
        entry::check(&entries)?;
        let new_dirs = target.parent().map(missing_dirs).unwrap_or_default();
        let new_dirs = new_dirs.into_iter().map(PathText::from).collect();
        Ok(Self { target: target.into(), new_dirs, mode: 0o700, mtime: None, entries })
    }

    /// Every folder in which a name of this step may have changed.
    fn touch(&self, world: &mut Files) {
        world.touch(&self.target);
        self.new_dirs.iter().for_each(|dir| world.touch(dir));
    }

    /// Where it is put together.
    fn staging(&self, slot: &Slot) -> PathBuf {
        slot.beside(&self.target, "tmp")
    }

    /// Where it is removed: whatever has this name is not needed any more.
    fn gone(&self, slot: &Slot) -> PathBuf {
        slot.beside(&self.target, "gone")
    }

    /// Puts all entries into the staging folder.
    fn fill(&self, staging: &Path, world: &mut C::World, cx: &Cx<'_>) -> Result<Manifest, StepError> {
        let mut manifest = Manifest::default();
        for (at, entry) in self.entries.iter().enumerate() {
            cx.check()?;
            let path = staging.join(&entry.path);
            if fingerprint_if_there(&path)?.is_some() {
                return Err(self.clash(at, staging)); // nobody else writes here
            }
            let kind = match &entry.node {
                Node::Folder { .. } => {
                    create_private_dir(&path)?;
                    Kind::Folder
                }
                Node::File { content, mode, mtime } => {
                    let traits = Traits { mode: *mode, mtime: *mtime, sparse: false };
                    let written = content::write(content, world, &path, traits, cx)?;
                    Kind::File { digest: written.digest, file: written.written }
                }
                Node::Symlink { target } => {
                    make_symlink(target, &path)?;
                    Kind::Symlink { target: target.clone() }
                }
            };
            manifest.add(&entry.path, kind);
        }
        self.dress(staging)?;
        Ok(manifest)
    }

    /// Folders get their mode and time last, the innermost first: what is written into them would change the time, and
    /// the mode may forbid to.
    fn dress(&self, staging: &Path) -> Result<(), StepError> {
        for entry in self.entries.iter().rev() {
            if let Node::Folder { mode, mtime } = entry.node {
                dress_dir(&staging.join(&entry.path), Traits { mode, mtime, sparse: false })?;
            }
        }
        Ok(dress_dir(staging, Traits { mode: self.mode, mtime: self.mtime, sparse: false })?)
    }

    /// Two names that are one where the tree goes.
    fn clash(&self, at: usize, staging: &Path) -> StepError {
        let entry = &self.entries[at];
        let with = entry::first_of_clash(&self.entries[..at], entry, staging);
        let message = format!(
            "cannot install the folder {}: {} and {} have one name there",
            self.target.display(),
            with.map_or_else(|| "something".into(), |with| with.path.display().to_string()),
            entry.path.display()
        );
        Cause::new("names-clash", message).item()
    }

    /// What the manifest would say, from the sources alone.
    fn planned(&self, world: &mut C::World, cx: &Cx<'_>) -> Result<Manifest, StepError> {
        let mut manifest = Manifest::default();
        for entry in &self.entries {
            let kind = match &entry.node {
                Node::Folder { .. } => Kind::Folder,
                Node::Symlink { target } => Kind::Symlink { target: target.clone() },
                Node::File { content, .. } => Kind::of_content(content::digest(content, world, cx)?),
            };
            manifest.add(&entry.path, kind);
        }
        Ok(manifest)
    }

    /// Removes the folder if all of it is what was installed and nothing else is in it: aside first, then a look at what
    /// came along, then for good.
    fn uproot(&self, ours: &InstalledTree, slot: &Slot, cx: &Cx<'_>) -> Result<(), StepError> {
        if !is_there(&ours.aside)? {
            if !is_there(&self.target)? {
                return Ok(());
            }
            if ours.compare(&self.target, Look::Full, cx)? != State::Done {
                return Err(self.drifted());
            }
            publish_new(&self.target, &ours.aside)?;
        }
        if ours.compare(&ours.aside, Look::Quick, cx)? != State::Done {
            publish_new(&ours.aside, &self.target)?;
            return Err(self.drifted());
        }
        self.discard(&ours.aside, slot)
    }

    /// Removes a folder of ours. It loses its name first, so that what is half removed is never taken for the whole.
    fn discard(&self, tree: &Path, slot: &Slot) -> Result<(), StepError> {
        let gone = self.gone(slot);
        publish_new(tree, &gone)?;
        sync_dir(gone.parent().unwrap_or(&gone))?;
        Ok(remove_tree_if_there(&gone)?)
    }

    fn drifted(&self) -> StepError {
        Cause::new("drifted", format!("{} has changed since it was installed", self.target.display())).item()
    }
}

impl InstalledTree {
    fn compare(&self, tree: &Path, look: Look, cx: &Cx<'_>) -> Result<State, StepError> {
        if Fingerprint::of_file(tree)?.ino != self.ino {
            return Ok(State::Conflict("something else by its name is there".into()));
        }
        match Manifest::read(&self.manifest, self.digest) {
            Err(StepError::Item(cause)) => Ok(State::Conflict(cause.message)), // it can be set aside all the same
            manifest => manifest?.compare(tree, look, cx),
        }
    }
}

impl<C: Content> Step for InstallTree<C> {
    type World = C::World;
    type Evidence = InstalledTree;

    fn describe(&self) -> String {
        format!("install the folder {}", self.target.display())
    }

    fn cost(&self) -> Cost {
        let bytes = self.entries.iter().map(|entry| match &entry.node {
            Node::File { content, .. } => content.size(),
            Node::Folder { .. } | Node::Symlink { .. } => 0,
        });
        let inodes = 1 + (self.new_dirs.len() + self.entries.len()) as u64;
        let bytes = bytes.fold(0, u64::saturating_add);
        Cost { bytes, at: self.target.parent().map(Path::to_path_buf), inodes, passing: 0 }
    }

    fn inspect(
        &self,
        world: &mut C::World,
        evidence: Option<&InstalledTree>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let is_there_now = is_there(&self.target)?;
        let Some(ours) = evidence else {
            return if is_there_now {
                self.planned(world, cx)?.compare(&self.target, Look::Full, cx)
            } else {
                Ok(State::Pending)
            };
        };
        self.touch(world.files()); // killed after publishing, a run may have left the names to the page cache
        if is_there_now {
            return ours.compare(&self.target, look, cx);
        }
        // An undo was killed: what it had moved aside is to be removed, unless something came along.
        match if is_there(&ours.aside)? { ours.compare(&ours.aside, look, cx)? } else { State::Pending } {
            State::Done | State::Pending => Ok(State::Pending),
            drifted => Ok(drifted),
        }
    }

    fn stage(&self, world: &mut C::World, slot: &Slot, cx: &Cx<'_>) -> Result<InstalledTree, StepError> {
        entry::check(&self.entries)?;
        must_be_no_links(&self.new_dirs)?;
        if let Some(parent) = self.target.parent() {
            create_private_dirs(parent)?;
        }
        let staging = self.staging(slot);
        self.touch(world.files());
        remove_tree_if_there(&staging)?;
        create_private_dir(&staging)?;
        world.files().staged_tree(staging.clone())?;
        let manifest = self.fill(&staging, world, cx)?;
        let list = slot.private("manifest");
        let digest = manifest.write(&list)?;
        let ino = Fingerprint::of_file(&staging)?.ino;
        let (files, folders, symlinks, bytes) = manifest.counts();
        let aside = slot.beside(&self.target, "old").into();
        let manifest = list.into();
        Ok(InstalledTree { ino, manifest, digest, files, folders, symlinks, bytes, aside })
    }

    fn publish(&self, world: &mut C::World, slot: &Slot, _ours: &InstalledTree) -> Result<(), StepError> {
        publish_new(&self.staging(slot), &self.target)?;
        world.files().touch(&self.target);
        Ok(())
    }

    fn revert(
        &self,
        world: &mut C::World,
        slot: &Slot,
        evidence: Option<&InstalledTree>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.touch(world.files());
        let staging = self.staging(slot);
        remove_tree_if_there(&self.gone(slot))?;
        if let Some(ours) = evidence
            && !is_there(&staging)?
        {
            self.uproot(ours, slot, cx)?;
        }
        remove_tree_if_there(&staging)?;
        remove_file_if_there(&slot.private("manifest"))?;
        Ok(remove_empty_dirs(&self.new_dirs)?)
    }

    fn unstage(
        &self,
        world: &mut C::World,
        slot: &Slot,
        ours: &InstalledTree,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.touch(world.files());
        remove_tree_if_there(&self.staging(slot))?;
        remove_tree_if_there(&self.gone(slot))?;
        if !is_there(&ours.aside)? {
            return Ok(());
        }
        if ours.compare(&ours.aside, Look::Quick, cx)? == State::Done {
            return self.discard(&ours.aside, slot);
        }
        Ok(publish_new(&ours.aside, &self.target)?) // what came along is kept where it was meant to be
    }

    fn aside(&self, _slot: &Slot, folder: &Path) -> Option<String> {
        Some(folder.display().to_string())
    }

    fn set_aside(
        &self,
        world: &mut C::World,
        slot: &Slot,
        ours: &InstalledTree,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        self.touch(world.files());
        let gone = self.gone(slot);
        remove_tree_if_there(&gone)?;
        for _ in 0..2 {
            // what an attempt that was killed had moved aside, and then what stands there
            if is_there(&ours.aside)? {
                move_tree_into(folder, &ours.aside, &self.target, &gone, slot, cx)?;
            }
            if is_there(&self.target)? {
                publish_new(&self.target, &ours.aside)?;
            }
        }
        self.revert(world, slot, Some(ours), cx)
    }
}

fn is_there(path: &Path) -> Result<bool, StepError> {
    Ok(fingerprint_if_there(path)?.is_some())
}
