//! How fast, as ratios: machines are shared and noisy, so ours and its peers run in turn, and medians are compared.

mod ao;
mod measure;
mod rows;

use std::process::Command;

use crate::shell::{self, Outcome};

/// Runs every bench, as it would be released: what a debug build takes says nothing.
pub(crate) fn run() -> Outcome {
    if cfg!(debug_assertions) {
        return shell::run(Command::new("cargo").args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "xtask",
            "--",
            "bench",
        ]));
    }
    ao::run()
}
