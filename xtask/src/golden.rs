//! Golden snapshots: made anew, or held against what is committed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, Outcome};
use crate::test;

/// Runs the snapshot tests so that they accept what they see, and removes the snapshots that none of them asked for;
/// with `check`, a difference to git is a failure.
pub(crate) fn run(check: bool) -> Outcome {
    let files = shell::tracked_files()?;
    let references = tempfile::NamedTempFile::new()?;
    let mut tests = test::runner();
    tests.arg("--").args(modules(&files)?);
    tests.env("INSTA_UPDATE", "always").env("INSTA_FORCE_PASS", "1");
    shell::run(tests.env("INSTA_SNAPSHOT_REFERENCES_FILE", references.path()))?;
    remove_forgotten(&files, &fs::read_to_string(references.path())?)?;

    let differing = differing()?;
    if !differing.is_empty() {
        println!("golden: not as committed:\n{differing}");
    }
    if check && !differing.is_empty() {
        Err("golden: review and commit the differences".into())
    } else {
        Ok(())
    }
}

/// The modules whose tests hold snapshots, as filters of the test runner; none of them means all tests.
fn modules(files: &[String]) -> Outcome<BTreeSet<String>> {
    let mut modules = BTreeSet::new();
    for file in files.iter().filter(|file| file.starts_with("crates/") && shell::has_extension(file, "rs")) {
        if fs::read_to_string(shell::root().join(file))?.contains("insta::") {
            let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
            if matches!(stem.as_ref(), "main" | "lib" | "mod") {
                return Ok(BTreeSet::new());
            }
            modules.insert(format!("{stem}::"));
        }
    }
    Ok(modules)
}

fn remove_forgotten(files: &[String], references: &str) -> Outcome {
    let asked_for: BTreeSet<PathBuf> =
        references.lines().filter_map(|path| fs::canonicalize(path).ok()).collect();
    for file in files.iter().filter(|file| shell::has_extension(file, "snap")) {
        let path = shell::root().join(file).canonicalize()?;
        if !asked_for.contains(&path) {
            println!("golden: no test asks for {file}");
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn differing() -> Outcome<String> {
    let mut status = Command::new("git");
    status.args(["status", "--porcelain", "--", "*.snap", "*.pending-snap"]);
    Ok(String::from_utf8(shell::capture(status.current_dir(shell::root()))?.stdout)?.trim_end().to_owned())
}
