//! Whether a session that was migrated says all that it said (formats/openclaw.md §10, `verify`).

use std::fs::File;
use std::path::Path;

use migration_engine::Item;
use session_model::Finding;
use session_store::transcript::{Standing, standing};
use session_store::{Document, Identity};

use crate::settings::{Arrival, Settings};

/// The store, read once for all sessions.
#[derive(Debug)]
pub(crate) struct Judge {
    store: Result<Document, String>,
}

impl Judge {
    pub(crate) fn of(settings: &Settings) -> Self {
        let path: &Path = &settings.store;
        let store = std::fs::read(path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| Document::parse(&bytes).map_err(|error| error.to_string()));
        Self { store }
    }

    /// What is wrong with what came of an item.
    pub(crate) fn judge(&self, settings: &Settings, item: &Item) -> Vec<Finding> {
        let Some(arrival) = settings.arrival(&item.input.id) else { return Vec::new() };
        let mut findings = self.entries(settings, arrival);
        findings.extend(transcript(arrival));
        findings
    }

    /// Every key must lead to the session, and to its transcript.
    fn entries(&self, settings: &Settings, arrival: &Arrival) -> Vec<Finding> {
        let document = match &self.store {
            Ok(document) => document,
            Err(error) => {
                let message = format!("cannot read {}: {error}", settings.store.display());
                return vec![Finding::error("store-unreadable", message)];
            }
        };
        let leads_there = |key: &String| {
            let identity = document.get(key).and_then(|entry| Identity::of(entry, settings.format).ok());
            identity.is_some_and(|identity| identity.session_id == arrival.session)
        };
        let astray = arrival.keys.iter().filter(|key| !leads_there(key));
        astray.map(|key| Finding::error("key-astray", format!("{key} does not lead to it"))).collect()
    }
}

/// Every message must be there.
fn transcript(arrival: &Arrival) -> Option<Finding> {
    let original = arrival.original();
    let compared = File::open(&original)
        .and_then(|session| Ok((session, File::open(&arrival.transcript)?)))
        .and_then(|(session, found)| standing(arrival.conversion.lines(session), found));
    let message = match compared {
        Ok(Standing::Equal | Standing::Longer) => return None,
        Ok(Standing::Differs(line)) => {
            format!("{} differs from line {line} on", arrival.transcript.display())
        }
        Err(error) => {
            format!("cannot compare {} with {}: {error}", arrival.transcript.display(), original.display())
        }
    };
    Some(Finding::error("transcript-differs", message))
}
