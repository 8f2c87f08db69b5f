//! Any transcript: what was JSON is JSON after a rewriting, at every depth, and what was not is as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/transcript-relocate/tests/rewrite/exercise.rs"]
mod exercise;

fuzz_target!(|input: &[u8]| exercise::rewrite_anything(input));
