//! The whole of it: look at a transcript, and say what a stitch would change and gain.

use std::io::{self, Read};

use crate::load::{Limits, Load, Loader, simulate};
use crate::stitch::{Edit, EditError, EditKind, NoStitch, Options, plan};
use crate::{Index, Splice, Spliced};

/// A transcript, looked at.
#[derive(Debug)]
pub struct Checked {
    /// Its rows.
    pub index: Index,
    /// What each loader would show of it.
    pub loads: Vec<Load>,
}

/// What is to be done with a transcript.
#[derive(Debug)]
pub struct Decision {
    /// What each loader shows now.
    pub before: Vec<Load>,
    /// What each loader would show with the edits: the same as before if there are none.
    pub after: Vec<Load>,
    /// The edits, in order.
    pub edits: Vec<Edit>,
    /// Why they are what they are.
    pub why: Why,
}

/// Why a transcript is stitched, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Every loader asked for shows everything already.
    Whole,
    /// The edits bring rows back.
    Better,
    /// What is lost could not be brought back: it leads nowhere.
    NoBetter,
    /// There is no way.
    Impossible(NoStitch),
}

impl Decision {
    /// The edits as splices.
    pub fn splices(&self) -> Vec<Splice> {
        self.edits.iter().map(|edit| edit.splice.clone()).collect()
    }
}

/// Looks at a transcript. `stem` is the name of its file without `.jsonl`; `passed` is told how many bytes were read.
pub fn check(
    input: impl Read,
    stem: &str,
    limits: Limits,
    passed: impl FnMut(u64) -> io::Result<()>,
) -> io::Result<Checked> {
    let index = Index::read(input, passed)?;
    let loads = loads(&index, stem, limits);
    Ok(Checked { index, loads })
}

fn loads(index: &Index, stem: &str, limits: Limits) -> Vec<Load> {
    Loader::ALL.map(|loader| simulate(index, stem, loader, limits)).to_vec()
}

/// Decides what to do for the loaders in `targets`. `open` gives the file from its beginning, as it was when it was
/// checked; it is read twice if there is something to stitch.
pub fn decide<R: Read>(
    checked: &Checked,
    stem: &str,
    targets: &[Loader],
    options: Options,
    limits: Limits,
    mut open: impl FnMut() -> io::Result<R>,
) -> Result<Decision, EditError> {
    let before = checked.loads.clone();
    let unchanged = |why| Decision { before: before.clone(), after: before.clone(), edits: Vec::new(), why };
    let index = &checked.index;
    let wanting = |loads: &[Load]| -> Vec<u64> {
        let asked = loads.iter().filter(|load| targets.contains(&load.loader));
        asked.map(|load| load.of - load.shown).collect()
    };
    let lost = wanting(&before);
    if lost.iter().all(|&lost| lost == 0) {
        return Ok(unchanged(Why::Whole));
    }
    let planned = plan(index, stem, options, limits);
    let mut tried = Vec::new();
    if let Ok(stitch) = &planned {
        tried.push(stitch.edits(index, open()?)?);
    }
    tried.push(crate::stitch::ending_only(index));
    for edits in tried.into_iter().filter(|edits| !edits.is_empty()) {
        let splices: Vec<Splice> = edits.iter().map(|edit| edit.splice.clone()).collect();
        let spliced = Spliced::new(open()?, &splices).map_err(io::Error::other)?;
        let after = check(spliced, stem, limits, |_| Ok(()))?.loads;
        let left = wanting(&after);
        let no_worse = left.iter().zip(&lost).all(|(left, lost)| left <= lost);
        if no_worse && left != lost {
            return Ok(Decision { before, after, edits, why: Why::Better });
        }
    }
    Ok(unchanged(match planned {
        Err(no_stitch @ (NoStitch::OutOfReach { .. } | NoStitch::NoMessage)) => Why::Impossible(no_stitch),
        _ => Why::NoBetter,
    }))
}

/// The kinds of edits, each with how many there are of it.
pub fn count_kinds(edits: &[Edit]) -> std::collections::BTreeMap<EditKind, u64> {
    let mut counts = std::collections::BTreeMap::new();
    for edit in edits {
        *counts.entry(edit.kind).or_default() += 1;
    }
    counts
}
