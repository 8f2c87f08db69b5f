//! Entries added to a store that others may write to as well.

use std::collections::HashSet;
use std::path::Path;

use durable_files::{CopyError, Fingerprint, InContext, PathText, digest_file};
use migration_engine::steps::{Bytes, FileWorld, InstallFile, Installed, ReplaceFile, Replaced};
use migration_engine::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use super::StoreFiles;
use crate::Identity;
use crate::{Document, Format, says_the_same};

/// An entry to be added, by its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedEntry {
    /// The key.
    pub key: String,
    /// The name of its transcript, in the folder of the store: without that there is no entry.
    pub transcript: String,
    /// The entry, as it shall stand there.
    pub entry: String,
}

/// Adds entries to a store, under its lock.
///
/// What else the store says by then stays, byte for byte. An entry whose key leads elsewhere by then, or whose transcript
/// is not there, is left out: a look at what the run left tells. It is the last task of its wave, so that the lock is
/// held for no longer than it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeEntries {
    /// The store.
    pub store: PathText,
    /// How it spells its members.
    pub format: Format,
    /// What is added, in this order.
    pub entries: Vec<KeyedEntry>,
}

/// What was done to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The keys that were added.
    keys: Vec<String>,
    change: Change,
}

/// The step that a merge comes down to, once the store has been read under its lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "kebab-case")]
enum Change {
    /// There was no store. Until it is published, the new one waits under another name.
    Absent { install: InstallFile<Bytes>, left: Installed, staged: PathText },
    /// There was one.
    There { replace: ReplaceFile<Bytes>, left: Replaced },
}

impl MergeEntries {
    fn folder(&self) -> &Path {
        self.store.parent().unwrap_or(&self.store)
    }

    /// Its bytes, and how it looked before they were read; none if it is not there.
    fn read(&self) -> Result<Option<(Vec<u8>, Fingerprint)>, StepError> {
        let looks = match Fingerprint::of_file(&self.store) {
            Err(error) if error.is_not_found() => return Ok(None),
            looks => looks?,
        };
        let metadata = self.store.symlink_metadata().doing("look at", &self.store)?;
        if !metadata.is_file() {
            return Err(self.unreadable("it is not a regular file"));
        }
        Ok(Some((std::fs::read(&self.store).doing("read", &self.store)?, looks)))
    }

    fn document(&self, bytes: &[u8]) -> Result<Document, StepError> {
        Document::parse(bytes).map_err(|error| self.unreadable(&error.to_string()))
    }

    fn unreadable(&self, found: &str) -> StepError {
        Cause::new("store-unreadable", format!("cannot add to {}: {found}", self.store.display())).item()
    }

    /// The entries that can be added by now.
    fn addable<'a>(&'a self, document: &Document) -> Vec<&'a KeyedEntry> {
        let is_there = |entry: &&KeyedEntry| self.folder().join(&entry.transcript).is_file();
        let taken: HashSet<_> = document.entries().into_iter().map(|(key, _)| key).collect();
        let is_free = |entry: &&KeyedEntry| !taken.contains(entry.key.as_str());
        self.entries.iter().filter(is_free).filter(is_there).collect()
    }

    /// Removes what an attempt that was killed has staged.
    fn tidy(&self, world: &mut StoreFiles, slot: &Slot, cx: &Cx<'_>) -> Result<(), StepError> {
        let nothing = Fingerprint { dev: 0, ino: 0, size: 0, mtime: 0, ctime: 0 };
        self.replacement(Vec::new(), nothing).revert(world.files(), slot, None, cx)
    }

    fn replacement(&self, bytes: Vec<u8>, expect: Fingerprint) -> ReplaceFile<Bytes> {
        ReplaceFile { content: Bytes(bytes), target: self.store.clone(), expect }
    }

    /// Whether the run was killed before the store was written, so that what others have written since is no matter.
    fn still_waits(&self, ours: &Merged, cx: &Cx<'_>) -> Result<bool, StepError> {
        let document = match self.read()? {
            Some((bytes, _)) => Document::parse(&bytes).ok(),
            None => Some(Document::empty()),
        };
        if !document.is_some_and(|document| ours.keys.iter().all(|key| document.get(key).is_none())) {
            return Ok(false);
        }
        let (waiting, digest) = match &ours.change {
            Change::Absent { left, staged, .. } => (staged, left.digest),
            Change::There { left, .. } => (&left.other, left.digest),
        };
        match digest_file(waiting, &mut { *cx }) {
            Err(CopyError::File(error)) if error.is_not_found() => Ok(false),
            found => Ok(found?.digest == digest),
        }
    }

    /// Whether the store still says what was added, or something newer.
    fn has_gone_on(&self, ours: &Merged) -> Result<bool, StepError> {
        let Some((bytes, _)) = self.read()? else { return Ok(false) };
        let Ok(document) = Document::parse(&bytes) else { return Ok(false) };
        let stands = |entry: &KeyedEntry| {
            let Some(found) = document.get(&entry.key) else { return false };
            let of = |text| Identity::of(text, self.format).ok();
            says_the_same(found, &entry.entry)
                || matches!((of(found), of(&entry.entry)), (Some(found), Some(added))
                    if found.session_id == added.session_id && found.updated_at >= added.updated_at)
        };
        Ok(self.entries.iter().filter(|entry| ours.keys.contains(&entry.key)).all(stands))
    }
}

