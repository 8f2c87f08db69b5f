//! What the application would show of a transcript: its loaders, simulated.
//!
//! A loader first decides which bytes it reads (`layer 1`), then which of their rows it shows (`layer 2`). Two generations
//! are known. [`simulate`] says for every row of the file whether it is shown, and if not, why.

mod bytes;
mod chain;
mod report;
mod rows;

use crate::Index;

pub(crate) use bytes::last_boundary_in_reach;
pub use bytes::{ReadRange, Strategy};
pub use chain::WalkFailure;
pub use report::{Extent, Fate, Hidden, Load, Loss};

/// Files up to this size are read whole: 50 MiB.
pub const BIG: u64 = 50 << 20;

/// How far from the end of a bigger file the last boundary is looked for: 30 MiB.
pub const WINDOW: u64 = 30 << 20;

/// A generation of the application's loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loader {
    /// Builds of early 2026: what lies before the last boundary is hidden unless a preserved segment keeps it.
    V1,
    /// Later builds: the same, but a file that is read whole is shown whole.
    V2,
}

impl Loader {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];
}

/// Limits of a loader, which tests may make small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files up to this size are read whole.
    pub big: u64,
    /// How far from the end of a bigger file the last boundary is looked for.
    pub window: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { big: BIG, window: WINDOW }
    }
}

/// What a loader would show of a transcript. `stem` is the name of its file without `.jsonl`: ids that a stitch gave anew
/// are known by it.
pub fn simulate(index: &Index, stem: &str, loader: Loader, limits: Limits) -> Load {
    let read = bytes::read_range(index, loader, limits);
    let rows = rows::load(index, &read, loader);
    report::report(index, stem, loader, &read, &rows)
}
