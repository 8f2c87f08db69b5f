//! The world of runs that merge sessions into stores.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use durable_files::{Digest, Fingerprint, Traits, create_private_dirs, sync_dir, write_file};
use migration_engine::steps::{FileWorld, Files};
use migration_engine::{Cause, Cx, Slot, StepError, World};

use super::commit;
use super::merge::{Before, KeyedEntry, Merged};
use super::standing::Standing;
use crate::{Document, Format, Held, LockError, Patience};

/// Files, and the stores that are being written: each is locked from the first entry on that is added or taken out, until
/// all of them are written at once when the wave is settled.
#[derive(Debug, Default)]
pub struct StoreFiles {
    /// The files.
    pub files: Files,
    patience: Patience,
    open: BTreeMap<PathBuf, Transaction>,
    /// The store that was looked at last.
    seen: Option<(PathBuf, Arc<Standing>)>,
    /// The keys of each store that an undo would take out.
    leaving: BTreeSet<(PathBuf, String)>,
    /// Stores beside which nothing is left of a killed attempt.
    clean: BTreeSet<PathBuf>,
}

/// A store that is locked until everything that is to be changed in it is written.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) lock: Held,
    /// That of the first step which changes the store.
    pub(super) slot: Slot,
    pub(super) standing: Arc<Standing>,
    /// What is changed: what stands there, unless that could not be read and was set aside.
    pub(super) document: Document,
    /// By the step that adds them.
    pub(super) added: BTreeMap<u32, Vec<KeyedEntry>>,
    /// Keys, and what the store was before they were added.
    pub(super) taken_out: Vec<(String, Merged)>,
    before: Option<Merged>,
}

impl StoreFiles {
    /// The world of somebody who waits this long for a lock.
    pub fn new(patience: Patience) -> Self {
        Self { patience, ..Self::default() }
    }

    /// A store as it stands, read again only if it looks different.
    pub(super) fn look(&mut self, store: &Path, format: Format) -> Result<Arc<Standing>, StepError> {
        if let Some(transaction) = self.open.get(store) {
            return Ok(Arc::clone(&transaction.standing));
        }
        let file = match Fingerprint::of_file(store) {
            Err(error) if error.is_not_found() => None,
            found => Some(found?),
        };
        if let Some((seen, standing)) = &self.seen
            && (&**seen, standing.file, standing.format) == (store, file, format)
        {
            return Ok(Arc::clone(standing));
        }
        let standing = Arc::new(Standing::read(store, format)?);
        self.seen = Some((store.to_owned(), Arc::clone(&standing)));
        Ok(standing)
    }

    /// The store to be written when the wave is settled, locked from now on.
    pub(super) fn open(
        &mut self,
        store: &Path,
        format: Format,
        slot: &Slot,
        cx: &Cx<'_>,
    ) -> Result<&mut Transaction, StepError> {
        if !self.open.contains_key(store) {
            let folder = store.parent().unwrap_or(Path::new(""));
            let lock = Held::take(folder, &self.patience, cx.stop).map_err(cause)?;
            let standing = Arc::new(Standing::read(store, format)?);
            let document =
                standing.content().map_or_else(|_| Document::empty(), |read| read.document.clone());
            let transaction = Transaction {
                lock,
                slot: slot.clone(),
                standing,
                document,
                added: BTreeMap::new(),
                taken_out: Vec::new(),
                before: None,
            };
            self.open.insert(store.to_owned(), transaction);
        }
        Ok(self.open.get_mut(store).expect("because it was put there"))
    }

    /// Forgets what a step has staged; answers whether it had.
    pub(super) fn forget(&mut self, store: &Path, slot: &Slot) -> bool {
        self.open.get_mut(store).is_some_and(|open| open.added.remove(&slot.step()).is_some())
    }

