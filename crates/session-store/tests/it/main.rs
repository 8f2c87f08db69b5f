//! What a program that lives with such a store relies on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod documents;
mod exercise;
mod living;
mod locks;
mod merging;
mod transcript;
