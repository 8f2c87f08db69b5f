//! JSONL transcripts at speed and byte-exact: what an application would show of one, and the smallest edit after which it
//! shows all of it.
//!
//! # The model
//! A transcript is a file with one JSON object a line. Rows have a `uuid` and name their `parentUuid`, so they make a tree
//! whose chain from the last row to the first is the conversation. A *compaction* cuts that chain: it writes a *boundary*,
//! a row without parent, and a summary; what came before stays in the file and is no longer shown, unless the boundary
//! *preserves a segment* of it, named by its head and tail.
//!
//! * [`check`] reads a transcript once, keeps a few dozen bytes of each row (an [`Index`]), and says what each known loader
//!   of the application would show of it, and of every row that it would not, why ([`load`]).
//! * [`decide`] plans a *stitch*: rows that a compaction cut off get the row before it as their parent, ids that several
//!   rows share are told apart, and the last boundary preserves the whole chain. The result is a list of [`Edit`]s, each a
//!   few bytes in one line. It simulates the loaders on the edited file, and gives no edit that does not bring rows back.
//! * [`Spliced`] reads a file through a list of edits; [`reversed`] edits take them back, and [`unstitch`] does so in a file
//!   that has gone on since.
//!
//! Lines without an edit stay as they are, whatever they are; in a line with one, only the bytes of a value change. Nothing
//! is ever written again from a parsed value. [`json`] is the scanner that makes this quick.
//!
//! # Example
//! A session that was compacted once. Old builds hide what came before; with two edits they show it.
//! ```
//! use jsonl_stitch::load::{Limits, Loader};
//! use jsonl_stitch::{Options, Spliced, Why, check, decide};
//!
//! let transcript = concat!(
//!     r#"{"parentUuid":null,"type":"user","uuid":"a","message":{"content":"Draft a letter."}}"#, "\n",
//!     r#"{"parentUuid":"a","type":"assistant","uuid":"b","message":{"content":"Dear all, …"}}"#, "\n",
//!     r#"{"parentUuid":null,"logicalParentUuid":"b","type":"system","subtype":"compact_boundary","uuid":"c"}"#, "\n",
//!     r#"{"parentUuid":"c","type":"user","uuid":"b","message":{"content":"Shorter, please."}}"#, "\n",
//! )
//! .as_bytes();
//!
//! // `stem` is the name of the file without `.jsonl`: ids that are given anew derive from it.
//! let checked = check(transcript, "session", Limits::default())?;
//! let old = &checked.loads[0];
//! assert_eq!((old.loader, old.shown, old.of), (Loader::V1, 1, 3));
//! let (why, extent) = old.lost.first_key_value().unwrap();
//! assert_eq!((why.code(), extent.first_line, extent.last_line), ("cut/no-segment", 1, 2));
//!
//! let decision = decide(checked, &Loader::ALL, Options::default(), || Ok(transcript))?;
//! assert_eq!((decision.why, decision.edits.len()), (Why::Better, 2));
//! assert!(decision.after.iter().all(|load| load.is_whole()));
//!
//! // Any `Read` goes in, any `Write` takes what comes out.
//! let (splices, mut stitched) = (decision.splices(), Vec::new());
//! std::io::copy(&mut Spliced::new(transcript, &splices)?, &mut stitched)?;
//!
//! let again = check(&stitched[..], "session", Limits::default())?;
//! assert!(again.loads[0].is_whole());
//! let again = decide(again, &Loader::ALL, Options::default(), || Ok(&stitched[..]))?;
//! assert!(again.edits.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! * The loaders are simulations of two generations of a closed application, after what was observed of them; other builds
//!   may differ. What the newest builds show again of queued commands is counted, not simulated.
//! * A big file is searched for its last boundary in a window of its last bytes. Where that begins inside a line, the rest
//!   of this line is taken for no boundary, though after leading spaces or broken JSON it could be one.
//! * A single chain holds no branches: prompts that were edited and histories that were discarded stay hidden, and are
//!   named. A parent that is not in the file is replaced by the row before, which is a guess and said to be one
//!   ([`EditKind::Gap`]).
//! * Ids are strings that are not empty; another value in the place of an id counts as none.
//! * At most 2³² − 2 rows in 2⁴⁸ bytes. The memory for an edit is not bounded by that for a row: edits are data.
//! * A file that changes while it is read is noticed only where a line to be edited no longer reads as it did, or the size
//!   differs. Whoever edits in place compares digests.

mod bits;
mod branch;
mod decide;
mod fresh;
mod id;
mod index;
pub mod json;
pub mod load;
mod pieces;
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
