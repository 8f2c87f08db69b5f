//! Migrations that a kill at any moment cannot harm.
//!
//! A migration is a [`Plan`]: items, each in exactly one bucket, and [`Step`]s in lanes of waves. A step is plain data
//! that says what it expects to find and what it promises to leave; it is *staged* (long, invisible, repeatable),
//! recorded in a journal, then *published* (short, atomic). [`Run::apply`] does what is not done yet, whether it is
//! called for the first time or after a crash; [`Run::undo`] takes everything back after looking at all of it;
//! [`Run::verify`] says whether what was left still stands. The [`Receipt`] shows that every input ended in exactly
//! one bucket.
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//! use durable_files::Fingerprint;
//! use migration_engine::steps::{Files, InstallFile};
//! use migration_engine::*;
//! use session_model::{Finding, InputId, Timestamp};
//!
//! struct Here;
//! impl Worlds<InstallFile> for Here {
//!     fn world(&self, _lane: usize) -> Result<Files, StepError> { Ok(Files::default()) }
//!     fn judge(&self, _world: &mut Files, _item: &Item) -> Vec<Finding> { Vec::new() }
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! let (source, target) = (folder.path().join("old.jsonl"), folder.path().join("new/home.jsonl"));
//! std::fs::write(&source, "months of conversation")?;
//!
//! // The plan: what will happen, as data.
//! let input = InputId::new("transcript", source.display().to_string());
//! let item = Item::new(input.clone(), "old", Outcome::plain(Bucket::Migrated));
//! let step = InstallFile::plan(&source, Fingerprint::of_file(&source)?, &target);
//! let header = Header {
//!     tool: "example".into(),
//!     version: "0.1.0".into(),
//!     blocks: vec![Block { kind: "transcript".into(), title: "transcripts".into(), inputs: 0 }],
//!     locks: vec![folder.path().into()],
//!     concerns: Vec::new(),
//!     settings: serde_json::Value::Null,
//!     partial: false,
//!     findings: vec![],
//! };
//! let wave = Wave::publish(vec![Task { item: Some(ItemId(0)), step }]);
//! let plan = Plan::new(header, &[input], vec![item], vec![vec![wave]])?;
//!
//! // The run: journaled, and taken back again.
//! let cx = Cx { stop: &AtomicBool::new(false), progress: &NoProgress, now: Timestamp::now };
//! let root = StateRoot::at(folder.path().join("state"));
//! let locks = TargetLocks::take(&plan.header.locks)?;
//! let run = Run::create(&root, RunId::new((cx.now)(), 0), plan, locks, (cx.now)())?;
//! let receipt = run.apply(&Here, 1, &cx)?;
//! assert_eq!(receipt.summary().migrated, 1);
//! assert!(target.exists());
//! run.undo(&Here, Changed::Refuse, &cx)?;
//! assert!(!target.exists() && source.exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! An item has all its steps in one lane. Commands that have no undo (starting or killing something) are not steps. On
//! network file systems the locks on targets may not exclude other machines. Plan and evidence are held in memory: a
//! few hundred bytes a step, and about as much for each file of a folder that is one step.
//!
//! Files that are written belong to whoever runs the program, without extended attributes and ACLs. Names of one file
//! (hard links) become files of their own: the entries of a [`steps::InstallTree`], a file that [`steps::SpliceFile`]
//! changes. A folder is put together under a name some thirty bytes longer than its own, which paths near the limit of
//! the system do not allow. What a program that holds the old file of a splice open writes to it after it is removed is
//! lost, and so is what one writes to a folder of ours that is being removed.

#[doc(hidden)]
pub use serde;

// `compose_steps!` names this crate by its own name, inside it (documentation and tests) as well as outside.
extern crate self as migration_engine;

mod compose;
mod ids;
mod journal;
mod outcome;
mod plan;
mod plan_file;
mod progress;
mod receipt;
mod room;
mod run;
mod state_root;
mod step;
pub mod steps;
mod worlds;

pub use ids::{NotARunId, RunId};
pub use journal::{Changed, Damaged, FORMAT, History, JournalError, Phase, Record};
pub use outcome::{Bucket, Outcome, Sums};
pub use plan::{Block, Header, Item, ItemId, Lane, Plan, PlanError, Task, Wave, WaveKind};
pub use plan_file::PlanFileError;
pub use progress::{NoProgress, Progress};
pub use receipt::{Receipt, Verdict};
pub use room::{RoomError, check_room};
pub use run::{ApplyError, CreateError, Drift, ForgetError, OpenError, Run, TargetLocks, UndoError};
pub use state_root::{Listed, ReadRunError, RunSummary, StateRoot};
pub use step::{Cause, Cost, Cx, Look, Slot, State, Step, StepError, World, perform};
pub use worlds::Worlds;
