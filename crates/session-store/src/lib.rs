//! OpenClaw's JSON session stores: one `sessions.json` that says which sessions there are, one transcript for each.
//!
//! ```
//! use session_store::{AgentId, Document, Format, NewEntry, default_key};
//!
//! let agent = AgentId::parse("main")?;
//! let id = "0b7f6c1e-3a52-4d0e-9c55-7d1f2e6a9b10";
//! let file = format!("{id}.jsonl");
//! let metadata = Some(r#"{"label": "garden plan", "plot": "north"}"#);
//! let entry = NewEntry { session_id: id, updated_at: 1_767_366_300_000, session_file: &file, metadata };
//! let built = entry.build(Format::Python);
//! assert_eq!(built.copied, ["label"]); // `plot` is nothing an entry has
//!
//! let store = Document::parse(b"{}\n")?;
//! let grown = store.with_new_entries([(&*default_key(&agent, id), &*built.text)]);
//! assert!(grown.starts_with(b"{\n  \"agent:main:0b7f6c1e\": {\n    \"session_id\": \"0b7f6c1e-"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! The newest OpenClaw keeps its sessions in a database and reads such a store only to import it. [`Held`] keeps out who
//! follows either of the two protocols, not who follows none; on a file system without `flock` there is no lock to be had,
//! and one without nameless files may keep a killed program's lock for half a minute.

mod document;
mod entry;
mod fields;
mod format;
mod identity;
mod key;
mod lock;
mod object;
mod spelling;
mod steps;
mod time;
pub mod transcript;

pub use document::{Document, DocumentError, EditError};
pub use entry::{BuiltEntry, Left, NewEntry, Why};
pub use fields::{FIELDS, Field, Kind};
pub use format::{Format, STORE};
pub use identity::{Identity, NotAnEntry};
pub use key::{AgentId, NotAnAgentId, Route, RoutingKey, default_key, full_key, is_session_id};
pub use lock::{Held, LOCK, LockError, Patience};
pub use spelling::{says_all_of, says_the_same};
pub use steps::{KeyedEntry, MergeEntries, Merged, StoreFiles};
