//! A store as it stands.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use durable_files::{Fingerprint, InContext, open_regular};
use migration_engine::{Cause, StepError};

use crate::{Document, DocumentError, Format, Identity};

/// What stands in a store, with what is needed to find it there quickly.
#[derive(Debug)]
pub(super) struct Standing {
    /// The file; none if there is none.
    pub(super) file: Option<Fingerprint>,
    pub(super) bytes: Vec<u8>,
    pub(super) format: Format,
    store: PathBuf,
    content: Result<Content, DocumentError>,
}

/// What a store says.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) document: Document,
    entries: HashMap<String, String>,
    sessions: HashSet<String>,
    /// The keys and sessions that lead to each transcript.
    leading: HashMap<PathBuf, Vec<(String, String)>>,
}

impl Standing {
    /// Reads a store. That it is not there is as if it had no entries.
    pub(super) fn read(store: &Path, format: Format) -> Result<Self, StepError> {
        let (file, bytes) = match Fingerprint::of_file(store) {
            Ok(before) => {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut open_regular(store)?, &mut bytes).doing("read", store)?;
                if Fingerprint::of_file(store)? != before {
                    let message = format!("{} changes while it is read", store.display());
                    return Err(Cause::new("store-busy", message).world());
                }
                (Some(before), bytes)
            }
            Err(error) if error.is_not_found() => (None, Vec::new()),
            Err(error) => return Err(error.into()),
        };
        Ok(Self::of(file, bytes, store, format))
    }

    /// A store that holds these bytes.
    pub(super) fn of(file: Option<Fingerprint>, bytes: Vec<u8>, store: &Path, format: Format) -> Self {
        let content = Document::parse(&bytes).map(|document| Content::of(document, store, format));
        Self { file, bytes, format, store: store.to_owned(), content }
    }

    /// What the store says. That it cannot be understood is wrong for every entry.
    pub(super) fn content(&self) -> Result<&Content, StepError> {
        self.content.as_ref().map_err(|error| {
            let message = format!("cannot read the store {}: {error}", self.store.display());
            Cause::new("store-unreadable", message).world()
        })
    }
}

impl Content {
    fn of(document: Document, store: &Path, format: Format) -> Self {
        let (mut sessions, mut leading) = (HashSet::new(), HashMap::<_, Vec<_>>::new());
        let entries: HashMap<String, String> =
            document.entries().into_iter().map(|(key, entry)| (key.into_owned(), entry.to_owned())).collect();
        for (key, entry) in &entries {
            let Some((session, transcript)) = Identity::leads_to(entry, format) else { continue };
            let transcript = store.with_file_name(transcript);
            leading.entry(transcript).or_default().push((key.clone(), session.clone()));
            sessions.insert(session);
        }
        Self { document, entries, sessions, leading }
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str)
    }

    pub(super) fn has_session(&self, id: &str) -> bool {
        self.sessions.contains(id)
    }

    /// The keys that lead to a transcript, each with its session.
    pub(super) fn leading_to(&self, transcript: &Path) -> &[(String, String)] {
        self.leading.get(transcript).map_or(&[], Vec::as_slice)
    }
}
