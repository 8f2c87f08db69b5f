//! Where data are, as ext2 and ext3 kept it: a table of blocks, and tables of tables.

use std::sync::Arc;

use crate::bytes::{narrow, u32_le};
use crate::error::TreeError;

use super::inode::Inode;
use super::{Filesystem, Run};

/// So many of the inode's pointers point to data; the next three to tables, tables of tables, and one level more.
const DIRECT: u64 = 12;
const POINTER: usize = 4;

/// The run of `inode` from block `index` on.
pub(super) fn run(filesystem: &Filesystem, inode: &Inode, index: u64) -> Result<Run, TreeError> {
    if index < DIRECT {
        return Ok(in_table(&inode.block[..narrow(DIRECT) * POINTER], index));
    }
    let fan = filesystem.block_size() / POINTER as u64;
    let mut rest = index - DIRECT;
    for depth in 1..=3 {
        let reach = fan.pow(depth);
        if rest < reach {
            let root = u32_le(&inode.block, (narrow(DIRECT) + depth as usize - 1) * POINTER);
            return descend(filesystem, inode, root, depth, rest);
        }
        rest -= reach;
    }
    let what = format!("the size of inode {}", inode.number);
    Err(TreeError::corrupt(what, "what three levels of tables can hold", inode.size))
}

fn descend(
    filesystem: &Filesystem,
    inode: &Inode,
    mut pointer: u32,
    depth: u32,
    mut index: u64,
) -> Result<Run, TreeError> {
    let fan = filesystem.block_size() / POINTER as u64;
    for level in (1..=depth).rev() {
        if pointer == 0 {
            return Ok(Run { start: None, count: fan.pow(level) - index });
        }
        let what = format!("a block table of inode {}", inode.number);
        let table: Arc<[u8]> = filesystem.blocks.get(pointer.into(), &what)?;
        if level == 1 {
            return Ok(in_table(&table, index));
        }
        let each = fan.pow(level - 1);
        pointer = u32_le(&table, narrow(index / each) * POINTER);
        index %= each;
    }
    unreachable!("a depth is at least one")
}

/// The pointers from `index` on that follow each other, or are all holes.
fn in_table(table: &[u8], index: u64) -> Run {
    let mut pointers =
        table[narrow(index) * POINTER..].chunks_exact(POINTER).map(|it| u64::from(u32_le(it, 0)));
    let first = pointers.next().unwrap_or(0);
    let step = u64::from(first != 0);
    let follows = (1..).zip(pointers).take_while(|(nth, pointer)| *pointer == first + nth * step).count();
    Run { start: (first != 0).then_some(first), count: 1 + follows as u64 }
}
