//! A loader's work in numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Fate, Hidden, Limits, Loader, Loss, Simulation, Strategy, WalkFailure};
use crate::{Flags, Index};

/// How many rows, and between which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// How many rows.
    pub rows: u64,
    /// The line of the first, counted from 1.
    pub first_line: u64,
    /// The line of the last.
    pub last_line: u64,
}

/// What a loader would show of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Load {
    /// The loader.
    #[serde(skip)]
    pub loader: Loader,
    /// How it decides which bytes to read.
    pub strategy: Strategy,
    /// How many rows it shows.
    pub shown: u64,
    /// How many it should show: all but those that are hidden by design.
    pub of: u64,
    /// Which rows are lost, by reason.
    pub lost: BTreeMap<Loss, Extent>,
    /// How many rows are hidden by design, by reason.
    pub hidden: BTreeMap<Hidden, u64>,
    /// Why the walk over the segment failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub walk: Option<WalkFailure>,
    /// Rows that the newest builds show again as user rows; here they are hidden by their type.
    #[serde(skip_serializing_if = "is_zero")]
    pub queued_commands: u64,
}

impl Load {
    /// Loads a transcript and counts. `stem` is the name of its file without `.jsonl`.
    pub fn of(index: &Index, stem: &str, loader: Loader, limits: Limits) -> Self {
        let simulation = Simulation::new(index, stem, loader, limits);
        let mut load = Self {
            loader,
            strategy: simulation.strategy(),
            shown: 0,
            of: 0,
            lost: BTreeMap::new(),
            hidden: BTreeMap::new(),
            walk: simulation.walk_failure().cloned(),
            queued_commands: 0,
        };
        for row in index.rows() {
            load.queued_commands += u64::from(index.is(row, Flags::QUEUED_COMMAND));
            match simulation.fate(row) {
                Fate::Shown => load.shown += 1,
                Fate::Hidden(why) => *load.hidden.entry(why).or_default() += 1,
                Fate::Lost(why) => {
                    let line = index.line(row);
                    let nothing = Extent { rows: 0, first_line: line, last_line: line };
                    let extent = load.lost.entry(why).or_insert(nothing);
                    extent.rows += 1;
                    extent.last_line = line;
                }
            }
        }
        load.of = load.shown + load.rows_lost();
        load
    }

    /// How many rows are lost.
    pub fn rows_lost(&self) -> u64 {
        self.lost.values().map(|extent| extent.rows).sum()
    }

    /// Whether everything that should be shown is shown.
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty()
    }

    /// Whether nothing is lost but rows beside the chain, which no single chain of parents could hold.
    pub fn is_whole_but_for_branches(&self) -> bool {
        self.lost.keys().all(|loss| matches!(loss, Loss::OffChain(_)))
    }

    /// What the application adds to the line of its log that says how many messages it loaded.
    pub fn log_suffix(&self) -> &'static str {
        match self.strategy {
            Strategy::Tail => " (truncated via tail)",
            Strategy::Compaction => " (truncated via compaction)",
            Strategy::None | Strategy::Preserved => "",
        }
    }

    /// Whether the first row after the last boundary may be unreadable to the loader: it counts bytes in a window that it
    /// has decoded, and is a few off if the window begins inside a character.
    pub fn may_drift(&self) -> bool {
        self.strategy == Strategy::Compaction
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
