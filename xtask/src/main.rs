//! The project's own chores, each a verb: `cargo xtask <verb>`.
//!
//! # Limitations
//! They are for developers on Linux with the Rust toolchain; `test` installs what it needs on Debian and Ubuntu only.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "chores talk to their developer")]

mod canary;
mod shell;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <verb>

  canary   resume a moved session with the real clients, against a stub model server
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["canary"] => canary::run(),
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
