//! Taking the time, and the peak memory, of whole programs.

use std::process::Command;

use crate::shell::{self, Outcome};

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    /// On the clock.
    pub(super) seconds: f64,
    /// What only a program of its own tells.
    pub(super) usage: Option<Usage>,
}

/// What a program used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// Of the processors, its own and the system's for it: a busy machine changes them less than the clock's.
    pub(super) seconds: f64,
    pub(super) peak_kib: u64,
}

impl Taken {
    /// What was timed inside a program that does other things too.
    pub(super) fn of(seconds: f64) -> Self {
        Self { seconds, usage: None }
    }
}

/// Runs a program to its end and says what it took; fails unless it exits with 0.
pub(super) fn program(command: &Command) -> Outcome<Taken> {
    let mut measured = python("measure.py");
    measured.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        measured.env(name, value.unwrap_or_default());
    }
    let said = said(&mut measured)?;
    let numbers: Vec<&str> = said.split_whitespace().collect();
    let [seconds, processor, peak] = numbers[..] else {
        return Err(
            format!("measuring `{}`: expected three numbers, found {said}", shell::spell(command)).into()
        );
    };
    let usage = Usage { seconds: processor.parse()?, peak_kib: peak.parse()? };
    Ok(Taken { seconds: seconds.parse()?, usage: Some(usage) })
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

pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
