//! A store that is not read again while nothing has changed.

use std::sync::Arc;
use std::time::Duration;

use durable_files::Fingerprint;
use session_model::Timestamp;

use crate::{LoadError, Loaded, Store};

/// A store whose content is kept for a while.
///
/// As the applications do it: for 45 s, and only as long as the file has the same time and size.
#[derive(Debug, Clone)]
pub struct CachedStore {
    store: Store,
    lifetime: Duration,
    kept: Option<Kept>,
}

#[derive(Debug, Clone)]
struct Kept {
    since: Timestamp,
    looks: Option<(i64, u64)>,
    loaded: Arc<Loaded>,
}

impl CachedStore {
    /// How long the applications keep what they have read.
    pub const LIFETIME: Duration = Duration::from_secs(45);

    /// A store of which nothing is kept yet.
    pub fn new(store: Store, lifetime: Duration) -> Self {
        Self { store, lifetime, kept: None }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// All that the store says.
    pub fn load(&mut self, now: Timestamp) -> Result<Arc<Loaded>, LoadError> {
        let looks = Fingerprint::of_file(&self.store.path()).ok().map(|file| (file.mtime, file.size));
        if let Some(kept) = &self.kept {
            let age = Duration::try_from(now.duration_since(kept.since)); // none if the clock went back
            if kept.looks == looks && age.is_ok_and(|age| age < self.lifetime) {
                return Ok(Arc::clone(&kept.loaded));
            }
        }
        let loaded = Arc::new(self.store.load()?);
        self.kept = Some(Kept { since: now, looks, loaded: Arc::clone(&loaded) });
        Ok(loaded)
    }

    /// Forgets what is kept.
    pub fn forget(&mut self) {
        self.kept = None;
    }
}
