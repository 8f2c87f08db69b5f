//! The tool as its users have it: a binary, and transcripts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crash;
mod folder;
mod life;
mod refusals;
