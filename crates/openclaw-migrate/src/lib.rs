//! Per-session JSON files of the Python OpenClaw become one store and a JSONL transcript for each session.
//!
//! The guide that its users follow shows a tool of this command line, which collides keys, drops fields, invents times,
//! overwrites newer data on its second run and says "success" over errors. This one has the same flags and a familiar
//! summary, and does none of that.
//!
//! ```
//! use migration_cli::{Exit, Streams, Surroundings};
//! use openclaw_migrate::OpenclawMigrate;
//!
//! # let place = tempfile::tempdir()?;
//! # std::fs::create_dir(place.path().join(".sessions"))?;
//! # std::fs::write(place.path().join(".sessions/s1.json"), concat!(
//! #     r#"{"session_id": "s1", "messages": [{"role": "user", "content": "hello", "timestamp": "2026-01-02T15:00:01"}],"#,
//! #     r#""metadata": {"label": "garden"}, "updated_at": "2026-01-02T15:00:01+00:00"}"#))?;
//! let here = Surroundings { cwd: place.path().into(), ..Surroundings::of_process()? };
//! let mut say = |line: &str| {
//!     let words = format!("openclaw-migrate --state-dir state {line}");
//!     let mut streams = Streams {
//!         stdin: &mut std::io::empty(), stdout: &mut std::io::sink(), stderr: &mut std::io::stderr(),
//!     };
//!     migration_cli::run(&OpenclawMigrate, words.split(' ').map(Into::into), &here, &mut streams)
//! };
//! assert_eq!(say("."), Exit::Done);
//! assert!(place.path().join(".sessions/sessions.json").exists());
//! assert!(place.path().join(".sessions/s1.jsonl").exists());
//! assert_eq!(say("verify"), Exit::Done);
//! assert_eq!(say("rollback"), Exit::Done);
//! assert!(!place.path().join(".sessions/sessions.json").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! Old session files have no lock: OpenClaw must be stopped, and a file that changes meanwhile fails. Whether real
//! OpenClaw's chat view shows `system` messages, and what is kept under `legacy`, is not known.

mod backup;
mod destination;
mod effect;
mod judge;
mod keys;
mod options;
mod plan;
mod session;
mod settings;
mod step;
mod tool;
mod words;

pub use effect::{Effect, Handles, Trace};
pub use options::{FormatName, Options};
pub use step::{BackUp, RemoveOriginal, Removed};
pub use tool::{Open, OpenclawMigrate};
