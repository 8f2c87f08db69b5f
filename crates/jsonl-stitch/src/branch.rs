//! The rows beside a chain: what they are, seen from it.

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
    /// One of several tool results of the same turn.
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
    chain: RowSet,
    /// The rows that lead to the chain without being on it.
    beside: RowSet,
    /// The rows that have a child which could not be woven into the chain with them.
    held: RowSet,
    parallel: RowSet,
    above_head: RowSet,
}

impl<'a> Branches<'a> {
    /// Looks at all rows, given the chain and its root-most row.
    pub(crate) fn of(index: &'a Index, chain: RowSet, head: Option<RowNo>) -> Self {
        let none = || RowSet::with_room_for(index.len());
        let mut branches =
            Self { index, chain, beside: none(), held: none(), parallel: none(), above_head: none() };
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
            if let Some(parent) = self.index.parent_row(row).filter(|_| !self.is_loose_result(row)) {
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
            if self.is_loose_result(row)
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
    pub(crate) fn class(&self, row: RowNo, fresh: &FreshIds) -> Branch {
        let Some(uuid) = self.index.uuid(row) else { return Branch::NoUuid };
        if self.index.is(row, Flags::SIDECHAIN) {
            Branch::Sidechain
        } else if self.above_head.contains(row) {
            Branch::AboveHead
        } else if self.is_copy(row) || fresh.contains(uuid) {
            Branch::DuplicateCopy
        } else if self.is_parallel(row) {
            Branch::Parallel
        } else if self.beside.contains(row) {
            Branch::Abandoned
        } else {
            Branch::OtherRoot
        }
    }

    /// Whether the chain passes by a row only because it is one of several tool results of a turn: such rows can be woven
    /// in.
    pub(crate) fn is_parallel(&self, row: RowNo) -> bool {
        self.parallel.contains(row)
    }

    /// A tool result that is not on the chain, and nothing but others of its kind comes from it.
    fn is_loose_result(&self, row: RowNo) -> bool {
        is_result(self.index, row) && !self.chain.contains(row) && !self.held.contains(row)
    }

    /// Whether an earlier row, or one on the chain, has the same uuid.
    fn is_copy(&self, row: RowNo) -> bool {
        let same = self.index.uuid(row).map_or(&[][..], |uuid| self.index.rows_of(uuid));
        same.iter().any(|&other| other < row || (other != row && self.chain.contains(other)))
    }
}

/// A user row that holds tool results only.
fn is_result(index: &Index, row: RowNo) -> bool {
    index.is(row, Flags::USER) && index.is(row, Flags::ONLY_TOOL_RESULTS)
}

/// A user row that begins a turn.
fn is_prompt(index: &Index, row: RowNo) -> bool {
    index.is(row, Flags::USER) && !index.is(row, Flags::ONLY_TOOL_RESULTS)
}
