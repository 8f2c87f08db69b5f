//! Moves what the TypeScript agent-orchestrator left in flat files into the database of its rewrite, and each Claude
//! transcript to where the rewrite's worktree will look for it.
//!
//! With the daemon stopped, one command puts every project, its settings and every session that has not ended into
//! `ao.db`, so that `claude --resume` goes on with the whole conversation. The plan is a pure function
//! ([`mapping::map`]) of what was read and of what the database holds; the run is journaled, and `undo` takes it back.
//!
//! ```
//! use ao_migrate::mapping::{Existing, Settings, map};
//! use legacy_readers::ao;
//!
//! # let home = tempfile::tempdir()?;
//! # let home = camino::Utf8PathBuf::from_path_buf(home.path().to_path_buf()).unwrap();
//! let survey = ao::read(&ao::Options {
//!     state_root: ao::Source::by_default(home.join(".agent-orchestrator")),
//!     config: ao::Source::by_default(home.join(".agent-orchestrator/config.yaml")),
//!     home,
//! })?;
//! let settings = Settings {
//!     schema: 12,
//!     restorable: false,
//!     selected: None,
//!     worktrees: "/home/kim/.ao/data/worktrees".into(),
//!     resolve: &|path| path.to_owned(),
//! };
//! let mapped = map(&survey, &Existing::default(), &settings);
//! assert!(mapped.sessions.is_empty(), "there was nothing to read");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! Terminated sessions, archives, reviews, notifications and global settings have no home in the rewrite and stay where
//! they are. Schema versions other than 12 to 19 are refused. Records inside a transcript keep naming the old
//! directory, which resuming by id does not mind.
//!
//! A dry run neither asks who has the database open, beyond the daemon's run file, nor tries a row out in it: both would
//! leave traces beside it. What else a run would refuse it refuses. Claude's own folders are not tried for writing.

mod daemon;
mod database;
mod effect;
mod judge;
pub mod mapping;
mod options;
mod places;
mod plan;
mod resume_folder;
mod tool;
mod transcripts;
mod worktree;

pub use effect::{Effect, Trace};
pub use options::Options;
pub use places::Places;
pub use tool::AoMigrate;
