//! What a migration does to a store, as steps of the engine.

mod commit;
mod merge;
mod standing;
mod transcript;
mod world;

pub use merge::{Before, KeyedEntry, MergeEntries, Merged};
pub use transcript::InstallTranscript;
pub use world::StoreFiles;
