//! OpenClaw's JSON session stores: one `sessions.json` that says which sessions there are, one transcript for each.
//!
//! A program that lives with a store [opens](Store::open) it, [lists](Store::list) its sessions, [previews](Store::preview)
//! one, and [updates](Store::update) what it says of one: under the lock that the applications know, and with every byte kept
//! that it does not mean to change.
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//! use session_store::{Filter, Format, NewEntry, Patience, Store};
//! # let workspace = tempfile::tempdir()?;
//! # let workspace = workspace.path();
//!
//! let store = Store::open(Format::Python.folder(workspace, "main"), Format::Python);
//! let metadata = Some(r#"{"label": "garden plan", "plot": "north"}"#); // `plot` is nothing an entry has
//! let entry = NewEntry { session_id: "s1", updated_at: 1_767_366_300_000, session_file: "s1.jsonl", metadata };
//! let key = "agent:main:telegram:dm:u9";
//! store.update(&Patience::default(), &AtomicBool::new(false), |entries| {
//!     entries.insert(key, &entry)?;
//!     entries.set(key, "display_name", &"Garden".into())
//! })?;
//!
//! let found = store.list(&Filter { channel: Some("telegram".into()), ..Filter::default() })?;
//! assert_eq!(found.sessions[0].text("label").as_deref(), Some("garden plan"));
//! assert!(store.preview(&found.sessions[0], 3)?.messages.is_empty()); // it has no transcript yet
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A migration makes [entries](NewEntry) and [transcripts](transcript), and adds them to a store with the steps
//! [`InstallTranscript`] and [`MergeEntries`], which an undo takes out of the store as others have it by then.
//!
//! # Limitations
//! The newest OpenClaw keeps its sessions in a database and reads such a store only to import it. [`Held`] keeps out who
//! follows either of the two protocols, not who follows none; on a file system without `flock` there is no lock to be had,
//! and one without nameless files may keep a killed program's lock for half a minute. What a program that heeds no lock
//! writes while [`StoreFiles`] puts a new store in its place is put back, unless that moment is also that of a kill: then
//! it stays beside the store. A store is held in memory whole; of
//! a transcript [`Store::preview`] reads what the messages take.

mod backwards;
mod cache;
mod document;
mod entry;
mod fields;
mod format;
mod identity;
mod key;
mod lock;
mod object;
mod preview;
mod session;
mod spelling;
mod steps;
mod store;
mod time;
pub mod transcript;
mod update;

pub use cache::CachedStore;
pub use document::{Document, DocumentError, EditError};
pub use entry::{BuiltEntry, Left, NewEntry, Why};
pub use fields::{FIELDS, Field, Kind};
pub use format::{Format, STORE};
pub use identity::{Identity, NotAnEntry};
pub use key::{AgentId, NotAnAgentId, Route, RoutingKey, default_key, full_key, is_session_id};
pub use lock::{Held, LOCK, LockError, Patience};
pub use preview::{Message, Preview};
pub use session::{Filter, Session};
pub use spelling::{says_all_of, says_the_same};
pub use steps::{Before, InstallTranscript, KeyedEntry, MergeEntries, Merged, StoreFiles};
pub use store::{LoadError, Loaded, Store};
pub use update::{ChangeError, Entries, UpdateError};
