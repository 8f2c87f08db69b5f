//! What every tool of the house shares at the terminal, so that a tool's `main.rs` is one line of code and its `lib.rs`
//! only plans and judges.
//!
//! A tool says what it is by implementing [`Tool`]: its options, the folders to lock, its plan, and how to open the
//! worlds of an earlier run again. [`run`] does the rest, in one order: understand the command line, lock the targets,
//! refuse to begin over an interrupted run, let the tool look and plan, and then show the plan, or write it down and
//! carry it out, look at what it left, and report. `verify`, `undo`, `resume`, `runs`, `completions` and `man` come
//! with it; so do the report as text and as JSON (docs/report.schema.json), the exit codes ([`Exit`],
//! docs/exit-codes.md), hints, progress bars and signals.
//!
//! Only here are the environment, the terminal and the clock touched: once, in [`main`], as [`Surroundings`] and
//! [`Streams`]. A test passes its own.
//!
//! ```
//! use std::path::{Path, PathBuf};
//! use durable_files::{Fingerprint, PathText};
//! use migration_cli::{Ask, Exit, Mode, NoVerbs, Prepared, Purpose, Refusal, Streams, Surroundings, Tool};
//! use migration_engine::steps::{Files, InstallFile};
//! use migration_engine::*;
//! use session_model::{Finding, InputId};
//!
//! /// Copies one file.
//! struct CopyFile;
//!
//! #[derive(clap::Args)]
//! struct Options {
//!     /// The file to copy
//!     #[arg(long)]
//!     from: Option<PathBuf>,
//!     /// The folder to copy it to
//!     #[arg(long)]
//!     to: Option<PathBuf>,
//! }
//!
//! struct Here;
//! impl Worlds<InstallFile> for Here {
//!     fn world(&self, _lane: usize) -> Result<Files, StepError> { Ok(Files::default()) }
//!     fn judge(&self, _world: &mut Files, _item: &Item) -> Vec<Finding> { Vec::new() }
//! }
//!
//! fn needed(option: &Option<PathBuf>, here: &Surroundings) -> Result<PathBuf, Refusal> {
//!     let missing = || Refusal::usage("missing-option", "--from and --to are needed", "copy-file --from FILE --to DIR");
//!     option.as_ref().map(|path| here.absolute(path)).ok_or_else(missing)
//! }
//!
//! impl Tool for CopyFile {
//!     type Options = Options;
//!     type Verb = NoVerbs;
//!     type Step = InstallFile;
//!     type Worlds = Here;
//!     const NAME: &'static str = "copy-file";
//!     const VERSION: &'static str = "1.0.0";
//!     const ABOUT: &'static str = "Copies a file.";
//!
//!     fn targets(&self, ask: Ask<'_, Self>, here: &Surroundings) -> Result<Vec<PathText>, Refusal> {
//!         Ok(vec![needed(&ask.options.to, here)?.into()])
//!     }
//!
//!     fn prepare(&self, ask: Ask<'_, Self>, _: Mode, here: &Surroundings, cx: &Cx<'_>) -> Result<Prepared<Self>, Refusal> {
//!         let options = ask.options;
//!         let (source, to) = (needed(&options.from, here)?, needed(&options.to, here)?);
//!         let target = to.join("copy");
//!         let input = InputId::new("file", source.display().to_string());
//!         let mut item = Item::new(input.clone(), "the file", Outcome::plain(Bucket::AlreadyPresent));
//!         let mut tasks = Vec::new();
//!         if InstallFile::compare(&source, &target, cx)? == State::Pending {
//!             item.planned = Outcome::plain(Bucket::Migrated);
//!             let step = InstallFile::plan(&source, Fingerprint::of_file(&source)?, &target);
//!             tasks.push(Task { item: Some(ItemId(0)), step });
//!         }
//!         let header = Header {
//!             tool: String::new(), // the driver knows it, and the version and the locks
//!             version: String::new(),
//!             blocks: vec![Block { kind: "file".into(), title: "files".into(), inputs: 0 }],
//!             locks: vec![],
//!             concerns: Vec::new(),
//!             settings: serde_json::Value::Null,
//!             partial: false,
//!             findings: vec![],
//!         };
//!         let plan = Plan::new(header, &[input], vec![item], vec![vec![Wave::publish(tasks)]]).expect("one input, one item");
//!         Ok(Prepared { plan, worlds: Here })
//!     }
//!
//!     fn worlds(&self, _: &Header, _: &Path, _: &Options, _: Purpose, _: &Surroundings) -> Result<Here, Refusal> {
//!         Ok(Here)
//!     }
//! }
//!
//! // fn main() -> std::process::ExitCode { migration_cli::main(&CopyFile) }
//!
//! # let folder = tempfile::tempdir()?;
//! # std::fs::write(folder.path().join("story"), "months of conversation")?;
//! # std::fs::create_dir(folder.path().join("new"))?;
//! let here = Surroundings { cwd: folder.path().into(), ..Surroundings::of_process()? };
//! let mut out = Vec::new();
//! let mut say = |line: &str| {
//!     let words = format!("copy-file --state-dir state {line}");
//!     let mut streams =
//!         Streams { stdin: &mut std::io::empty(), stdout: &mut out, stderr: &mut std::io::stderr() };
//!     migration_cli::run(&CopyFile, words.split(' ').map(Into::into), &here, &mut streams)
//! };
//! assert_eq!(say("--from story --to new"), Exit::Done);
//! assert!(folder.path().join("new/copy").exists());
//! assert_eq!(say("undo"), Exit::Done);
//! assert!(!folder.path().join("new/copy").exists());
//! assert!(String::from_utf8(out)?.contains("done: 1 of 1 item migrated"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! Options of a migration cannot be required arguments: a tool refuses what it misses itself. Plan and report are held
//! in memory. `runs gc` and `runs forget` look after the runs of the tool that is asked; those of other tools are only
//! listed.

mod arguments;
#[cfg(test)]
mod child;
mod driver;
mod escape;
mod exit;
mod generate;
mod misunderstood;
mod place;
mod process;
mod progress;
mod refusal;
mod report;
mod settings;
mod speak;
#[cfg(feature = "ssh")]
mod ssh;
mod stop;
mod surroundings;
mod tool;

pub use driver::{Migrated, migrate_within, run, size_of};
pub use escape::shell_word;
pub use exit::Exit;
pub use process::main;
pub use refusal::Refusal;
pub use settings::settings_of;
#[cfg(feature = "ssh")]
pub use ssh::{SshOptions, TransportName, is_it_up};
pub use stop::{Signal, Stop};
pub use surroundings::{Streams, Surroundings, Terminals};
pub use tool::{
    Act, Ask, Deed, Listed, Listing, Mode, NoVerbs, Prepared, Purpose, Question, TakeOver, Tool, Verbs, Words,
};
