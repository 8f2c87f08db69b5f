//! JSONL transcripts at speed and byte-exact.

#![allow(missing_docs, dead_code)]

mod id;
mod index;
pub mod json;
mod record;
mod scan;

pub use id::Id;
pub use index::{Index, RowNo};
pub use record::Flags;
