//! The journal's file: appended to in batches, each made durable with one sync.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use durable_files::{FileError, InContext};
use serde::{Serialize, de::DeserializeOwned};

use super::frame::{self, Damaged};
use super::record::{History, Record};

/// A journal that cannot be read, or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// It has been damaged since it was written.
    #[error("{} cannot be trusted: {damage}", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Where.
        damage: Damaged,
    },
    /// It reads, and is not a journal that this version understands.
    #[error("{} is not a journal of this format: record {record} does not read", path.display())]
    Foreign {
        /// The journal.
        path: PathBuf,
        /// Which record, counted from 1.
        record: usize,
    },
    /// It could not be made durable once; what it holds is unknown since.
    #[error("the journal is not written any more, since it could not be made durable before")]
    Broken,
}

/// An open journal of records with evidence `E`.
#[derive(Debug)]
pub(crate) struct Journal<E> {
    path: PathBuf,
    file: File,
    /// Records that are not yet in the file.
    buffer: Vec<u8>,
    /// Where the current batch begins.
    batch: u64,
    _evidence: PhantomData<fn(E)>,
}

impl<E: Serialize + DeserializeOwned> Journal<E> {
    /// Creates the journal of a new run.
    pub(crate) fn create(path: &Path) -> Result<Self, JournalError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).doing("create", path)?;
        Ok(Self::over(path, file, 0))
    }

    /// Opens the journal of an existing run to go on with it, cutting off a torn end.
    pub(crate) fn open(path: &Path) -> Result<(Self, History<E>), JournalError> {
        use std::io::Seek;
        let (history, valid_len) = read(path)?;
        let mut file = OpenOptions::new().write(true).open(path).doing("open", path)?;
        // An undisturbed journal is left untouched, its time included: whoever only looks changes nothing.
        if file.metadata().doing("look at", path)?.len() > valid_len {
            file.set_len(valid_len).doing("cut off the torn end of", path)?;
        }
        file.seek(std::io::SeekFrom::End(0)).doing("go to the end of", path)?;
        Ok((Self::over(path, file, valid_len), history))
    }

    /// A journal that goes on in this file, in which the next batch begins at `batch`.
    pub(crate) fn over(path: &Path, file: File, batch: u64) -> Self {
        Self { path: path.to_path_buf(), file, buffer: Vec::new(), batch, _evidence: PhantomData }
    }

    /// Adds a record to the current batch.
    pub(crate) fn append(&mut self, record: &Record<E>) {
        let json = serde_json::to_vec(record).expect("because records are plain data with text keys");
        frame::encode(&mut self.buffer, self.batch, &json);
    }

    /// Makes the current batch durable. After a failure the journal must not be used any more: what a failed sync has
    /// written is unknown, and a second one may succeed without having written it.
    pub(crate) fn sync(&mut self) -> Result<(), JournalError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.file.write_all(&self.buffer).doing("write", &self.path)?;
        self.file.sync_data().doing("make durable", &self.path)?;
        self.batch += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// Reads the history of a run without changing anything, and how much of the file it fills.
pub(crate) fn read<E: DeserializeOwned>(path: &Path) -> Result<(History<E>, u64), JournalError> {
    let bytes = std::fs::read(path).doing("read", path)?;
    let frames =
        frame::decode(&bytes).map_err(|damage| JournalError::Damaged { path: path.to_path_buf(), damage })?;
    let foreign = |record| JournalError::Foreign { path: path.to_path_buf(), record };
    let mut records =
        frames.records.iter().enumerate().map(|(number, bytes)| {
            serde_json::from_slice::<Record<E>>(bytes).map_err(|_| foreign(number + 1))
        });
    let first = records.next().ok_or_else(|| foreign(1))??;
    let mut history = History::begin(&first).ok_or_else(|| foreign(1))?;
    for record in records {
        history.take_in(record?);
    }
    Ok((history, frames.valid_len))
}
