//! Every fuzz target for a while, beginning with its seeds.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, Outcome};

/// For how long each target looks.
const SECONDS: u32 = 60;

/// How much a target may take; the seeds need far less.
const MEGABYTES: u32 = 4096;

/// Fuzzes every target in turn and gives what was skipped; fails if one of them found something.
pub(crate) fn run() -> Outcome<Vec<&'static str>> {
    if let Err(reason) = install() {
        println!("fuzz: SKIPPED, nothing was looked for, because: {reason}");
        return Ok(vec!["the fuzz targets"]);
    }
    let targets = targets()?;
    let mut found = Vec::new();
    for target in &targets {
        if let Err(error) = fuzz(target) {
            found.push(format!("{target}: {error}"));
        }
    }
    if !found.is_empty() {
        return Err(found.join("\n").into());
    }
    println!("fuzz: {} targets, {SECONDS} s each, found nothing", targets.len());
    Ok(Vec::new())
}

/// cargo-fuzz, and what its sanitizer links with; where it cannot be had, the reason.
fn install() -> Outcome {
    let sysroot = shell::capture(Command::new("rustc").args(["--print", "target-libdir"]))?;
    let libraries = PathBuf::from(String::from_utf8(sysroot.stdout)?.trim());
    let is_sanitizer = |file: PathBuf| file.to_string_lossy().ends_with(".asan.a");
    if !std::fs::read_dir(&libraries)?.flatten().any(|file| is_sanitizer(file.path())) {
        return Err(format!("there is no address sanitizer in {}", libraries.display()).into());
    }
    if shell::is_there("cargo-fuzz") {
        return Ok(());
    }
    shell::run(Command::new("cargo").args(["install", "cargo-fuzz", "--locked"]))
}

fn targets() -> Outcome<Vec<String>> {
    let files = std::fs::read_dir(shell::root().join("fuzz/fuzz_targets"))?.flatten();
    let stem = |file: &Path| file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let mut targets: Vec<String> = files.filter_map(|file| stem(&file.path())).collect();
    targets.sort();
    Ok(targets)
}

/// What it finds stays below the target folder and is printed with the command that shows it again.
fn fuzz(target: &str) -> Outcome {
    let work = shell::target()?.join("fuzz");
    let seen = work.join("corpus").join(target);
    std::fs::create_dir_all(&seen)?;
    let mut cargo = Command::new("cargo");
    cargo.args(["fuzz", "run", "--target-dir"]).arg(&work).arg(target);
    // What is new goes into the first folder; seeds are only read.
    cargo.arg(seen).arg(shell::root().join("fuzz/corpus").join(target)).arg("--");
    cargo.arg(format!("-max_total_time={SECONDS}")).arg(format!("-rss_limit_mb={MEGABYTES}"));
    // The stable compiler knows the sanitizer too, and is the one that everything else is built with.
    shell::run(cargo.env("RUSTC_BOOTSTRAP", "1"))
}
