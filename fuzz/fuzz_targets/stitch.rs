//! Any transcript: a stitch never panics, never loses a row, is whole after one run, and can be taken back to the byte.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/jsonl-stitch/tests/it/exercise.rs"]
#[allow(dead_code)]
mod exercise;

fuzz_target!(|input: &[u8]| exercise::stitch_and_take_back(input));
