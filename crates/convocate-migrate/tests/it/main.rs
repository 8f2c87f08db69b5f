//! Sessions moved to an agent through a stock sshd.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod asking;
mod clearing;
mod compressing;
mod containers;
mod crash;
mod golden;
mod guide;
mod hosts;
mod large;
mod listing;
mod moving;
mod network;
mod refusals;
mod users;
