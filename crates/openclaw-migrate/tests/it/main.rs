//! The tool as its users have it: a binary, and a workspace of session files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod again;
mod asking;
mod crash;
mod disks;
mod golden;
mod guide;
mod hostile;
mod judge;
mod locked;
mod meanwhile;
mod troubled;
mod undo;
mod world;
