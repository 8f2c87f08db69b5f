//! Images as the tools make them, and as crashes, torn copies and flipped bits leave them.

// The trees that go into the images hold names and files that only a Unix can have.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod build;
mod corpus;
mod damage;
mod exercise;
mod fixture;
mod formats;
mod journal;
mod layout;
mod log;
mod names;
mod second_opinion;
mod walking;
