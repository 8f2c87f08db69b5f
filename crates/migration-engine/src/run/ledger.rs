//! The journal and what it says so far, shared by the lanes.

use std::sync::{Mutex, MutexGuard};

use serde::{Serialize, de::DeserializeOwned};

use crate::journal::{History, Journal, JournalError, Record};
use crate::{Cause, StepError};

/// Journal and history, always in step with each other.
#[derive(Debug)]
pub(super) struct Ledger<E> {
    inner: Mutex<Inner<E>>,
}

#[derive(Debug)]
struct Inner<E> {
    journal: Journal<E>,
    history: History<E>,
    /// A journal whose sync has failed is never written again: nobody knows what it holds.
    broken: bool,
}

impl<E: Clone + Serialize + DeserializeOwned> Ledger<E> {
    pub(super) fn new(journal: Journal<E>, history: History<E>) -> Self {
        Self { inner: Mutex::new(Inner { journal, history, broken: false }) }
    }

    /// Reads from the history.
    pub(super) fn look<T>(&self, read: impl FnOnce(&History<E>) -> T) -> T {
        read(&self.lock().history)
    }

    /// What is known of a step.
    pub(super) fn evidence(&self, step: u32) -> Option<E> {
        self.look(|history| history.evidence.get(&step).cloned())
    }

    /// Writes down facts that may wait for the next sync.
    pub(super) fn note(&self, record: Record<E>) {
        let mut inner = self.lock();
        inner.journal.append(&record);
        inner.history.take_in(record);
    }

    /// Writes down facts, and returns when they are durable.
    pub(super) fn record(&self, records: impl IntoIterator<Item = Record<E>>) -> Result<(), StepError> {
        let mut inner = self.lock();
        for record in records {
            inner.journal.append(&record);
            inner.history.take_in(record);
        }
        inner.sync().map_err(|error| Cause::new("journal", error.to_string()).world())
    }

    fn lock(&self) -> MutexGuard<'_, Inner<E>> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl<E: Serialize + DeserializeOwned> Inner<E> {
    fn sync(&mut self) -> Result<(), JournalError> {
        // Not even what another lane has to say: it would be published without a record.
        if self.broken {
            return Err(JournalError::Broken);
        }
        let synced = self.journal.sync();
        self.broken = synced.is_err();
        synced
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use session_model::Timestamp;

    #[test]
    fn after_a_failed_sync_no_lane_is_told_that_its_evidence_is_durable() {
        let began = Record::<()>::Began {
            format: 1,
            plan: durable_files::Digest::of(b""),
            at: Timestamp::UNIX_EPOCH,
        };
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let journal = Journal::over(std::path::Path::new("/dev/full"), full, 0);
        let ledger = Ledger::new(journal, History::begin(&began).unwrap());
        for _ in 0..2 {
            assert!(ledger.record([Record::Staged { step: 0, evidence: () }]).is_err());
        }
    }
}
