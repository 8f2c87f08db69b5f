//! Tests that need a process of their own, because a signal or a panic hook concerns all of it.

use std::process::{Command, Output};

const ASKED: &str = "REHOME_TEST_IN_A_CHILD";

/// Runs a test again in a child, and answers what came of it; in the child itself, `None`.
pub(crate) fn again(test: &str) -> Option<Output> {
    if std::env::var_os(ASKED).is_some() {
        return None;
    }
    let program = std::env::current_exe().expect("because tests are programs");
    let child = Command::new(program).args(["--exact", test, "--nocapture"]).env(ASKED, "1").output();
    Some(child.expect("because a test can be run again"))
}
