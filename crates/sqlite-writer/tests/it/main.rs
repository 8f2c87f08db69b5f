//! What somebody would lose if a promise of this crate were broken.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod inserting;
mod killing;
mod opening;
mod peeking;
mod support;
mod undoing;
