//! JSONL transcripts at speed and byte-exact.

#![allow(missing_docs, dead_code)]

mod bits;
mod branch;
mod decide;
mod fresh;
mod id;
mod index;
pub mod json;
pub mod load;
mod record;
mod scan;
pub mod stitch;
mod unstitch;

pub use branch::Branch;
pub use decide::{Checked, Decision, Why, check, count_kinds, decide};
pub use id::Id;
pub use index::{Index, RowNo};
pub use record::Flags;
pub use session_model::{Splice, SpliceError, Spliced, growth, reversed};
pub use unstitch::{size_before, unstitch};
