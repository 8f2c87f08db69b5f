//! Entries of a session, added to a store that others write to as well.

use std::path::{Path, PathBuf};

use durable_files::{Digest, InContext, PathText, Traits, tagged, write_file};
use migration_engine::steps::FileWorld;
use migration_engine::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use super::StoreFiles;
use super::standing::{Content, Standing};
use crate::object::Object;
use crate::{Format, Identity, says_all_of, says_the_same};

/// An entry to be added, by its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedEntry {
    /// The key.
    pub key: String,
    /// The entry, as [`NewEntry::build`](crate::NewEntry::build) spells it.
    pub entry: String,
}

/// Adds the entries of one session to a store, under its lock. What else the store says by then stays, byte for byte.
///
/// Staging takes the lock, and looks whether the keys, the session and the transcript are still free for it; settling
/// writes the entries of the whole wave at once. So one that is taken meanwhile fails its own item alone. Taken back, an
/// entry is cut out of the store as others have it by then; where nobody has written, the store is what it was, to the
/// time. The transcript is put there in an earlier wave, by [`InstallTranscript`](super::InstallTranscript).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeEntries {
    /// The store.
    pub store: PathText,
    /// How it spells its members.
    pub format: Format,
    /// The session.
    pub session: String,
    /// The name of its transcript, in the folder of the store.
    pub transcript: String,
    /// What is added, in this order.
    pub entries: Vec<KeyedEntry>,
    /// Whether the store had an entry of the session when the plan was made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_known: bool,
}

/// What was done to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The store before the entries were added; none if there was none.
    pub before: Option<Before>,
}

/// A store before something was added to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The SHA-256 of every byte.
    pub digest: Digest,
    /// Its modification time, in nanoseconds since 1970.
    pub mtime: i64,
    /// Where a copy is kept.
    pub copy: PathText,
}

impl Before {
    pub(super) fn read(&self) -> Result<Vec<u8>, StepError> {
        let bytes = std::fs::read(&self.copy).doing("read", &self.copy)?;
        if Digest::of(&bytes) == self.digest {
            return Ok(bytes);
        }
        let message = format!("{} is not what it was any more", self.copy.display());
        Err(Cause::new("drifted", message).item())
    }
}

/// An entry that stands where one was to be added, and how they compare.
type Compared<'a> = (&'a KeyedEntry, &'a str, State);

impl MergeEntries {
    fn folder(&self) -> &Path {
        self.store.parent().unwrap_or(&self.store)
    }

    fn transcript(&self) -> PathBuf {
        self.folder().join(&self.transcript)
    }

    /// What there is to say against adding the entries to a store that says this.
    fn taken(&self, content: &Content) -> Option<String> {
        let leads_elsewhere = |entry: &&KeyedEntry| content.get(&entry.key).is_some();
        if let Some(KeyedEntry { key, .. }) = self.entries.iter().find(leads_elsewhere) {
            return Some(format!("the key `{}` is taken by now", key.escape_debug()));
        }
        let leading = content.leading_to(&self.transcript());
        if let Some((key, _)) = leading.iter().find(|(_, session)| *session != self.session) {
            return Some(format!("`{}` of another session leads to its transcript", key.escape_debug()));
        }
        (!self.is_known && content.has_session(&self.session))
            .then(|| "the store has an entry of it by now".to_owned())
    }

    /// Whether what stands at a key is what was added, and if not, what became of it.
    fn compare(&self, added: &KeyedEntry, found: &str) -> State {
        if says_the_same(found, &added.entry) {
            return State::Done;
        }
        let key = added.key.escape_debug();
        let of = |text| Identity::of(text, self.format).ok();
        match (of(found), of(&added.entry)) {
            (Some(found_of), Some(added_of))
                if found_of.session_id == added_of.session_id
                    && (found_of.updated_at > added_of.updated_at || says_all_of(found, &added.entry)) =>
            {
                State::Superseded(format!("the entry `{key}` has been written to since"))
            }
            _ => State::Conflict(format!("the entry `{key}` is another one by now")),
        }
    }

    /// The entries that stand in the store.
    fn found<'a>(&'a self, content: &'a Content) -> Vec<Compared<'a>> {
        let standing = self.entries.iter().filter_map(|added| Some((added, content.get(&added.key)?)));
        standing.map(|(added, found)| (added, found, self.compare(added, found))).collect()
    }

    /// Where the entries stand that the run has added.
    fn state(&self, content: &Content) -> State {
        let found = self.found(content);
        match found.first() {
            None => return State::Pending,
            Some((added, ..)) if found.len() < self.entries.len() => {
                let key = added.key.escape_debug();
                return State::Conflict(format!(
                    "of the session's entries only some are left, `{key}` for one"
                ));
            }
            Some(_) => {}
        }
        let worst = found.into_iter().map(|(.., state)| state).max_by_key(|state| match state {
            State::Pending | State::Done => 0,
            State::Superseded(_) => 1,
            State::Conflict(_) => 2,
        });
        worst.unwrap_or(State::Pending)
    }

