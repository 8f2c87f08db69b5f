//! What a program that lives with such a store relies on.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod transcript;
