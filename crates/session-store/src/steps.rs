//! What a migration does to a store, as steps of the engine.

mod merge;
mod world;

pub use merge::{KeyedEntry, MergeEntries, Merged};
pub use world::StoreFiles;