impl Change {
    /// The same without the bytes of the store, which are not needed once they are written.
    fn without_content(self) -> Self {
        let none = Bytes(Vec::new());
        match self {
            Self::Absent { install, left, staged } => {
                Self::Absent { install: InstallFile { content: none, ..install }, left, staged }
            }
            Self::There { replace, left } => {
                Self::There { replace: ReplaceFile { content: none, ..replace }, left }
            }
        }
    }
}

impl Step for MergeEntries {
    type World = StoreFiles;
    type Evidence = Merged;

    fn describe(&self) -> String {
        format!("add {} entries to {}", self.entries.len(), self.store.display())
    }

    fn cost(&self) -> Cost {
        let there = self.store.metadata().map_or(0, |found| found.len());
        let added: usize = self.entries.iter().map(|entry| entry.key.len() + entry.entry.len()).sum();
        Cost { bytes: there + added as u64, at: Some(self.folder().to_path_buf()), inodes: 2, passing: 0 }
    }

    fn inspect(
        &self,
        world: &mut StoreFiles,
        evidence: Option<&Merged>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let Some(ours) = evidence else { return Ok(State::Pending) };
        world.clear(self.folder());
        let state = match &ours.change {
            Change::Absent { install, left, .. } => install.inspect(world.files(), Some(left), look, cx)?,
            Change::There { replace, left } => replace.inspect(world.files(), Some(left), look, cx)?,
        };
        Ok(match state {
            State::Conflict(_) | State::Superseded(_) if self.still_waits(ours, cx)? => State::Pending,
            State::Conflict(_) | State::Superseded(_) if self.has_gone_on(ours)? => {
                State::Superseded("it has been written to since".into())
            }
            State::Superseded(found) => State::Conflict(found),
            state => state,
        })
    }

    fn stage(&self, world: &mut StoreFiles, slot: &Slot, cx: &Cx<'_>) -> Result<Merged, StepError> {
        world.lock(self.folder(), cx)?;
        self.tidy(world, slot, cx)?;
        let there = self.read()?;
        let document = match &there {
            Some((bytes, _)) => self.document(bytes)?,
            None => Document::empty(),
        };
        let added = self.addable(&document);
        let bytes = document.with_new_entries(added.iter().map(|entry| (&*entry.key, &*entry.entry)));
        let keys = added.iter().map(|entry| entry.key.clone()).collect();
        let change = match there {
            None => {
                let mtime = i64::try_from((cx.now)().as_nanosecond()).unwrap_or_default();
                let install = InstallFile::of(Bytes(bytes), &self.store, mtime);
                let left = install.stage(world.files(), slot, cx)?;
                Change::Absent { install, left, staged: slot.beside(&self.store, "tmp").into() }
            }
            Some((_, looks)) => {
                let replace = self.replacement(bytes, looks);
                let left = replace.stage(world.files(), slot, cx)?;
                Change::There { replace, left }
            }
        };
        Ok(Merged { keys, change: change.without_content() })
    }

    fn publish(&self, world: &mut StoreFiles, slot: &Slot, ours: &Merged) -> Result<(), StepError> {
        world.must_be_locked()?;
        match &ours.change {
            Change::Absent { install, left, .. } => install.publish(world.files(), slot, left),
            Change::There { replace, left } => replace.publish(world.files(), slot, left),
        }
    }

    fn revert(
        &self,
        world: &mut StoreFiles,
        slot: &Slot,
        evidence: Option<&Merged>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        if !self.folder().is_dir() {
            return Ok(());
        }
        world.clear(self.folder());
        let Some(ours) = evidence else { return self.tidy(world, slot, cx) };
        world.lock(self.folder(), cx)?;
        match &ours.change {
            Change::Absent { install, left, .. } => install.revert(world.files(), slot, Some(left), cx),
            Change::There { replace, left } => replace.revert(world.files(), slot, Some(left), cx),
        }
    }

    fn unstage(
        &self,
        world: &mut StoreFiles,
        slot: &Slot,
        ours: &Merged,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        match &ours.change {
            Change::Absent { install, left, .. } => install.unstage(world.files(), slot, left, cx),
            Change::There { replace, left } => replace.unstage(world.files(), slot, left, cx),
        }
    }

    fn set_aside(
        &self,
        world: &mut StoreFiles,
        slot: &Slot,
        ours: &Merged,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.lock(self.folder(), cx)?;
        match &ours.change {
            Change::Absent { install, left, .. } => install.set_aside(world.files(), slot, left, folder, cx),
            Change::There { replace, left } => replace.set_aside(world.files(), slot, left, folder, cx),
        }
    }

    fn stashes(&self, slot: &Slot, ours: &Merged) -> Vec<std::path::PathBuf> {
        match &ours.change {
            Change::Absent { install, left, .. } => install.stashes(slot, left),
            Change::There { replace, left } => replace.stashes(slot, left),
        }
    }
}
