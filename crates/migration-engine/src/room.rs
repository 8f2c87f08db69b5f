//! Room first: what a plan takes of every destination, against what is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use durable_files::{FileError, Room, room_at};

use crate::{Plan, Step};

/// A destination without enough room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not enough room at {}: the plan needs {bytes} bytes in {inodes} files, {} bytes and {} files are free",
    at.display(), free.bytes, free.inodes
)]
pub struct Shortage {
    /// Some place on the file system in question.
    pub at: PathBuf,
    /// What the plan needs there, in bytes.
    pub bytes: u64,
    /// What the plan needs there, in files and folders.
    pub inodes: u64,
    /// What is free.
    pub free: Room,
}

/// Why a plan may not begin.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// There is not enough room.
    #[error(transparent)]
    Short(#[from] Shortage),
    /// A destination could not be asked.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Checks every destination of a plan, and the state root for its journal, before the first write.
///
/// A wave is staged whole before it is published, and a replaced file is kept: so nothing is counted as freed.
pub fn check_room<S: Step>(plan: &Plan<S>, state_root: &Path) -> Result<(), RoomError> {
    let mut needs: BTreeMap<u64, (PathBuf, Room, u64, u64)> = BTreeMap::new();
    let mut need = |at: &Path, bytes: u64, inodes: u64| -> Result<(), FileError> {
        let free = room_at(at)?;
        let entry = needs.entry(free.device).or_insert_with(|| (at.to_path_buf(), free, 0, 0));
        entry.2 = entry.2.saturating_add(bytes);
        entry.3 = entry.3.saturating_add(inodes);
        Ok(())
    };
    let mut folders: BTreeMap<PathBuf, (u64, u64)> = BTreeMap::new();
    for task in plan.tasks() {
        let cost = task.step.cost();
        let (bytes, inodes) = folders.entry(cost.at.unwrap_or_else(|| state_root.to_path_buf())).or_default();
        *bytes = bytes.saturating_add(cost.bytes);
        *inodes = inodes.saturating_add(cost.inodes);
    }
    for (at, (bytes, inodes)) in &folders {
        need(at, *bytes, *inodes)?;
    }
    need(state_root, journal_estimate(plan), 4)?;
    for (at, free, bytes, inodes) in needs.into_values() {
        if bytes > free.bytes || inodes > free.inodes {
            return Err(Shortage { at, bytes, inodes, free }.into());
        }
    }
    Ok(())
}

/// Two kilobytes an item, a step and a file of it, for plan, journal and lists together: twice what has been measured.
fn journal_estimate<S: Step>(plan: &Plan<S>) -> u64 {
    let files = plan.tasks().map(|task| task.step.cost().inodes.max(1));
    2048_u64.saturating_mul(files.fold(1 + plan.items.len() as u64, u64::saturating_add))
}
