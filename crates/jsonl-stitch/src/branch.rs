//! The rows beside a chain: what they are, seen from it.

use crate::bits::RowSet;
use crate::fresh::FreshIds;
use crate::{Flags, Index, RowNo};

/// What a row is that is not on the chain.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Branch {
    /// It has no uuid, so nothing can lead to it.
    NoUuid,
    /// Its uuid is, or was, that of another row.
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

/// How a row leads to the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    On,
    Beside,
    Elsewhere,
}

/// Every row's place relative to a chain.
pub(crate) struct Branches<'a> {
    index: &'a Index,
    leads: Vec<Lead>,
    has_other_child: RowSet,
    above_head: RowSet,
    /// On the chain: how many prompts, not only tool results, there are up to each row.
    turns: Vec<u32>,
}

impl<'a> Branches<'a> {
    /// Looks at all rows, given the chain and its root-most row.
    pub(crate) fn of(index: &'a Index, chain: &RowSet, head: RowNo) -> Self {
        let mut branches = Self {
            index,
            leads: Vec::with_capacity(index.len() as usize),
            has_other_child: RowSet::with_room_for(index.len()),
            above_head: RowSet::with_room_for(index.len()),
            turns: Vec::with_capacity(index.len() as usize),
        };
        let mut turn = 0;
        for row in index.rows() {
            let parent = index.parent_row(row);
            let lead = match parent.map(|parent| branches.leads[parent as usize]) {
                _ if chain.contains(row) => Lead::On,
                None | Some(Lead::Elsewhere) => Lead::Elsewhere,
                Some(Lead::On | Lead::Beside) => Lead::Beside,
            };
            branches.leads.push(lead);
            if let Some(parent) = parent.filter(|_| !index.is(row, Flags::ONLY_TOOL_RESULTS)) {
                branches.has_other_child.insert(parent);
            }
            turn += u32::from(lead == Lead::On && is_prompt(index, row));
            branches.turns.push(turn);
        }
        let mut above = index.parent_row(head);
        while let Some(row) = above {
            branches.above_head.insert(row);
            above = index.parent_row(row);
        }
        branches
    }

    /// What a row is that is not on the chain.
    pub(crate) fn class(&self, row: RowNo, fresh: &FreshIds) -> Branch {
        let Some(uuid) = self.index.uuid(row) else { return Branch::NoUuid };
        if self.index.is(row, Flags::SIDECHAIN) {
            Branch::Sidechain
        } else if self.above_head.contains(row) {
            Branch::AboveHead
        } else if self.index.rows_of(uuid).len() > 1 || fresh.contains(uuid) {
            Branch::DuplicateCopy
        } else if self.is_parallel(row) {
            Branch::Parallel
        } else if self.leads[row as usize] == Lead::Beside {
            Branch::Abandoned
        } else {
            Branch::OtherRoot
        }
    }

    /// Whether a row is a tool result that the chain passes by in the same turn: rows of this kind can be woven in.
    pub(crate) fn is_parallel(&self, row: RowNo) -> bool {
        let index = self.index;
        let is_leaf = index.is(row, Flags::ONLY_TOOL_RESULTS) && !self.has_other_child.contains(row);
        let mut parent = index.parent_row(row);
        while let Some(above) = parent.filter(|&above| self.is_passed_result(above)) {
            parent = index.parent_row(above);
        }
        is_leaf
            && index.uuid(row).is_some()
            && !index.is(row, Flags::SIDECHAIN)
            && parent.is_some_and(|parent| {
                self.leads[parent as usize] == Lead::On && self.turn(parent) == self.turn(row)
            })
    }

    /// A tool result that is not on the chain itself.
    fn is_passed_result(&self, row: RowNo) -> bool {
        self.leads[row as usize] == Lead::Beside
            && self.index.is(row, Flags::ONLY_TOOL_RESULTS)
            && !self.has_other_child.contains(row)
    }

    fn turn(&self, row: RowNo) -> u32 {
        self.turns[row as usize]
    }
}

/// A user row that begins a turn.
fn is_prompt(index: &Index, row: RowNo) -> bool {
    index.is(row, Flags::USER) && !index.is(row, Flags::ONLY_TOOL_RESULTS)
}
