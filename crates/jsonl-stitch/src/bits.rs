//! A set of rows, one bit each.

use crate::RowNo;

#[derive(Debug, Clone, Default)]
pub(crate) struct RowSet {
    words: Vec<u64>,
}

impl RowSet {
    pub(crate) fn with_room_for(rows: RowNo) -> Self {
        Self { words: vec![0; (rows as usize).div_ceil(64)] }
    }

    pub(crate) fn insert(&mut self, row: RowNo) {
        self.words[row as usize / 64] |= 1 << (row % 64);
    }

    pub(crate) fn contains(&self, row: RowNo) -> bool {
        self.words[row as usize / 64] >> (row % 64) & 1 == 1
    }
}
