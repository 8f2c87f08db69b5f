//! What a run writes down, and what can be told from it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use durable_files::Digest;
use serde::{Deserialize, Serialize};
use session_model::{Finding, Timestamp};

use crate::{Bucket, Cause, ItemId, Outcome};

/// The format of plans and journals that this version writes: of their lines, of the engine's own steps and of the
/// evidence for them. It is raised whenever any of these changes its shape. A run of another format is shown, neither
/// resumed nor undone: that is left to the version that made it.
pub const FORMAT: u32 = 2;

/// What to do in an undo with what is no longer as the run left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Changed {
    /// Touch nothing at all.
    Refuse,
    /// Leave it, and revert the rest.
    Keep,
    /// Move it to a folder of the run, then restore all.
    SetAside,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record<E> {
    /// The run was created.
    Began {
        /// See [`FORMAT`].
        format: u32,
        /// The digest of the plan's file.
        plan: Digest,
        /// When.
        at: Timestamp,
    },
    /// A step is staged; what it takes to publish, inspect and revert it.
    Staged {
        /// The number of the step in its plan.
        step: u32,
        /// The evidence.
        evidence: E,
    },
    /// A wave is published and durable.
    Settled {
        /// The lane.
        lane: u32,
        /// The wave in its lane.
        wave: u32,
    },
    /// An item did not arrive; its steps are taken back after this.
    Failed {
        /// The item.
        item: ItemId,
        /// Conflict or failed.
        bucket: Bucket,
        /// Why.
        cause: Cause,
    },
    /// A step of a failed item is taken back: its evidence speaks of nothing any more.
    TakenBack {
        /// The number of the step in its plan.
        step: u32,
    },
    /// Why the source of an item that arrived stays.
    Noted {
        /// The item.
        item: ItemId,
        /// What.
        finding: Finding,
    },
    /// The plan is being carried out, for the first time or again: what failed and may succeed now is open once more, and
    /// so is whether sources stay.
    Applying {
        /// When.
        at: Timestamp,
    },
    /// Everything was done that could be.
    Ended {
        /// When.
        at: Timestamp,
    },
    /// The run is being taken back.
    Undoing {
        /// When.
        at: Timestamp,
        /// What is done with what has changed.
        changed: Changed,
    },
    /// The run is taken back.
    Undone {
        /// When.
        at: Timestamp,
        /// The steps whose targets were left as they were found, because they had changed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kept: Vec<u32>,
    },
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It began and did not end: it must be resumed or undone.
    Interrupted,
    /// It ended.
    Applied,
    /// Its undo began and did not end: it must be undone (or resumed, which is then the same).
    Undoing,
    /// It is taken back.
    Undone,
}

/// Everything that can be told from a journal.
#[derive(Debug, Clone)]
pub struct History<E> {
    /// When the run was created.
    pub began: Timestamp,
    /// The digest of its plan.
    pub plan: Digest,
    /// The format of its files.
    pub format: u32,
    /// Where it stands.
    pub phase: Phase,
    /// What an undo under way does with what has changed.
    pub changed: Option<Changed>,
    /// The newest evidence of each step that is not taken back.
    pub evidence: HashMap<u32, E>,
    /// The waves that are published and durable, as (lane, wave).
    pub settled: BTreeSet<(u32, u32)>,
    /// The items that did not arrive, and whether only a new plan could help them.
    pub failed: BTreeMap<ItemId, (Outcome, bool)>,
    /// The items that were taken back at some time: settled waves may lack their steps.
    pub ever_failed: BTreeSet<ItemId>,
    /// Why the sources of items that arrived stay, as the last attempt found it.
    pub notes: BTreeMap<ItemId, Vec<Finding>>,
    /// The items whose sources stayed at some time: settled retire waves may lack their steps.
    pub ever_stayed: BTreeSet<ItemId>,
}

impl<E> History<E> {
    /// The history of a journal with this first record; `None` if it is not one that begins a journal.
    pub fn begin(first: &Record<E>) -> Option<Self> {
        let Record::Began { format, plan, at } = *first else { return None };
        Some(Self {
            began: at,
            plan,
            format,
            phase: Phase::Interrupted,
            changed: None,
            evidence: HashMap::new(),
            settled: BTreeSet::new(),
            failed: BTreeMap::new(),
            ever_failed: BTreeSet::new(),
            notes: BTreeMap::new(),
            ever_stayed: BTreeSet::new(),
        })
    }

    /// Whether applying it again may do what the last attempt did not: something failed that may succeed now, or a source
    /// stayed.
    pub fn may_go_further(&self) -> bool {
        !self.notes.is_empty() || self.failed.values().any(may_succeed)
    }

    /// Whether what it might still do waits for a source to be again what the plan was made for. What helps then is an undo,
    /// and a new plan.
    pub fn needs_new_plan(&self) -> bool {
        let was_worked_with =
            |notes: &Vec<Finding>| notes.iter().any(|note| note.code == Cause::SOURCE_CHANGED);
        let may_succeed = self.failed.values().any(may_succeed);
        self.notes.values().all(was_worked_with) && !may_succeed && !self.lacks_a_source()
    }

    /// Whether a source was found gone that this run did not take away: what came of it may be all there is.
    pub fn lacks_a_source(&self) -> bool {
        self.notes.values().flatten().any(|note| note.code == Cause::SOURCE_GONE)
    }

    /// Takes in the next record.
    pub fn take_in(&mut self, record: Record<E>) {
        match record {
            Record::Began { .. } => {}
            Record::Staged { step, evidence } => drop(self.evidence.insert(step, evidence)),
            Record::Settled { lane, wave } => drop(self.settled.insert((lane, wave))),
            Record::Failed { item, bucket, cause } => {
                self.ever_failed.insert(item);
                self.failed.insert(item, (Outcome::caused(bucket, &cause), cause.needs_new_plan));
            }
            Record::TakenBack { step } => drop(self.evidence.remove(&step)),
            Record::Noted { item, finding } => {
                self.ever_stayed.insert(item);
                let notes = self.notes.entry(item).or_default();
                if !notes.contains(&finding) {
                    notes.push(finding); // each of its steps learns it again
                }
            }
            Record::Applying { .. } => {
                self.phase = Phase::Interrupted;
                self.notes.clear();
                self.failed.retain(|_, fate| !may_succeed(fate));
            }
            Record::Ended { .. } => self.phase = Phase::Applied,
            Record::Undoing { changed, .. } => {
                (self.phase, self.changed) = (Phase::Undoing, Some(changed));
            }
            Record::Undone { kept, .. } => {
                self.phase = Phase::Undone;
                self.evidence.retain(|step, _| kept.contains(step));
            }
        }
    }
}

/// Whether what failed may succeed with the same plan.
fn may_succeed((outcome, needs_new_plan): &(Outcome, bool)) -> bool {
    outcome.bucket == Bucket::Failed && !needs_new_plan
}
