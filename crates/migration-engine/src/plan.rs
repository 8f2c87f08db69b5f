//! What will happen, as data.

use std::collections::BTreeMap;

use durable_files::PathText;
use serde::{Deserialize, Serialize};
use session_model::{Finding, InputId};

use crate::{Outcome, Step, Sums};

/// The position of an [`Item`] in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemId(pub u32);

/// One input and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which input this is.
    pub input: InputId,
    /// What people call it.
    pub name: String,
    /// The bucket it goes to if all goes well: [`crate::Bucket::Migrated`] where there is something to do.
    pub planned: Outcome,
    /// Where it comes from, to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where it goes, to be shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Items without which this one cannot arrive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<ItemId>,
    /// What there is to say about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The command that resumes it in its new home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// What only this tool says about its items: members of the report's document.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub own: serde_json::Map<String, serde_json::Value>,
    /// The item by which that command resumes it: if that one fails, there is no such command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_from: Option<ItemId>,
}

impl Item {
    /// An item with nothing to say but where it goes.
    pub fn new(input: InputId, name: impl Into<String>, planned: Outcome) -> Self {
        Self {
            input,
            name: name.into(),
            planned,
            source: None,
            targets: Vec::new(),
            needs: Vec::new(),
            findings: Vec::new(),
            resume: None,
            own: serde_json::Map::new(),
            resumed_from: None,
        }
    }
}

/// A kind of input, how reports title its sums, and how many of it the survey found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The kind, as in [`InputId::kind`].
    pub kind: String,
    /// The title of its sums.
    pub title: String,
    /// How many inputs of this kind the survey found.
    #[serde(default)]
    pub inputs: u64,
}

/// What a plan says about itself: all that `undo`, `resume` and `verify` need to know later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The tool that made the plan.
    pub tool: String,
    /// Its version.
    pub version: String,
    /// The kinds of input, in the order of reports.
    pub blocks: Vec<Block>,
    /// The folders whose locks keep two runs off one target.
    pub locks: Vec<PathText>,
    /// The files and folders that the run changes, and nothing beyond them: of two runs on one target that have none in
    /// common, either can be undone first. Empty: whatever is under its locks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concerns: Vec<PathText>,
    /// The tool's own settings: absolute paths and options with which its worlds are opened again.
    pub settings: serde_json::Value,
    /// Whether something stays behind even if all goes well: then the run ends as partial.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// What there is to say about the run as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// What a wave does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaveKind {
    /// Puts things where they belong.
    Publish,
    /// Touches sources: only items that verified go on, and nothing is ever taken back.
    Retire,
}

/// A step and the item it serves; without an item it serves the whole run (a backup), and its failure stops the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task<S> {
    /// The item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// The step.
    pub step: S,
}

/// Steps that are staged whole, recorded with one sync, published whole and settled once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave<S> {
    /// What it does.
    pub kind: WaveKind,
    /// Whether it is one transaction, which stands or falls together.
    pub together: bool,
    /// Its steps, in order.
    pub tasks: Vec<Task<S>>,
}

impl<S> Wave<S> {
    /// A wave whose items succeed or fail each for itself.
    pub fn publish(tasks: Vec<Task<S>>) -> Self {
        Self { kind: WaveKind::Publish, together: false, tasks }
    }

    /// A wave in one transaction.
    pub fn transaction(tasks: Vec<Task<S>>) -> Self {
        Self { kind: WaveKind::Publish, together: true, tasks }
    }

    /// A wave that touches sources.
    pub fn retire(tasks: Vec<Task<S>>) -> Self {
        Self { kind: WaveKind::Retire, together: false, tasks }
    }
}

/// Waves in order. Lanes are independent of one another: an item has all its steps in one lane.
pub type Lane<S> = Vec<Wave<S>>;

/// What will happen: items, each in exactly one bucket, and the steps that bring them there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<S> {
    /// What it says about itself.
    pub header: Header,
    /// Every input of the survey, once.
    pub items: Vec<Item>,
    /// The steps.
    pub lanes: Vec<Lane<S>>,
}

