//! An image, told in pieces: opened, walked and read to its end. Nothing may panic, hang, or take memory without bound.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/vhdx-reader/tests/it/exercise.rs"]
mod exercise;

fuzz_target!(|input: &[u8]| {
    if let Some(image) = exercise::Sparse::parse(input) {
        exercise::everything(Box::new(image));
    }
});
