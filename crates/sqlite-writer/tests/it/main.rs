//! What somebody would lose if a promise of this crate were broken.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arbitrary;
mod inserting;
mod killing;
mod no_room;
mod odd_schemas;
mod opening;
mod peeking;
mod settling;
mod snapshots;
mod support;
mod undoing;
