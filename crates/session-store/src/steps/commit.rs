//! A store written at once, and what a kill in the middle leaves.

use std::path::{Path, PathBuf};

use durable_files::{
    Digest, Fingerprint, InContext, Traits, exchange_through, publish_new, remove_file_if_there, sync_dir,
    write_file,
};
use migration_engine::{Cause, RunId, Slot, StepError};

use super::merge::Before;
use super::world::{Transaction, cause};
use crate::Document;
use crate::update::make_newer;

/// Writes the store as it is to be, if something in it is to be changed.
pub(super) fn commit(store: &Path, transaction: &Transaction) -> Result<(), StepError> {
    if transaction.added.is_empty() && transaction.taken_out.is_empty() {
        return Ok(());
    }
    transaction.lock.check().map_err(cause)?;
    let old = transaction.standing.file.as_ref();
    if Fingerprint::of_file(store).ok().as_ref() != old {
        return Err(changed(store));
    }
    let new = name_of_new(store, &transaction.slot, old);
    let Some(Text { bytes, mtime }) = result(transaction)? else {
        return old.map_or(Ok(()), |old| take_away(store, &new, old));
    };
    let traits = old.map_or(Ok(Traits::PRIVATE), |_| Traits::like(store))?;
    let written = write_file(&bytes, &new, Traits { mtime, ..traits })?;
    let Some(old) = old else { return Ok(publish_new(&new, store)?) };
    if mtime.is_none() && old.mtime == written.written.mtime {
        make_newer(&new)?;
    }
    exchange(store, &new, old)
}

/// What is to stand in a store.
struct Text {
    bytes: Vec<u8>,
    /// The time it had before the run, if that is what it is again.
    mtime: Option<i64>,
}

/// `None` if there was no store before, and there is to be none.
fn result(transaction: &Transaction) -> Result<Option<Text>, StepError> {
    let mut document = transaction.document.clone();
    document.remove_all(&transaction.taken_out.iter().map(|(key, _)| key.as_bytes()).collect());
    let added = transaction.added.values().flatten();
    let bytes = document.with_new_entries(added.map(|entry| (entry.key.as_str(), entry.entry.as_str())));
    if !transaction.added.is_empty() {
        return Ok(Some(Text { bytes, mtime: None }));
    }
    let befores = || transaction.taken_out.iter().map(|(_, merged)| merged.before.as_ref());
    if document.is_empty() {
        if befores().any(|before| before.is_none()) {
            return Ok(None);
        }
        for before in befores().flatten() {
            let bytes = before.read()?;
            if Document::parse(&bytes).is_ok_and(|document| document.is_empty()) {
                return Ok(Some(Text { bytes, mtime: Some(before.mtime) }));
            }
        }
    }
    let digest = Digest::of(&bytes);
    let same = befores().flatten().find(|before: &&Before| before.digest == digest);
    Ok(Some(Text { bytes, mtime: same.map(|before| before.mtime) }))
}

/// The name beside a store under which the new one is written, and the old one has when they have exchanged their places.
/// It tells the run, and which old one is meant: so a recovery knows what it finds.
fn name_of_new(store: &Path, slot: &Slot, old: Option<&Fingerprint>) -> PathBuf {
    let mut name = store.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(old.map_or_else(|| NONE.to_owned(), identity));
    slot.beside(&store.with_file_name(name), "tmp")
}

/// In the place of an identity: there was no store.
const NONE: &str = "none";

fn identity(file: &Fingerprint) -> String {
    format!("{:x}-{:x}", file.ino, file.mtime)
}

/// Removes what killed commits of a run left: the new store that never had its place, or the old one that lost it.
///
/// Anything else was written by somebody at that very moment, came out instead, and could not be put back any more: it
/// stays.
pub(super) fn clean(store: &Path, run: &RunId) -> Result<(), StepError> {
    let Some(folder) = store.parent() else { return Ok(()) };
    let begin = format!(".{}.", store.file_name().unwrap_or_default().to_string_lossy());
    let tag = format!(".rehome-{run}-");
    for entry in std::fs::read_dir(folder).doing("look into", folder)? {
        let entry = entry.doing("look into", folder)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((old, end)) = name.strip_prefix(&begin).and_then(|name| name.split_once(&tag)) else {
            continue;
        };
        let is_old = |path: &Path| Fingerprint::of_file(path).is_ok_and(|found| identity(&found) == old);
        // In an exchange by links the new store has a third name for a moment.
        if end.ends_with(SPARE) || old == NONE || is_old(&entry.path()) || is_old(store) {
            remove_file_if_there(&entry.path())?;
        }
    }
    Ok(())
}

const SPARE: &str = "swap";

/// Exchanges the names, looks at what comes out, and puts it back if it is something else.
fn exchange(store: &Path, new: &Path, old: &Fingerprint) -> Result<(), StepError> {
    let spare = new.with_extension(SPARE);
    exchange_through(new, store, &spare)?;
    let is_old = Fingerprint::of_file(new)?.same_file(old);
    if is_old {
        sync_dir(store.parent().unwrap_or(Path::new("")))?; // only then is the old one not needed any more
    } else {
        exchange_through(new, store, &spare)?;
    }
    remove_file_if_there(new)?;
    if is_old { Ok(()) } else { Err(changed(store)) }
}

/// The same with nothing in the place of the store.
fn take_away(store: &Path, aside: &Path, old: &Fingerprint) -> Result<(), StepError> {
    publish_new(store, aside)?;
    if Fingerprint::of_file(aside)?.same_file(old) {
        remove_file_if_there(aside)?;
        return Ok(());
    }
    publish_new(aside, store)?;
    Err(changed(store))
}

fn changed(store: &Path) -> StepError {
    let message =
        format!("{} was written while it was locked, by a program that heeds no lock", store.display());
    Cause::new("changed-under-lock", message).world()
}
