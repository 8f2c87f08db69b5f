//! Any bytes as a `sessions.json`: read as others read it, and changed without losing a byte.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/session-store/tests/it/exercise.rs"]
#[allow(dead_code)]
mod exercise;

fuzz_target!(|input: &[u8]| exercise::edit(input));
