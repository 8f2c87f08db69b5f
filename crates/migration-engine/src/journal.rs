//! The record of a run: enough to finish it or take it back after any crash.

mod file;
mod frame;
mod record;

pub use file::JournalError;
pub(crate) use file::{Journal, read};
pub use frame::Damaged;
pub use record::{Changed, FORMAT, History, Phase, Record};
