//! OpenClaw's JSON session stores: one `sessions.json` that says which sessions there are, one transcript for each.
//!
//! ```
//! use std::path::Path;
//! use session_store::Format;
//!
//! let workspace = Path::new("/home/ada/.openclaw");
//! assert_eq!(Format::Python.folder(workspace, "main"), workspace.join(".sessions"));
//! assert_eq!(Format::OpenClaw.folder(workspace, "main"), workspace.join("agents/main/sessions"));
//! assert_eq!(Format::OpenClaw.spelled("last_thread_id"), "lastThreadId");
//! ```
//!
//! # Limitations
//! The newest OpenClaw keeps its sessions in a database and reads such a store only to import it.

mod format;
mod spelling;
mod time;
pub mod transcript;

pub use format::{Format, STORE};
