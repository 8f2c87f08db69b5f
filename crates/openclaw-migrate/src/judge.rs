//! Whether a session that was migrated says all that it said (formats/openclaw.md §10, `verify`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use migration_engine::Item;
use rayon::prelude::*;
use session_model::Finding;
use session_store::transcript::{Standing, standing};
use session_store::{Document, Format, Identity};

use crate::settings::{Arrival, Settings};

/// What is to be said of every session: the store is read once for all of them, and transcripts are compared side by side.
#[derive(Debug)]
pub(crate) struct Judge {
    /// Which session each key leads to.
    keys: Result<BTreeMap<String, String>, String>,
    /// What is wrong with transcripts, by the inputs they came of.
    transcripts: BTreeMap<String, Finding>,
}

impl Judge {
    pub(crate) fn of(settings: &Settings) -> Self {
        let path: &Path = &settings.store;
        let keys = std::fs::read(path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| Document::parse(&bytes).map_err(|error| error.to_string()))
            .map(|document| leads(&document, settings.format));
        let wrong = |arrival: &Arrival| Some((arrival.input.clone(), transcript(arrival)?));
        Self { keys, transcripts: settings.arrivals.par_iter().filter_map(wrong).collect() }
    }

    /// What is wrong with what came of an item.
    pub(crate) fn judge(&self, settings: &Settings, item: &Item) -> Vec<Finding> {
        let Some(arrival) = settings.arrival(&item.input.id) else { return Vec::new() };
        let mut findings = self.entries(settings, arrival);
        findings.extend(self.transcripts.get(&arrival.input).cloned());
        findings
    }

    /// Every key must lead to the session, and to its transcript.
    fn entries(&self, settings: &Settings, arrival: &Arrival) -> Vec<Finding> {
        let keys = match &self.keys {
            Ok(keys) => keys,
            Err(error) => {
                let message = format!("cannot read {}: {error}", settings.store.display());
                return vec![Finding::error("store-unreadable", message)];
            }
        };
        let astray = arrival.keys.iter().filter(|&key| keys.get(key) != Some(&arrival.session));
        astray.map(|key| Finding::error("key-astray", format!("{key} does not lead to it"))).collect()
    }
}

fn leads(document: &Document, format: Format) -> BTreeMap<String, String> {
    let leads = |(key, entry): (Cow<'_, str>, &str)| {
        Some((key.into_owned(), Identity::of(entry, format).ok()?.session_id))
    };
    document.entries().into_iter().filter_map(leads).collect()
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
