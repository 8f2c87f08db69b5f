//! Taking the time, and the peak memory, of whole programs.

use std::process::Command;

use crate::shell::{self, Outcome};

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) seconds: f64,
    pub(super) peak_kib: u64,
}

/// Runs a program to its end and says what it took; fails unless it exits with 0.
pub(super) fn program(command: &Command) -> Outcome<Taken> {
    let mut measured = python("measure.py");
    measured.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        measured.env(name, value.unwrap_or_default());
    }
    let said = said(&mut measured)?;
    match said.split_whitespace().collect::<Vec<_>>().as_slice() {
        [seconds, peak, "0"] => Ok(Taken { seconds: seconds.parse()?, peak_kib: peak.parse()? }),
        _ => Err(format!("`{}` did not succeed: {said}", shell::spell(command)).into()),
    }
}

/// A script of `fixtures/bench/`.
pub(super) fn python(script: &str) -> Command {
    let mut python = Command::new("python3");
    python.arg(shell::root().join("fixtures/bench").join(script));
    python
}

/// What a command printed; fails unless it exits with 0.
pub(super) fn said(command: &mut Command) -> Outcome<String> {
    let output = shell::capture(command)?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?.trim().to_owned());
    }
    Err(format!("`{}`: {}", shell::spell(command), String::from_utf8_lossy(&output.stderr)).into())
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
