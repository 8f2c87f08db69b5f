//! Sessions worked with from a script: what is on the disk and in the engine afterwards, and what was said of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agents;
mod attaching;
mod ending;
mod engines;
mod guide;
mod life;
mod listing;
mod movers;
mod moves;
mod originals;
mod place;
mod serving;
mod stops;
mod telling;
mod two;
mod waiting;
