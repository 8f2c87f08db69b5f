//! Bringing a tree into its staging folder, whatever an earlier attempt has left there.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::io::Write;

use durable_files::Digest;
use migration_engine::{Cause, Cx, StepError};

use super::DeliverTree;
use crate::clash::clash;
use crate::far::{Arrived, Arriving, Far, SendError, TreeThere};
use crate::manifest::{Difference, Entry, Kind, Manifest, What};
use crate::pack::{Packed, Parcel};

/// What an entry takes in a stream, about: a header, times, a name, and what fills its last block.
const ENTRY: u64 = 2048;

/// Sends what is missing or different until the far side holds exactly the parcel, with owner and modes. Gives the tree
/// as it is there, and what was sent, if anything was.
pub(super) fn bring(
    step: &DeliverTree,
    far: &mut Far,
    run: &str,
    parcel: &mut Parcel<'_>,
    cx: &mut Cx<'_>,
) -> Result<(TreeThere, Option<(Digest, u64)>), StepError> {
    let tree = match arrive(step, far, run, parcel, cx)? {
        Arrived::Before(tree) => tree,
        Arrived::Now { tree, found, packed, sent } => {
            let differences = parcel.manifest().differences(&found);
            whole(step, &differences)?;
            if is_dressed(parcel.manifest()) {
                alike(step, &differences)?;
            } else {
                dress(far, &tree, parcel.manifest(), &found, cx)?;
                settle(step, far, &tree, parcel.manifest(), cx)?;
            }
            return Ok((tree, Some((packed.stream.digest, sent))));
        }
    };
    tells_names_apart(step, far, &tree, parcel.manifest())?;
    let (mut found, differences) = compare(far, &tree, parcel, cx)?;
    let mut sent = None;
    if let Some(missing) = Missing::of(&differences, parcel.manifest(), &found) {
        far.remove(&tree, &missing.superfluous, cx)?;
        let mut waiting = *cx;
        let pack = |out: &mut dyn Write| parcel.send(&|entry| missing.has(entry), out, cx);
        let (packed, bytes) = far.unpack(&tree, step.bytes, &mut waiting, pack)?;
        sent = Some((packed.stream.digest, bytes));
        let (arrived, left) = compare(far, &tree, parcel, cx)?;
        found = arrived;
        whole(step, &left)?;
    }
    // As long as it is ours alone, nobody can put a link in the place of a file whose mode is being set.
    dress(far, &tree, parcel.manifest(), &found, cx)?;
    settle(step, far, &tree, parcel.manifest(), cx)?;
    Ok((tree, sent))
}

/// Takes the staging folder, and sends everything if nothing has been in it.
fn arrive(
    step: &DeliverTree,
    far: &mut Far,
    run: &str,
    parcel: &mut Parcel<'_>,
    cx: &mut Cx<'_>,
) -> Result<Arrived<Packed>, StepError> {
    let manifest = parcel.manifest();
    let arriving = Arriving {
        place: &step.place,
        run,
        bytes: manifest.bytes() + ENTRY * manifest.entries().len() as u64,
        tries_names: clash(manifest).is_some(),
        settles: is_dressed(manifest),
        owner: step.owner.as_deref(),
    };
    let mut waiting = *cx;
    let arrived = far.arrive(&arriving, &mut waiting, |out| parcel.send(&|_| true, out, cx));
    let status = if let Err(SendError::Far(error)) = &arrived { error.status() } else { None };
    match status {
        Some(11 | 12) => {
            let message = format!("{} on {} belongs to somebody else", step.place.staging, step.host);
            Err(Cause::new("staging-taken", message).item())
        }
        Some(14) => Err(names_clash(step, parcel.manifest())),
        _ => Ok(arrived?),
    }
}

/// Gives the tree to its user, makes it durable, and looks whether it is what it should be then.
fn settle(
    step: &DeliverTree,
    far: &mut Far,
    tree: &TreeThere,
    expected: &Manifest,
    cx: &mut Cx<'_>,
) -> Result<(), StepError> {
    let found = far.settle(tree, step.owner.as_deref(), cx)?;
    alike(step, &far.differences(expected, &found))
}

/// Refuses what differs in more than modes and times.
fn whole(step: &DeliverTree, differences: &[Difference]) -> Result<(), StepError> {
    let broken = differences.iter().find(|difference| difference.what != What::Attributes);
    broken.map_or(Ok(()), |first| Err(damaged(step, first, differences.len())))
}

/// Refuses what differs.
fn alike(step: &DeliverTree, differences: &[Difference]) -> Result<(), StepError> {
    differences.first().map_or(Ok(()), |first| Err(damaged(step, first, differences.len())))
}

/// Whether a tree is unpacked with the modes it has: all that the stream adds is what lets its owner read and write.
fn is_dressed(manifest: &Manifest) -> bool {
    manifest.entries().iter().all(|entry| match entry.kind {
        Kind::Folder => entry.mode & 0o700 == 0o700,
        Kind::File { .. } => entry.mode & 0o600 == 0o600,
        Kind::Symlink { .. } | Kind::HardLink { .. } => true,
    })
}

