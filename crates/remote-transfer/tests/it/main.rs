//! What a tree is made of, how it travels, and what arrives.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod delivering;
mod ends;
mod exercise;
mod far_failures;
mod fetching;
mod here;
mod names;
mod packing;
mod retiring;
mod sftp;
mod transports;
mod unpacking;
