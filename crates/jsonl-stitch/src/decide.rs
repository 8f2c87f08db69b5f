//! The whole of it: look at a transcript, and say what a stitch would change and gain.

use std::collections::BTreeMap;
use std::io::{self, Read};

use crate::load::{Fate, Limits, Load, Loader, Loss, Simulation};
use crate::stitch::{
    Edit, EditError, EditKind, LeftAlone, NoStitch, Options, chain, edited, missing_ending, stitch,
};
use crate::{Index, Splice};

/// A transcript, looked at.
#[derive(Debug)]
pub struct Checked {
    /// Its rows.
    pub index: Index,
    /// What each loader would show of it.
    pub loads: Vec<Load>,
    stem: String,
    limits: Limits,
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
    /// What was seen on the way and is left as it is.
    pub left_alone: LeftAlone,
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

impl Checked {
    /// Whether rows are lost to one of `targets` that a stitch could bring back: seen from the index alone, without
    /// reading the file again.
    pub fn wants_stitch(&self, targets: &[Loader]) -> bool {
        let targeted = || self.loads.iter().filter(|load| targets.contains(&load.loader));
        if targeted()
            .any(|load| load.lost.keys().any(|loss| !matches!(loss, Loss::OffChain(_) | Loss::BadJson)))
        {
            return true;
        }
        // What is beside the chain that is preserved may be on the one that could be.
        let beside = |load: &&Load| load.lost.keys().any(|loss| matches!(loss, Loss::OffChain(_)));
        let Some(chain) = targeted()
            .any(|load| beside(&load))
            .then(|| chain(&self.index, &self.stem, self.limits))
            .flatten()
        else {
            return false;
        };
        targeted().filter(beside).any(|load| {
            let simulation = Simulation::new(&self.index, &self.stem, load.loader, self.limits);
            chain.iter().any(|&row| matches!(simulation.fate(row), Fate::Lost(_)))
        })
    }
}

impl Decision {
    /// The edits as splices.
    pub fn splices(&self) -> Vec<Splice> {
        splices(&self.edits)
    }

    /// The same, of a decision that is not needed any more: there may be many.
    pub fn into_splices(self) -> Vec<Splice> {
        let mut splices: Vec<Splice> = self.edits.into_iter().map(|edit| edit.splice).collect();
        splices.shrink_to_fit(); // they took over the room of the edits
        splices
    }

    /// How many edits there are of each kind.
    pub fn kinds(&self) -> BTreeMap<EditKind, u64> {
        let mut kinds = BTreeMap::new();
        for edit in &self.edits {
            *kinds.entry(edit.kind).or_default() += 1;
        }
        kinds
    }
}

/// Looks at a transcript: reads `input` once, to its end. `stem` is the name of its file without `.jsonl`; ids that a
/// stitch gives anew depend on it.
pub fn check(input: impl Read, stem: &str, limits: Limits) -> io::Result<Checked> {
    let index = Index::read(input)?;
    let loads = loads(&index, stem, limits);
    Ok(Checked { index, loads, stem: stem.to_owned(), limits })
}

/// What each loader would show.
fn loads(index: &Index, stem: &str, limits: Limits) -> Vec<Load> {
    Loader::ALL.map(|loader| Load::of(index, stem, loader, limits)).to_vec()
}

/// Decides what to do for the loaders in `targets`. `open` gives the file from its beginning, as it was when it was
/// checked; if there is something to stitch it is read once to make the edits, and what they gain is known from the index.
/// No edit is made that does not bring back rows for one of the targets, or that takes any from another loader.
pub fn decide<R: Read>(
    checked: Checked,
    targets: &[Loader],
    options: Options,
    mut open: impl FnMut() -> io::Result<R>,
) -> Result<Decision, EditError> {
    let Checked { mut index, loads: before, stem, limits } = checked;
    let targeted = || before.iter().filter(|load| targets.contains(&load.loader));
    let is_whole = targeted().all(Load::is_whole);
    let mut why = if is_whole { Why::Whole } else { Why::NoBetter };
    let mut left_alone = LeftAlone::default();
    let mut tried = Vec::new();
    if targeted().any(|load| stitchable(load) > 0) {
        match stitch(&index, &stem, options, limits, &mut open)? {
            Ok((stitch, edits)) => {
                left_alone = stitch.left_alone;
                tried.push((Some(stitch), edits));
            }
            Err(none @ (NoStitch::OutOfReach { .. } | NoStitch::NoMessage)) => why = Why::Impossible(none),
            Err(NoStitch::NoBoundary | NoStitch::NothingBefore) => {}
        }
        tried.extend(missing_ending(&index).map(|edit| (None, vec![edit])));
    }
    let mut tried = tried.into_iter().peekable();
    while let Some((stitch, edits)) = tried.next() {
        // Only for another try the index is needed once more.
        let kept = if tried.peek().is_some() { index.clone() } else { Index::default() };
        let after =
            loads(&edited(std::mem::replace(&mut index, kept), stitch.as_ref(), &edits), &stem, limits);
        if is_better(&before, &after, targets) {
            return Ok(Decision { before, after, edits, why: Why::Better, left_alone });
        }
    }
    Ok(Decision { after: before.clone(), before, edits: Vec::new(), why, left_alone })
}

fn splices(edits: &[Edit]) -> Vec<Splice> {
    edits.iter().map(|edit| edit.splice.clone()).collect()
}

/// How many rows are lost that are not beyond all help. A torn last line is helped by an ending: the next one is not.
fn stitchable(load: &Load) -> u64 {
    load.rows_lost() - load.lost.get(&Loss::BadJson).map_or(0, |lost| lost.rows)
}

fn is_better(before: &[Load], after: &[Load], targets: &[Loader]) -> bool {
    let mut pairs = before.iter().zip(after);
    let is_no_worse = |(before, after): (&Load, &Load)| {
        after.rows_lost() <= before.rows_lost() && stitchable(after) <= stitchable(before)
    };
    let gains = |(before, after): (&Load, &Load)| {
        targets.contains(&after.loader) && stitchable(after) < stitchable(before)
    };
    pairs.clone().all(is_no_worse) && pairs.any(gains)
}
