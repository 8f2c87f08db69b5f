//! Any bytes as a tar stream: nothing may panic, take memory without bound, or come to be outside of the folder.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/remote-transfer/tests/it/exercise.rs"]
mod exercise;

fuzz_target!(|input: &[u8]| drop(exercise::unpack_and_look(input)));