/// A plan that does not hold together: an error of the planner, never of the user.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Its items are not the inputs of its survey.
    #[error(
        "the plan does not account for its inputs: {missing} missing, {surplus} unknown or twice; first: {first}"
    )]
    Imbalance {
        /// Inputs of the survey without an item.
        missing: usize,
        /// Items without an input, or with one that another item has.
        surplus: usize,
        /// One of them.
        first: InputId,
    },
    /// An input of a kind that has no [`Block`], and would be in no sum.
    #[error("the plan has no sums for the kind of {0}")]
    Unsummed(InputId),
    /// A step, or an item in need of another, speaks of an item that is not there.
    #[error("the plan speaks of item {}, and has {items}", item.0)]
    NoSuchItem {
        /// The item spoken of.
        item: ItemId,
        /// How many there are.
        items: usize,
    },
}

impl<S: Step> Plan<S> {
    /// A plan that accounts for every input of its survey, and speaks of no other.
    pub fn new(
        mut header: Header,
        inputs: &[InputId],
        items: Vec<Item>,
        lanes: Vec<Lane<S>>,
    ) -> Result<Self, PlanError> {
        balance(inputs, &items)?;
        let is_summed = |input: &&InputId| header.blocks.iter().any(|block| block.kind == input.kind);
        if let Some(input) = inputs.iter().find(|input| !is_summed(input)) {
            return Err(PlanError::Unsummed(input.clone()));
        }
        let served = lanes.iter().flatten().flat_map(|wave| &wave.tasks).filter_map(|task| task.item);
        let mut named =
            items.iter().flat_map(|item| item.needs.iter().chain(&item.resumed_from)).copied().chain(served);
        if let Some(item) = named.find(|item| item.0 as usize >= items.len()) {
            return Err(PlanError::NoSuchItem { item, items: items.len() });
        }
        for block in &mut header.blocks {
            block.inputs = inputs.iter().filter(|input| input.kind == block.kind).count() as u64;
        }
        Ok(Self { header, items, lanes })
    }

    /// The item with this id.
    pub fn item(&self, id: ItemId) -> &Item {
        &self.items[id.0 as usize]
    }

    /// Whether there is nothing left to do.
    pub fn is_settled(&self) -> bool {
        self.tasks().next().is_none()
    }

    /// Every task, in the order of lanes and waves: its position here is its number.
    pub fn tasks(&self) -> impl DoubleEndedIterator<Item = &Task<S>> {
        self.lanes.iter().flatten().flat_map(|wave| &wave.tasks)
    }

    /// The sums if all goes well, titled, in the order of reports.
    pub fn sums(&self) -> Vec<(String, Sums)> {
        sums(&self.header.blocks, self.items.iter().map(|item| (item.input.kind.as_str(), &item.planned)))
    }
}

/// Every input has one item, and every item one input.
fn balance(inputs: &[InputId], items: &[Item]) -> Result<(), PlanError> {
    let mut open: BTreeMap<&InputId, i64> = BTreeMap::new();
    for input in inputs {
        *open.entry(input).or_default() += 1;
    }
    for item in items {
        *open.entry(&item.input).or_default() -= 1;
    }
    let Some((first, _)) = open.iter().find(|(_, balance)| **balance != 0) else { return Ok(()) };
    let missing = open.values().filter(|balance| **balance > 0).count();
    let surplus = open.values().filter(|balance| **balance < 0).count();
    Err(PlanError::Imbalance { missing, surplus, first: (*first).clone() })
}

pub(crate) fn sums<'a>(
    blocks: &[Block],
    outcomes: impl Iterator<Item = (&'a str, &'a Outcome)>,
) -> Vec<(String, Sums)> {
    let mut sums: Vec<(String, Sums)> = blocks
        .iter()
        .map(|block| (block.title.clone(), Sums { inputs: block.inputs, ..Sums::default() }))
        .collect();
    for (kind, outcome) in outcomes {
        if let Some(at) = blocks.iter().position(|block| block.kind == kind) {
            sums[at].1.count(outcome.bucket);
        }
    }
    sums
}
