//! Makes a Claude Cowork transcript load whole again.
mod check;
mod effect;
mod loads;
mod options;
mod plan;
mod tool;
mod transcript;
mod unstitch;

pub use effect::{Effect, Handles, Trace};
pub use options::{Options, Target, Verb};
pub use tool::{CoworkStitch, Open};
