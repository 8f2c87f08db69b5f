//! The tool as its users have it: a binary, and a disk of a Windows machine with two users.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod again;
mod crash;
mod far;
mod golden;
mod guide;
mod moving;
mod reapply;
mod refusals;
mod undo;
mod verbs;
mod verify;
mod world;
