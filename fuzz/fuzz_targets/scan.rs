//! Any bytes: the scanner finds in them what `serde_json` finds, or nothing where that finds nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/jsonl-stitch/tests/it/exercise.rs"]
#[allow(dead_code)]
mod exercise;

fuzz_target!(|input: &[u8]| exercise::agree(input));
