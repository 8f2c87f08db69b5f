//! A store changed by one program at a time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use durable_files::{
    CopyError, FileError, Fingerprint, InContext, Traits, create_private_dirs, publish_over,
    remove_file_if_there, sync_dir, write_file,
};
use serde_json::Value;

use crate::STORE;
use crate::store::Standing;
use crate::{
    Document, EditError, Field, Format, Held, Kind, LoadError, LockError, NewEntry, Patience, Store,
};

/// The entries of a store while they are changed. Fields go by their `snake_case` names, whatever the store's format.
#[derive(Debug)]
pub struct Entries {
    document: Document,
    format: Format,
}

/// Why an entry was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// There is no such entry, or it cannot be changed.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// Readers would lose the whole store over such a value.
    #[error("`{field}` must be {expected}")]
    WrongType {
        /// The field.
        field: &'static str,
        /// What it takes.
        expected: Kind,
    },
    /// No entry is without it.
    #[error("no entry is without `{0}`")]
    Required(&'static str),
}

/// Why a store was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError<E> {
    /// The caller decided against it.
    #[error("{0}")]
    Refused(E),
    /// It is in use.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// What stands there is not understood, so nothing is written over it.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The new one could not be written.
    #[error(transparent)]
    Write(#[from] CopyError),
    /// A program that heeds no lock has written it meanwhile.
    #[error("{} was written while it was locked, by a program that heeds no lock", .0.display())]
    ChangedMeanwhile(PathBuf),
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Entries {
    /// The keys, in their order.
    pub fn keys(&self) -> Vec<String> {
        self.document.entries().into_iter().map(|(key, _)| key.into_owned()).collect()
    }

    /// An entry, as JSON.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.document.get(key)
    }

    /// Puts a new entry in the place of the one that has this key, or behind all others.
    pub fn insert(&mut self, key: &str, entry: &NewEntry<'_>) -> Result<(), ChangeError> {
        Ok(self.document.insert(key, &entry.build(self.format).text)?)
    }

    /// Gives a field of an entry a value. One that is not known takes any, and is spelled as it is given.
    pub fn set(&mut self, key: &str, field: &str, value: &Value) -> Result<(), ChangeError> {
        let json = value.to_string();
        let spelled = match Field::named(field) {
            Some(known) if !known.takes(self.format, &json) => {
                return Err(ChangeError::WrongType { field: known.name, expected: known.kind });
            }
            Some(known) => self.format.spelled(known.name),
            None => field.into(),
        };
        Ok(self.document.set(key, &spelled, &json)?)
    }

    /// Takes a field of an entry away; answers whether it was there.
    pub fn unset(&mut self, key: &str, field: &str) -> Result<bool, ChangeError> {
        let spelled = match Field::named(field) {
            Some(known) if known.is_required() => return Err(ChangeError::Required(known.name)),
            Some(known) => self.format.spelled(known.name),
            None => field.into(),
        };
        Ok(self.document.unset(key, &spelled)?)
    }

    /// Takes an entry away; answers whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.document.remove(key)
    }
}

impl Store {
    /// Changes the store: waits for its lock, reads it, has it changed, and puts the new one in its place at once.
    ///
    /// What is not changed stays byte for byte, fields that nobody knows too. If nothing is changed, or `change` fails,
    /// nothing is written.
    pub fn update<T, E>(
        &self,
        patience: &Patience,
        stop: &AtomicBool,
        change: impl FnOnce(&mut Entries) -> Result<T, E>,
    ) -> Result<T, UpdateError<E>> {
        create_private_dirs(self.folder())?;
        let lock = Held::take(self.folder(), patience, stop)?;
        let standing = self.read()?;
        let mut entries = Entries { document: standing.document.clone(), format: self.format() };
        let answer = change(&mut entries).map_err(UpdateError::Refused)?;
        if entries.document != standing.document {
            self.write(&entries.document, &standing, &lock)?;
        }
        lock.release()?;
        Ok(answer)
    }

    fn write<E>(&self, new: &Document, old: &Standing, lock: &Held) -> Result<(), UpdateError<E>> {
        let path = self.path();
        let staged = self.folder().join(format!(".{STORE}.new.tmp")); // one name: whoever has the lock is alone
        let traits = old.file.map_or(Ok(Traits::PRIVATE), |_| Traits::like(&path))?;
        let written = write_file(new.to_string().as_bytes(), &staged, traits)?;
        if let Some(old) = old.file
            && old.mtime == written.written.mtime
        {
            make_newer(&staged)?;
        }
        let is_as_read = old.file == Fingerprint::of_file(&path).ok();
        if !is_as_read || lock.check().is_err() {
            remove_file_if_there(&staged)?;
            lock.check()?;
            return Err(UpdateError::ChangedMeanwhile(path));
        }
        publish_over(&staged, &path)?;
        Ok(sync_dir(self.folder())?)
    }
}

/// Readers tell by its time that a store has changed.
pub(crate) fn make_newer(staged: &Path) -> Result<(), FileError> {
    let file = File::options().write(true).open(staged).doing("open", staged)?;
    let modified = file.metadata().and_then(|found| found.modified()).doing("look at", staged)?;
    file.set_modified(modified + Duration::from_millis(1)).doing("set the time of", staged)?;
    file.sync_all().doing("make durable", staged)
}
