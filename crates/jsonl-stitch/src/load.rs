//! What the application would show of a transcript: its loaders, simulated.
//!
//! A loader first decides which bytes it reads (*layer 1*), then which of their rows it shows (*layer 2*). Two generations
//! are known. A [`Simulation`] says of every row of the file whether it is shown, and if not, why; a [`Load`] counts.

mod fate;
mod layer1;
mod layer2;
mod report;
mod simulation;
mod summary;
mod walk;

pub use fate::{Fate, Hidden, Loss};
pub use layer1::Strategy;
pub use report::{Promised, by_loader, keeps};
pub use simulation::Simulation;
pub use summary::{Extent, Load};
pub use walk::WalkFailure;

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
    /// Later builds: the same, but a file that is small enough to be read whole is shown whole.
    V2,
}

impl Loader {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// The limits of the loaders. [`Default`] has those of the application; tests make them small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files up to this many bytes are read whole.
    pub big: u64,
    /// How many bytes from the end of a bigger file the last boundary is looked for; not more than `big`.
    pub window: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { big: BIG, window: WINDOW }
    }
}
