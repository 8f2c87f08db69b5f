//! The project's own chores, each a verb: `cargo xtask <verb>`.
//!
//! # Limitations
//! They are for developers on Linux with the Rust toolchain; `test` and `windows` install what they need on Debian and Ubuntu only.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "chores talk to their developer")]

mod bench;
mod canary;
mod ci;
mod demo;
mod dist;
mod fuzz;
mod golden;
mod packages;
mod shell;
mod test;
mod tidy;
mod windows;

use std::process::ExitCode;

/// What the tools are built with, so that benches measure the libraries as they are shipped.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
usage: cargo xtask <verb>

  demo              what a user would see: a sample home, moved and taken back
  test [--long]     install what the tests need, then run all of them (--long: with ten times the arbitrary cases)
  ci [--long]       all that has to hold before a change may stand (--long: ten times the cases, and fuzzing)
  tidy              hold the invariants of the house against its sources
  golden [--check]  make the golden snapshots anew (--check: fail if they differ from what is committed)
  bench [NAME…] [--large]
                    how fast, as ratios of ours to its peers (--large: on inputs of 4 GB, those that can)
  fuzz              look for what no test thought of, a minute for each fuzz target
  canary [NAME…]    resume a moved session with the real clients, against a stub model server, and have the real
                    OpenClaw take over a migrated store
  dist              what users unpack: all tools with manual pages, completions and guides, in one archive
  windows           build the tools that Windows users have, and run their tests under Wine
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["demo"] => demo::run(),
        ["test"] => test::run(false),
        ["test", "--long"] => test::run(true),
        ["ci"] => ci::run(false),
        ["ci", "--long"] => ci::run(true),
        ["tidy"] => tidy::run(),
        ["golden"] => golden::run(false),
        ["golden", "--check"] => golden::run(true),
        ["bench", words @ ..] => bench::run(words),
        ["fuzz"] => fuzz::run().map(drop),
        ["canary", names @ ..] => canary::run(names).map(drop),
        ["dist"] => dist::run(),
        ["windows"] => windows::run().map(drop),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error}");
            ExitCode::FAILURE
        }
    }
}
