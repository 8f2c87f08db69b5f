//! From the graph of rows to the changes that make it whole.

use super::forest::Forest;
use super::rows::{Found, RowEdits};
use super::weave::weave;
use super::{NewParent, Options, Outlook, Segment, Stitch, ids};
use crate::load::Limits;
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

/// Which rows must change in a file of which this is the outlook.
pub(super) fn plan(
    index: &Index,
    stem: &str,
    options: Options,
    limits: Limits,
    outlook: Outlook,
) -> Result<Stitch, NoStitch> {
    let boundary = boundary(index, options, limits, outlook)?;
    let (chain, mut rows) = whole_history(index, stem, boundary, options)?;
    // Harmless in a small file, but a big one needs them.
    if outlook.is_big {
        disabled(index).for_each(|row| rows.entry(row).or_default().revert = true);
    }
    let left_alone = ids::repair(index, &chain, boundary, &mut rows);
    let anchor = options.anchor.then(|| anchor(index, boundary)).flatten();
    let segment = Segment { boundary, head: chain[0], tail: chain[chain.len() - 1], anchor };
    Ok(Stitch { stem: stem.to_owned(), rows: RowEdits::of(rows), segment, left_alone })
}

/// The rows that a stitch would preserve.
pub(super) fn chain(
    index: &Index,
    stem: &str,
    options: Options,
    limits: Limits,
) -> Result<Vec<RowNo>, NoStitch> {
    let boundary = boundary(index, options, limits, Outlook::before(index, limits))?;
    whole_history(index, stem, boundary, options).map(|(chain, _)| chain)
}

/// The longest chain that leads to the boundary, and the edits that make it one.
fn whole_history(
    index: &Index,
    stem: &str,
    boundary: RowNo,
    options: Options,
) -> Result<(Vec<RowNo>, Found), NoStitch> {
    let mut edits = Found::new();
    let mut chain = history(index, stem, boundary, options, &mut edits)?;
    loop {
        // A row that was woven in may be what the nearest row before the boundary comes from: then the chain gets longer.
        let longer = history(index, stem, boundary, options, &mut edits)?;
        if longer.len() <= std::mem::replace(&mut chain, longer).len() {
            return Ok((chain, edits));
        }
    }
}

/// The chain that leads to the boundary, from its first message on, and the edits that make it one.
fn history(
    index: &Index,
    stem: &str,
    boundary: RowNo,
    options: Options,
    edits: &mut Found,
) -> Result<Vec<RowNo>, NoStitch> {
    let forest = Forest::grow(index, boundary, options.join_roots, edits);
    let tail = forest.tail(boundary).ok_or(NoStitch::NothingBefore)?;
    let mut chain = forest.chain(tail);
    let head = chain.iter().position(|&row| index.is(row, Flags::MESSAGE)).ok_or(NoStitch::NoMessage)?;
    chain.drain(..head);
    let given = |&row: &RowNo| match forest.parent(row)? {
        (parent, Some(why)) => Some(NewParent { row, parent, why }),
        (_, None) => None,
    };
    let mut found: Vec<NewParent> = chain[1..].iter().filter_map(given).collect();
    if !options.no_weave {
        chain = weave(index, stem, &forest, chain, boundary, &mut found);
    }
    for NewParent { row, parent, why } in found {
        edits.entry(row).or_default().parent = Some((parent, why));
    }
    Ok(chain)
}

/// The boundary that is to preserve the chain; the row behind the last is one that is appended.
pub(super) fn boundary(
    index: &Index,
    options: Options,
    limits: Limits,
    outlook: Outlook,
) -> Result<RowNo, NoStitch> {
    let Outlook { is_big, from_boundary } = outlook;
    let wanted = if is_big { Flags::BOUNDARY | Flags::DISABLED } else { Flags::BOUNDARY };
    let distance = |row| index.size() - index.offset(row);
    // Its spelling counts too: a loader that looks for it reads letters.
    let in_reach = |row| {
        index.is(row, Flags::LITERAL | Flags::DISABLED)
            && distance(row).saturating_add(from_boundary) <= limits.window
    };
    match index.rows().rev().find(|&row| index.is(row, wanted)) {
        None if !is_big => Err(NoStitch::NoBoundary),
        Some(row) if !is_big || in_reach(row) => Ok(row),
        _ if options.move_anchor => Ok(index.len()),
        last => Err(NoStitch::OutOfReach { distance: last.map(distance), reach: limits.window }),
    }
}

/// Boundaries that were disabled.
fn disabled(index: &Index) -> impl Iterator<Item = RowNo> {
    index.rows().filter(|&row| index.is(row, Flags::DISABLED))
}

/// The row that an anchor names: the boundary itself, or if it has no uuid the summary that follows it.
fn anchor(index: &Index, boundary: RowNo) -> Option<RowNo> {
    if boundary == index.len() || index.uuid(boundary).is_some() {
        return Some(boundary);
    }
    (boundary..index.len()).find(|&row| index.is(row, Flags::SUMMARY) && index.uuid(row).is_some())
}