/// Refuses a tree of which two entries would become one there.
fn tells_names_apart(
    step: &DeliverTree,
    far: &mut Far,
    tree: &TreeThere,
    manifest: &Manifest,
) -> Result<(), StepError> {
    if clash(manifest).is_none() || !far.folds(tree)? {
        return Ok(());
    }
    Err(names_clash(step, manifest))
}

fn names_clash(step: &DeliverTree, manifest: &Manifest) -> StepError {
    let [one, other] = clash(manifest).map_or([&[][..]; 2], |(one, other)| [one, other]).map(crate::display);
    let message = format!("{one} and {other} would be one name on {}", step.host);
    Cause::new("names-clash", message).item()
}

/// What is there, and how it differs from what shall be. What is there is hashed by the far side; of ours only what it could be
/// equal to is read.
fn compare(
    far: &mut Far,
    tree: &TreeThere,
    parcel: &mut Parcel<'_>,
    cx: &mut Cx<'_>,
) -> Result<(Manifest, Vec<Difference>), StepError> {
    let mut found = far.list(tree, cx)?;
    let alike: HashSet<Vec<u8>> = {
        let expected = parcel.manifest();
        let alike = |entry: &&Entry| match expected.get(&entry.path).map(|expected| &expected.kind) {
            Some(Kind::File { size, .. }) => {
                entry.bytes() == *size && matches!(entry.kind, Kind::File { .. })
            }
            _ => false,
        };
        found.entries().iter().filter(alike).map(|entry| entry.path.clone()).collect()
    };
    far.hash(tree, &mut found, &|entry| alike.contains(&entry.path), cx)?;
    for path in &alike {
        parcel.digest(path, cx)?;
    }
    let differences = parcel.manifest().differences(&found);
    Ok((found, differences))
}

/// What has to be sent, and what has to go.
struct Missing<'a> {
    superfluous: Vec<&'a [u8]>,
    wanted: HashSet<Vec<u8>>,
}

impl<'a> Missing<'a> {
    /// What differs in its mode alone was unpacked so, or was dressed already: that needs no bytes.
    fn of(differences: &'a [Difference], expected: &Manifest, found: &Manifest) -> Option<Self> {
        let superfluous =
            |difference: &&Difference| matches!(difference.what, What::Unexpected | What::Content);
        let superfluous =
            differences.iter().filter(superfluous).map(|difference| &*difference.path).collect();
        let wanted = differences.iter().filter(|difference| difference.what != What::Unexpected);
        let time = |manifest: &Manifest, path: &[u8]| manifest.get(path).map(|entry| entry.mtime);
        let is_mode_only = |difference: &&Difference| {
            let path = &difference.path;
            difference.what == What::Attributes && time(expected, path) == time(found, path)
        };
        let wanted: HashSet<Vec<u8>> = wanted
            .filter(|difference| !is_mode_only(difference))
            .map(|difference| difference.path.clone())
            .collect();
        let missing = Self { superfluous, wanted };
        (!missing.wanted.is_empty() || !missing.superfluous.is_empty()).then_some(missing)
    }

    /// Folders always go along, since what arrives in them changes their times; and so do the further names of a file
    /// that is made anew.
    fn has(&self, entry: &Entry) -> bool {
        match &entry.kind {
            Kind::Folder => true,
            Kind::HardLink { to } => self.wanted.contains(&entry.path) || self.wanted.contains(to),
            _ => self.wanted.contains(&entry.path),
        }
    }
}

/// Sets the modes that the tree has, of folders that become closed last and from the leaves to the root: whoever is not
/// root must be able to get there.
fn dress(
    far: &mut Far,
    tree: &TreeThere,
    expected: &Manifest,
    found: &Manifest,
    cx: &mut Cx<'_>,
) -> Result<(), StepError> {
    let mut by_mode: BTreeMap<(Reverse<usize>, u32), Vec<&[u8]>> = BTreeMap::new();
    for entry in expected.entries() {
        let plain = matches!(entry.kind, Kind::File { .. } | Kind::Folder);
        if plain && found.get(&entry.path).is_some_and(|found| found.mode != entry.mode) {
            let depth = entry.path.split(|&byte| byte == b'/').count();
            let turn = Reverse(if entry.is_closed() { depth } else { usize::MAX });
            by_mode.entry((turn, entry.mode)).or_default().push(&entry.path);
        }
    }
    for ((_, mode), paths) in &by_mode {
        far.mode(tree, *mode, paths, cx)?;
    }
    Ok(())
}

fn damaged(step: &DeliverTree, first: &Difference, count: usize) -> StepError {
    let path = crate::display(&first.path);
    let what = match first.what {
        What::Missing => "is missing",
        What::Unexpected => "should not be there",
        What::Content => "holds something else",
        What::Attributes => "has another mode or time",
    };
    let message = format!(
        "{count} entries did not arrive on {} as they were sent; the first: {path} {what}",
        step.host
    );
    Cause::new("damaged", message).item()
}
