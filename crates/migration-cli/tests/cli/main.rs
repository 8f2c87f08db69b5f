//! A whole tool at the terminal, in-process: what it prints, how it ends, and what it leaves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bringing;
mod deeds;
mod errors;
mod exit_codes;
mod outputs;
mod place;
mod reports;
mod running;
mod runs;
mod toy;
mod undoing;
mod unfinished;
mod verbs;
