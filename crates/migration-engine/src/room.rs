//! Room first: what a plan takes of every destination, against what is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use durable_files::{FileError, Room, Shortage, room_at};

use crate::{Plan, Step};

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
    let mut needs: BTreeMap<u64, Need> = BTreeMap::new();
    let mut need = |at: &Path, bytes: u64, inodes: u64| -> Result<(), FileError> {
        let free = room_at(at)?;
        let new = || Need { at: at.to_path_buf(), free, bytes: 0, inodes: 0 };
        let total = needs.entry(free.device).or_insert_with(new);
        total.bytes = total.bytes.saturating_add(bytes);
        total.inodes = total.inodes.saturating_add(inodes);
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
    for Need { at, free, bytes, inodes } in needs.into_values() {
        free.must_hold(&at, bytes, inodes)?;
    }
    Ok(())
}

/// What a plan takes of one file system.
struct Need {
    at: PathBuf,
    free: Room,
    bytes: u64,
    inodes: u64,
}

/// Two kilobytes an item, a step and a file of it, for plan, journal and lists together: twice what has been measured.
fn journal_estimate<S: Step>(plan: &Plan<S>) -> u64 {
    let files = plan.tasks().map(|task| task.step.cost().inodes.max(1));
    2048_u64.saturating_mul(files.fold(1 + plan.items.len() as u64, u64::saturating_add))
}
