//! Makes a Claude Cowork transcript load whole again.
//!
//! The application shows of a long conversation what its loaders find: after a compaction often only the newest
//! messages. `check` says for each generation of them what is shown and what is not, and why; the bare tool changes a
//! few ids and parents in place, so that all of it is; `undo` takes that back byte for byte, and `unstitch` does so for a
//! session that has gone on since. What is decided and why is the business of `jsonl_stitch`; here it becomes a
//! journaled run.
//!
//! ```
//! use cowork_stitch::CoworkStitch;
//! use migration_cli::{Exit, Streams, Surroundings};
//!
//! # let folder = tempfile::tempdir()?;
//! # std::fs::write(folder.path().join("session.jsonl"), concat!(
//! #     r#"{"type":"user","uuid":"a","parentUuid":null,"message":{"content":"hello"}}"#, "\n",
//! #     r#"{"type":"system","subtype":"compact_boundary","uuid":"b","parentUuid":null}"#, "\n",
//! #     r#"{"type":"user","uuid":"c","parentUuid":"b","message":{"content":"go on"}}"#, "\n"))?;
//! let here = Surroundings { cwd: folder.path().into(), ..Surroundings::of_process()? };
//! let mut say = |line: &str| {
//!     let words = format!("cowork-stitch --state-dir state {line}");
//!     let mut streams = Streams {
//!         stdin: &mut std::io::empty(), stdout: &mut std::io::sink(), stderr: &mut std::io::stderr(),
//!     };
//!     migration_cli::run(&CoworkStitch, words.split(' ').map(Into::into), &here, &mut streams)
//! };
//! assert_eq!(say("check session.jsonl"), Exit::Unverified); // one message is hidden
//! assert_eq!(say("session.jsonl"), Exit::Done);
//! assert_eq!(say("check session.jsonl"), Exit::Done);
//! assert_eq!(say("undo"), Exit::Done);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! What the application would show is simulated, as `jsonl_stitch` tells. That somebody else has a transcript open is
//! seen on Linux, of the same user's processes, and on Windows; that it is being written to, by its size and time before
//! and after it was read.

mod check;
mod edits;
mod effect;
mod options;
mod plan;
mod tool;
mod transcript;
mod unstitch;

pub use effect::{Effect, Trace};
pub use options::{Options, Target, Verb};
pub use tool::{CoworkStitch, Open};
