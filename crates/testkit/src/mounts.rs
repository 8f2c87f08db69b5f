//! Tests that mount something, and leave nothing mounted behind.

use std::env;
use std::process::Command;

/// Told by a test to itself: it may mount what it likes.
const WITHIN: &str = "REHOME_TEST_HAS_ITS_OWN_MOUNTS";

/// Whether this test, named by its whole path, has mounts of its own. If not, it was run again with some, and passed.
pub fn unshared(test: &str) -> bool {
    if env::var_os(WITHIN).is_some() {
        return true;
    }
    let program = env::current_exe().expect("because a test is a program");
    let mut again = Command::new("unshare");
    again.args(["--map-root-user", "--mount"]).arg(program).args([test, "--exact", "--nocapture"]);
    let output = again.env(WITHIN, "yes").output().expect("the tests need unshare, from util-linux");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}
