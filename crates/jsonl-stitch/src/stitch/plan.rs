//! From the graph of rows to the changes that make it whole.

use super::forest::Forest;
use super::weave::weave;
use super::{Options, RowEdits, Segment, Stitch, ids};
use crate::load::{Limits, is_in_reach};
use crate::{Flags, Index, RowNo};

/// Why there is nothing to stitch, or no way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoStitch {
    /// There is no boundary, and the file is small enough to be read whole.
    #[error("nothing was ever compacted")]
    NoBoundary,
    /// No row with an id comes before the last boundary.
    #[error("no row with a uuid comes before the last boundary, so there is nothing to bring back")]
    NothingBefore,
    /// The chain holds no user or assistant row.
    #[error("no user or assistant row leads to the last boundary")]
    NoMessage,
    /// The last boundary is out of the loaders' reach.
    #[error("{}, and loaders look no further than {reach} bytes from the end", where_it_lies(*distance))]
    OutOfReach {
        /// How far from the end it begins, in bytes; `None` if there is none.
        distance: Option<u64>,
        /// How far loaders look, in bytes.
        reach: u64,
    },
}

fn where_it_lies(distance: Option<u64>) -> String {
    distance.map_or_else(
        || "there is no boundary".to_owned(),
        |bytes| format!("the last boundary begins {bytes} bytes from the end"),
    )
}

pub(super) fn plan(index: &Index, stem: &str, options: Options, limits: Limits) -> Result<Stitch, NoStitch> {
    let is_big = index.size() > limits.big;
    let boundary = boundary(index, is_big, options, limits)?;
    let forest = Forest::grow(index, boundary, options.join_roots);
    let tail = forest.tail(boundary).ok_or(NoStitch::NothingBefore)?;
    let mut chain = forest.chain(tail);
    let head = chain.iter().position(|&row| index.is(row, Flags::MESSAGE)).ok_or(NoStitch::NoMessage)?;
    chain.drain(..head);

    let mut rows = RowEdits::new();
    if is_big {
        reverted(index).for_each(|row| rows.entry(row).or_default().revert = true);
    }
    for &row in &chain[1..] {
        if let Some((parent, Some(why))) = forest.parent(row) {
            rows.entry(row).or_default().parent = Some((parent, why));
        }
    }
    if !options.no_weave {
        chain = weave(index, &forest, chain, boundary, &mut rows);
    }
    let left_alone = ids::repair(index, &chain, boundary, &mut rows);
    let anchor = options.anchor.then(|| anchor(index, boundary)).flatten();
    let segment = Segment { boundary, head: chain[0], tail: chain[chain.len() - 1], anchor };
    Ok(Stitch { stem: stem.to_owned(), rows, segment, left_alone })
}

/// The boundary that is to preserve the chain; the row behind the last is one that is appended.
fn boundary(index: &Index, is_big: bool, options: Options, limits: Limits) -> Result<RowNo, NoStitch> {
    let wanted = if is_big { Flags::BOUNDARY | Flags::DISABLED } else { Flags::BOUNDARY };
    let last = index.rows().rev().find(|&row| index.is(row, wanted));
    match last {
        None if !is_big => Err(NoStitch::NoBoundary),
        Some(row) if !is_big || is_in_reach(index, row, limits) => Ok(row),
        _ if options.move_anchor => Ok(index.len()),
        _ => Err(NoStitch::OutOfReach {
            distance: last.map(|row| index.size() - index.offset(row)),
            reach: limits.window,
        }),
    }
}

/// Boundaries that were disabled: harmless in a small file, but a big one needs them.
fn reverted(index: &Index) -> impl Iterator<Item = RowNo> {
    index.rows().filter(|&row| index.is(row, Flags::DISABLED))
}

/// The row that an anchor names: the boundary itself, or if it has no uuid the summary that follows it.
fn anchor(index: &Index, boundary: RowNo) -> Option<RowNo> {
    if boundary == index.len() || index.uuid(boundary).is_some() {
        return Some(boundary);
    }
    (boundary..index.len()).find(|&row| index.is(row, Flags::SUMMARY) && index.uuid(row).is_some())
}
