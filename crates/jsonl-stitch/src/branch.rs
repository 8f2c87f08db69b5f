//! The rows beside a chain: what they are, seen from it.

use std::sync::OnceLock;

use crate::bits::RowSet;
use crate::fresh::FreshIds;
use crate::{Flags, Index, RowNo};

/// What a row is that is not on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Branch {
    /// It has no uuid, so nothing can lead to it.
    NoUuid,
    /// Its uuid is, or was before a stitch, that of an earlier row or of one on the chain.
    DuplicateCopy,
    /// One of several tool calls or results of the same turn.
    Parallel,
    /// It leads to the chain, but the chain does not come from it: an edited prompt, a rewind.
    Abandoned,
    /// It leads to a root that is not the chain's.
    OtherRoot,
    /// It belongs to a subagent.
    Sidechain,
    /// The chain's head comes from it.
    AboveHead,
}

/// Every row's place relative to a chain.
#[derive(Debug)]
pub(crate) struct Branches<'a> {
    index: &'a Index,
    stem: &'a str,
    /// Only a row that is no copy at first sight needs them.
    fresh: OnceLock<FreshIds>,
    chain: RowSet,
    /// The rows that lead to the chain without being on it.
    beside: RowSet,
    /// The rows that have a child which could not be woven into the chain with them.
    held: RowSet,
    parallel: RowSet,
    above_head: RowSet,
}

impl<'a> Branches<'a> {
    /// Looks at all rows, given the chain and its root-most row. `stem` is the name of the transcript's file without
    /// `.jsonl`: copies that an earlier stitch gave an id of their own are known by it.
    pub(crate) fn of(index: &'a Index, stem: &'a str, chain: RowSet, head: Option<RowNo>) -> Self {
        let none = RowSet::with_room_for(index.len());
        let mut branches = Self {
            index,
            stem,
            fresh: OnceLock::new(),
            chain,
            beside: none.clone(),
            held: none.clone(),
            parallel: none.clone(),
            above_head: none,
        };
        branches.find_beside();
        branches.find_held();
        branches.find_parallel();
        branches.find_above(head);
        branches
    }

    fn find_beside(&mut self) {
        for row in self.index.rows().filter(|&row| !self.chain.contains(row)) {
            let leads = |parent| self.chain.contains(parent) || self.beside.contains(parent);
            if self.index.parent_row(row).is_some_and(leads) {
                self.beside.insert(row);
            }
        }
    }

    /// Children come after their parents, so from the end every row is known before its parent.
    fn find_held(&mut self) {
        for row in self.index.rows().rev() {
            if let Some(parent) = self.index.parent_row(row).filter(|_| !self.is_loose(row)) {
                self.held.insert(parent);
            }
        }
    }

    fn find_parallel(&mut self) {
        let mut turn = 0;
        for row in self.index.rows() {
            if self.chain.contains(row) {
                turn = if is_prompt(self.index, row) { row } else { turn };
                continue;
            }
            let in_turn =
                |parent| parent >= turn && (self.chain.contains(parent) || self.parallel.contains(parent));
            if self.is_loose(row)
                && !self.index.is(row, Flags::SIDECHAIN)
                && self.index.parent_row(row).is_some_and(in_turn)
                && self.index.uuid(row).is_some()
                && !self.is_copy(row)
            {
                self.parallel.insert(row);
            }
        }
    }

    fn find_above(&mut self, head: Option<RowNo>) {
        let mut above = head.and_then(|head| self.index.parent_row(head));
        while let Some(row) = above {
            self.above_head.insert(row);
            above = self.index.parent_row(row);
        }
    }

    /// What a row is that is not on the chain.
    pub(crate) fn class(&self, row: RowNo) -> Branch {
        if self.index.uuid(row).is_none() {
            Branch::NoUuid
        } else if self.index.is(row, Flags::SIDECHAIN) {
            Branch::Sidechain
        } else if self.above_head.contains(row) {
            Branch::AboveHead
        } else if self.is_copy(row) {
            Branch::DuplicateCopy
        } else if self.is_parallel(row) {
            Branch::Parallel
        } else if self.beside.contains(row) {
            Branch::Abandoned
        } else {
            Branch::OtherRoot
        }
    }

    /// Whether the chain passes by a row only because it is one of several tool calls or results of a turn: such rows can
    /// be woven in.
    pub(crate) fn is_parallel(&self, row: RowNo) -> bool {
        self.parallel.contains(row)
    }

    /// A tool call or result that is not on the chain, and nothing but others of its kind comes from it.
    fn is_loose(&self, row: RowNo) -> bool {
        let may_be_woven = is_result(self.index, row) || is_further_part(self.index, row);
        may_be_woven && !self.chain.contains(row) && !self.held.contains(row)
    }

    /// Whether an earlier row, or one on the chain, has the same uuid, or had it before an earlier stitch.
    fn is_copy(&self, row: RowNo) -> bool {
        let Some(uuid) = self.index.uuid(row) else { return false };
        let is_before = |&other: &RowNo| other < row || (other != row && self.chain.contains(other));
        self.index.rows_of(uuid).iter().any(is_before)
            || self.fresh.get_or_init(|| FreshIds::find(self.index, self.stem)).contains(uuid)
    }
}

/// A user row that holds tool results only.
fn is_result(index: &Index, row: RowNo) -> bool {
    index.is(row, Flags::USER) && index.is(row, Flags::ONLY_TOOL_RESULTS)
}

/// An answer that calls several tools at once is written as a row for each call, one the child of the other. When the
/// result of the first comes last, the chain goes on from there and passes by the other calls with their results.
fn is_further_part(index: &Index, row: RowNo) -> bool {
    let is_answer = |row| index.is(row, Flags::MESSAGE) && !index.is(row, Flags::USER);
    is_answer(row) && index.parent_row(row).is_some_and(is_answer)
}

/// A user row that begins a turn.
fn is_prompt(index: &Index, row: RowNo) -> bool {
    index.is(row, Flags::USER) && !index.is(row, Flags::ONLY_TOOL_RESULTS | Flags::META)
}
