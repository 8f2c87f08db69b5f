//! The screen: what stands on it, what its keys do, and what they never do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod asking;
mod far;
mod random;
mod scene;
mod screens;
mod svg;
mod terminal;
mod tmux;
