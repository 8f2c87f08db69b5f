//! Transcripts as a user has them, and what must not be lost of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arbitrary;
mod big;
mod corpus;
mod exactness;
mod exercise;
mod loaders;
mod oracle;
mod scanner;
mod session;
mod stitching;
mod support;
mod transcript;

/// As many cases as usual, or as `PROPTEST_CASES` says, so many times.
fn times(factor: u32) -> proptest::test_runner::Config {
    let usual = proptest::test_runner::Config::default();
    proptest::test_runner::Config { cases: usual.cases * factor, failure_persistence: None, ..usual }
}
