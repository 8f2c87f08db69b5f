//! JSONL transcripts at speed and byte-exact.

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
mod stitch;
mod unstitch;

pub use branch::Branch;
pub use decide::{Checked, Decision, Why, check, decide};
pub use index::{Index, RowNo};
pub use session_model::{Splice, SpliceError, Spliced, growth, reversed};
pub use stitch::{Edit, EditError, EditKind, LeftAlone, NoStitch, Options};
pub use unstitch::unstitch;

pub(crate) use id::Id;
pub(crate) use record::Flags;
