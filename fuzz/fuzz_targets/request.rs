//! Any bytes as a question to an agent: one line of JSON comes back.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/session-control/tests/it/exercise.rs"]
mod exercise;

fuzz_target!(|input: &[u8]| exercise::ask(input));
