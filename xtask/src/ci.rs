//! All that has to hold before a change may stand, from the cheapest check to the dearest.

use std::process::Command;
use std::time::Instant;

use crate::shell::{self, Outcome};
use crate::{canary, fuzz, golden, test, tidy, windows};

type Step = (&'static str, fn() -> Outcome);

const STEPS: [Step; 5] = [
    ("formatting", || cargo(&["fmt", "--all", "--check"])),
    ("tidy", tidy::run),
    ("clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-Dwarnings"])),
    ("dependencies", dependencies),
    ("documentation", documentation),
];

/// Takes every step in turn; the first that fails ends the run. `long` adds what takes long.
pub(crate) fn run(long: bool) -> Outcome {
    for (name, step) in STEPS {
        take(name, step)?;
    }
    if long {
        take("the tests, with ten times the arbitrary cases", || test::run(true))?;
    } else {
        take("the README's test command", || cargo(&["xtask", "test"]))?;
    }
    take("golden snapshots", || golden::run(true))?;
    let mut skipped = take("the tools for Windows", windows::run)?;
    skipped.extend(take("the real clients", || canary::run(&[]))?);
    if long {
        skipped.extend(take("fuzzing", fuzz::run)?);
    }
    match skipped.as_slice() {
        [] => println!("\nci: everything holds"),
        skipped => println!("\nci: everything holds that was tried; SKIPPED: {}", skipped.join(", ")),
    }
    Ok(())
}

fn take<T>(name: &str, step: impl Fn() -> Outcome<T>) -> Outcome<T> {
    println!("\n=== {name}");
    let begun = Instant::now();
    let outcome = step().map_err(|error| format!("{name}: {error}"))?;
    println!("=== {name}: fine, after {} s", begun.elapsed().as_secs());
    Ok(outcome)
}

fn cargo(arguments: &[&str]) -> Outcome {
    shell::run(Command::new("cargo").args(arguments))
}

fn dependencies() -> Outcome {
    if !shell::is_there("cargo-deny") {
        cargo(&["install", "cargo-deny", "--locked"])?;
    }
    cargo(&["deny", "--all-features", "check", "bans", "licenses", "sources"])
}

fn documentation() -> Outcome {
    let mut doc = Command::new("cargo");
    doc.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    shell::run(doc.env("RUSTDOCFLAGS", "-Dwarnings"))
}