    /// Fails if the lock of a store was lost, or a step has staged nothing in it.
    pub(super) fn must_be_held(&self, store: &Path, slot: &Slot) -> Result<(), StepError> {
        let open = self.open.get(store).filter(|open| open.added.contains_key(&slot.step()));
        let open = open.ok_or_else(|| {
            Cause::new("not-staged", format!("nothing was staged for {}", store.display())).world()
        })?;
        open.lock.check().map_err(cause)
    }

    /// Removes what a killed attempt of the run has left beside a store, and its lock.
    pub(super) fn clean(&mut self, store: &Path, slot: &Slot) -> Result<(), StepError> {
        let folder = store.parent().filter(|folder| folder.is_dir());
        if let (Some(folder), false) = (folder, self.clean.contains(store)) {
            commit::clean(store, slot.run())?;
            Held::clear_abandoned(folder)?;
            self.files.touch(store);
            self.clean.insert(store.to_owned());
        }
        Ok(())
    }

    /// Remembers whether an undo would take out the entry of a key.
    pub(super) fn leaves(&mut self, store: &Path, key: &str, leaves: bool) {
        let entry = (store.to_owned(), key.to_owned());
        if leaves {
            self.leaving.insert(entry)
        } else {
            self.leaving.remove(&entry)
        };
    }

    pub(super) fn is_leaving(&self, store: &Path, key: &str) -> bool {
        self.leaving.contains(&(store.to_owned(), key.to_owned()))
    }
}

impl Transaction {
    /// What the store is before anything is added, of which a copy is kept in the folder of the run.
    pub(super) fn before(&mut self) -> Result<Merged, StepError> {
        if let Some(before) = &self.before {
            return Ok(before.clone());
        }
        let bytes = &self.standing.bytes;
        let before = match &self.standing.file {
            None => None,
            Some(file) => {
                let digest = Digest::of(bytes);
                let copy = self.slot.private(&format!("{digest}.json"));
                keep(bytes, &copy)?;
                Some(Before { digest, mtime: file.mtime, copy: copy.into() })
            }
        };
        Ok(self.before.insert(Merged { before }).clone())
    }

    /// Begins from what the store was before a step, instead of what stands there.
    pub(super) fn begin_from(&mut self, merged: &Merged, store: &Path) -> Result<(), StepError> {
        let bytes = merged.before.as_ref().map_or(Ok(Vec::new()), Before::read)?;
        let format = self.standing.format;
        let standing = Standing::of(self.standing.file, bytes, store, format);
        self.document = standing.content()?.document.clone();
        self.standing = Arc::new(standing);
        Ok(())
    }
}

/// Keeps a copy, durable before anything that relies on it is written down.
fn keep(bytes: &[u8], copy: &Path) -> Result<(), StepError> {
    if std::fs::read(copy).is_ok_and(|kept| kept == bytes) {
        return Ok(()); // of an earlier attempt
    }
    let folder = copy.parent().unwrap_or(Path::new(""));
    create_private_dirs(folder)?;
    write_file(bytes, copy, Traits::PRIVATE)?;
    Ok(sync_dir(folder)?)
}

impl FileWorld for StoreFiles {
    fn files(&mut self) -> &mut Files {
        &mut self.files
    }
}

impl World for StoreFiles {
    fn persist(&mut self) -> Result<(), StepError> {
        self.files.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.files.settle()?; // an entry never leads to a transcript whose name is not durable
        for (store, transaction) in &self.open {
            commit::commit(store, transaction)?;
        }
        self.seen = None;
        while let Some((store, transaction)) = self.open.pop_first() {
            transaction.lock.release()?;
            self.files.touch(&store);
        }
        self.files.settle()
    }

    fn abandon(&mut self) {
        self.open.clear();
        self.seen = None;
        self.clean.clear();
        self.files.abandon();
    }
}

/// Whatever is wrong with the lock is wrong for every entry.
pub(super) fn cause(error: LockError) -> StepError {
    match error {
        LockError::Stopped => StepError::Stopped,
        LockError::File(error) => error.into(),
        LockError::TimedOut { .. } | LockError::Lost(_) => {
            Cause::new("store-locked", error.to_string()).world()
        }
    }
}
