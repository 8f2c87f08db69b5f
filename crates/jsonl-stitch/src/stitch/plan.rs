//! From the graph of rows to the changes that make it whole.

use std::collections::BTreeMap;

use super::forest::{Forest, Hop, chain};
use super::{Boundary, EditKind, NewSegment, Options, RowEdit, Stitch, ids, weave};
use crate::load::{Limits, last_boundary_in_reach};
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
    #[error(
        "the last boundary lies {} bytes from the end, out of the loaders' reach of {reach}",
        distance.map_or_else(|| "no".to_owned(), |bytes| bytes.to_string())
    )]
    OutOfReach {
        /// How far from the end it begins; `None` if there is none.
        distance: Option<u64>,
        /// How far loaders look.
        reach: u64,
    },
}

/// Which rows must change for the history to be whole. `stem` is the name of the file without `.jsonl`.
pub fn plan(index: &Index, stem: &str, options: Options, limits: Limits) -> Result<Stitch, NoStitch> {
    let mut stitch = Stitch {
        stem: stem.to_owned(),
        rows: BTreeMap::new(),
        segment: None,
        ending: !index.ends_with_line_feed(),
    };
    let is_big = index.size() > limits.big;
    let boundary = boundary(index, is_big, options, limits, &mut stitch.rows)?;
    let end = if let Boundary::Row(row) = boundary { row } else { index.len() };
    let forest = Forest::grow(index, end, options.join_roots);
    let last = if let Boundary::Row(row) = boundary { Some(row) } else { None };
    let tail = forest.tail(last).ok_or(NoStitch::NothingBefore)?;

    let mut rows = chain(&forest, tail);
    let head = rows.iter().rposition(|&(row, _)| index.is(row, Flags::MESSAGE)).ok_or(NoStitch::NoMessage)?;
    rows.truncate(head + 1);
    for &(row, hop) in &rows[..head] {
        let kind = match hop {
            None | Some(Hop::Own) => continue,
            Some(Hop::Link) => EditKind::Link,
            Some(Hop::Gap) => EditKind::Gap,
            Some(Hop::Join) => EditKind::Join,
        };
        let parent = forest.parent(row).map(|(parent, _)| (parent, kind));
        stitch.rows.entry(row).or_default().parent = parent;
    }
    let mut chain: Vec<RowNo> = rows.iter().rev().map(|&(row, _)| row).collect();
    if !options.no_weave {
        chain = woven(index, &forest, chain, end, &mut stitch.rows);
    }
    ids::repair(index, &chain, last, &mut stitch.rows);
    stitch.segment = Some((boundary, segment(index, &chain, boundary, options)));
    Ok(stitch)
}

/// The boundary that is to preserve the chain. Boundaries that were disabled in a big file become boundaries again.
fn boundary(
    index: &Index,
    is_big: bool,
    options: Options,
    limits: Limits,
    edits: &mut BTreeMap<RowNo, RowEdit>,
) -> Result<Boundary, NoStitch> {
    let wanted = if is_big { Flags::BOUNDARY | Flags::DISABLED } else { Flags::BOUNDARY };
    let last = index.rows().rev().find(|&row| index.is(row, wanted));
    if is_big {
        for row in index.rows().filter(|&row| index.is(row, Flags::DISABLED)) {
            edits.entry(row).or_default().revert = true;
        }
    }
    match last {
        None if !is_big => Err(NoStitch::NoBoundary),
        Some(row) if !is_big || last_boundary_in_reach(index, wanted, limits).is_some() => Ok(Boundary::Row(row)),
        _ if options.move_anchor => Ok(Boundary::Appended),
        _ => Err(NoStitch::OutOfReach {
            distance: last.map(|row| index.size() - index.offset(row)),
            reach: limits.window,
        }),
    }
}

/// The chain with its parallel rows; whoever got another neighbour is edited.
fn woven(
    index: &Index,
    forest: &Forest<'_>,
    chain: Vec<RowNo>,
    end: RowNo,
    edits: &mut BTreeMap<RowNo, RowEdit>,
) -> Vec<RowNo> {
    let woven = weave::weave(index, &chain, end);
    if woven.len() == chain.len() {
        return chain;
    }
    for pair in woven.windows(2) {
        let (above, row) = (pair[0], pair[1]);
        if forest.parent(row).map(|(parent, _)| parent) != Some(above) {
            edits.entry(row).or_default().parent = Some((above, EditKind::Weave));
        }
    }
    woven
}

fn segment(index: &Index, chain: &[RowNo], boundary: Boundary, options: Options) -> NewSegment {
    let (head, tail) = (chain[0], chain[chain.len() - 1]);
    let anchor = match boundary {
        Boundary::Row(row) if options.anchor && index.uuid(row).is_some() => Some(row),
        Boundary::Row(row) if options.anchor => (row + 1..index.len())
            .find(|&row| index.is(row, Flags::SUMMARY) && index.uuid(row).is_some()),
        Boundary::Appended if options.anchor => Some(index.len()),
        _ => None,
    };
    NewSegment { head, tail, anchor }
}