    /// Where they stand as long as the run has added none: somebody else may have done just that.
    fn state_before(&self, content: &Content) -> State {
        let says_so = |(.., state): &Compared<'_>| *state == State::Done;
        let found = self.found(content);
        if found.len() == self.entries.len() && found.iter().all(says_so) {
            return State::Done;
        }
        self.taken(content).map_or(State::Pending, State::Conflict)
    }

    fn drifted(&self, found: &str) -> StepError {
        Cause::new("drifted", format!("in {}: {found}", self.store.display())).item()
    }

    /// What a store says in which the run has left entries: that it cannot be read any more concerns these.
    fn content_since<'s>(&self, standing: &'s Standing) -> Result<&'s Content, StepError> {
        standing.content().map_err(|error| self.drifted(&error.to_string()))
    }
}

impl Step for MergeEntries {
    type World = StoreFiles;
    type Evidence = Merged;

    fn describe(&self) -> String {
        let keys: Vec<String> =
            self.entries.iter().map(|entry| format!("`{}`", entry.key.escape_debug())).collect();
        format!("add {} to {}", keys.join(", "), self.store.display())
    }

    fn cost(&self) -> Cost {
        let bytes: usize = self.entries.iter().map(|entry| entry.key.len() + entry.entry.len() + 8).sum();
        Cost { bytes: bytes as u64, at: Some(self.folder().to_path_buf()), ..Cost::default() }
    }

    fn inspect(
        &self,
        world: &mut StoreFiles,
        evidence: Option<&Merged>,
        look: Look,
        cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        cx.check()?;
        if evidence.is_some() {
            world.files().touch(&self.store); // killed after publishing, a run may have left the name to the page cache
        }
        let standing = world.look(&self.store, self.format)?;
        let state = match standing.content() {
            Ok(content) if evidence.is_some() => self.state(content),
            Ok(content) => self.state_before(content),
            Err(error) if evidence.is_some() && look == Look::Full => State::Conflict(error.to_string()),
            Err(error) => return Err(error),
        };
        for entry in &self.entries {
            world.leaves(&self.store, &entry.key, evidence.is_some() && state == State::Done);
        }
        Ok(state)
    }

    fn stage(&self, world: &mut StoreFiles, slot: &Slot, cx: &Cx<'_>) -> Result<Merged, StepError> {
        cx.check()?;
        world.clean(&self.store, slot)?;
        let transaction = world.open(&self.store, self.format, slot, cx)?;
        let refused = |code: &str, found: &str| {
            let message = format!("cannot {}: {found}", self.describe());
            Cause { needs_new_plan: true, ..Cause::new(code, message) }.item()
        };
        if let Some(taken) = self.taken(transaction.standing.content()?) {
            return Err(refused("occupied", &taken));
        }
        if !self.transcript().is_file() {
            return Err(refused("no-transcript", &format!("{} is not there", self.transcript().display())));
        }
        transaction.added.insert(slot.step(), self.entries.clone());
        transaction.before()
    }

    /// Only makes sure that the store is still ours to write: settling writes it.
    fn publish(&self, world: &mut StoreFiles, slot: &Slot, _merged: &Merged) -> Result<(), StepError> {
        world.must_be_held(&self.store, slot)
    }

    fn revert(
        &self,
        world: &mut StoreFiles,
        slot: &Slot,
        evidence: Option<&Merged>,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.clean(&self.store, slot)?;
        let was_only_staged = world.forget(&self.store, slot);
        let Some(merged) = evidence.filter(|_| !was_only_staged) else { return Ok(()) };
        let standing = world.look(&self.store, self.format)?;
        if self.found(self.content_since(&standing)?).is_empty() {
            return Ok(());
        }
        let transaction = world.open(&self.store, self.format, slot, cx)?;
        for (added, _, state) in self.found(self.content_since(&transaction.standing)?) {
            if let State::Superseded(found) | State::Conflict(found) = state {
                return Err(self.drifted(&found));
            }
            transaction.taken_out.push((added.key.clone(), merged.clone()));
        }
        Ok(())
    }

    fn unstage(
        &self,
        world: &mut StoreFiles,
        slot: &Slot,
        _merged: &Merged,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.clean(&self.store, slot)
    }

    fn aside(&self, _slot: &Slot, folder: &Path) -> Option<String> {
        Some(folder.display().to_string())
    }

    /// Keeps what stands at its keys, and takes that out; a store that cannot be read is kept whole, and is what it was.
    fn set_aside(
        &self,
        world: &mut StoreFiles,
        slot: &Slot,
        merged: &Merged,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.clean(&self.store, slot)?;
        let kept = folder.join(tagged(&self.store, &slot.step().to_string()));
        let transaction = world.open(&self.store, self.format, slot, cx)?;
        if transaction.standing.content().is_err() {
            write_file(&transaction.standing.bytes, &kept, Traits::PRIVATE)?;
            transaction.begin_from(merged, &self.store)?;
        } else {
            let mut entries = Object::empty();
            for (added, found, _) in self.found(transaction.standing.content()?) {
                entries.push(&added.key, found, 1);
            }
            if entries.members().next().is_some() {
                write_file(entries.to_string().as_bytes(), &kept, Traits::PRIVATE)?;
            }
        }
        let ours = self.entries.iter().map(|entry| (entry.key.clone(), merged.clone()));
        transaction.taken_out.extend(ours);
        Ok(())
    }
}
