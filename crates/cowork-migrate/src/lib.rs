//! Moves a Claude Cowork session to another Windows profile.

mod bundle;
mod content;
mod drives;
mod effect;
mod existing;
mod extraction;
mod guard;
mod inventory;
mod judge;
mod lines;
mod links;
mod loads;
mod mapping;
mod moving;
mod options;
mod places;
mod plan;
mod rewriting;
mod scope;
mod settings;
mod sidecar;
mod step;
mod tool;
mod transcript;

pub use content::{Extracted, Made, Means, Original, Sources, Transcript};
pub use drives::Drive;
pub use effect::{Effect, Handles, Trace};
pub use options::{LinkHandling, Moved, Options, Verb};
pub use step::{MadeFolder, MakeFolder, PutAway, SidecarStep, WasPutAway};
pub use tool::{CoworkMigrate, Open};
