//! The tool as its users have it: a binary, a home, a database.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crash;
mod golden;
mod home;
mod life;
mod refusals;
mod transcripts;
mod unreadable;
mod worktrees;
