//! Agents asked through a stock sshd, and a container engine of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arbitrary;
mod asking;
mod attaching;
mod cluster;
mod containers;
mod dns;
mod exchanging;
mod exercise;
mod guide;
mod leaving;
mod living;
mod local;
mod model;
mod remote;
mod scripted;
