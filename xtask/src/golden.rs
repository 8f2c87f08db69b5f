//! Golden snapshots: made anew, or held against what is committed.

use std::process::Command;

use crate::shell::{self, Outcome};

/// Runs the snapshot tests so that they accept what they see; with `check`, a difference to git is a failure.
pub(crate) fn run(check: bool) -> Outcome {
    let mut tests = Command::new("cargo");
    tests.args(["test", "--quiet", "--workspace", "--all-features", "--tests"]);
    shell::run(tests.env("INSTA_UPDATE", "always").env("INSTA_FORCE_PASS", "1"))?;
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

fn differing() -> Outcome<String> {
    let mut status = Command::new("git");
    status
        .args(["status", "--porcelain", "--", "*.snap", "*.pending-snap", "fixtures", "docs"])
        .current_dir(shell::root());
    Ok(String::from_utf8(shell::capture(&mut status)?.stdout)?.trim_end().to_owned())
}
