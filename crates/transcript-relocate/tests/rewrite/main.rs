//! What becomes of the places that a session names.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod classes;
mod corpus;
mod exercise;
mod forms;
mod kit;
mod properties;
mod reference;
mod streams;
