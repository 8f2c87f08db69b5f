//! Everything that can be shown by running it, on a fresh Debian or Ubuntu with the Rust toolchain.

use std::process::Command;

use crate::packages;
use crate::shell::{self, Outcome};

/// Programs that tests run, each with the Debian package that has it.
const NEEDED: [(&str, &str); 18] = [
    ("busybox", "busybox-static"),
    ("dnsmasq", "dnsmasq-base"),
    ("dockerd", "docker.io"),
    ("git", "git"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("lowntfs-3g", "ntfs-3g"),
    ("mkfs.ext4", "e2fsprogs"),
    ("mmdebstrap", "mmdebstrap"),
    ("ps", "procps"),
    ("python3", "python3"),
    ("qemu-img", "qemu-utils"),
    ("setpriv", "util-linux"),
    ("sqlite3", "sqlite3"),
    ("sshd", "openssh-server"),
    ("strace", "strace"),
    ("sudo", "sudo"),
    ("tmux", "tmux"),
];

/// Installs what is missing, then runs documentation examples and tests; `long` tries ten times the arbitrary cases.
pub(crate) fn run(long: bool) -> Outcome {
    packages::install(&NEEDED)?;
    let mut examples = Command::new("cargo");
    examples.args(["test", "--doc", "--quiet", "--workspace", "--all-features"]);
    for cargo in [&mut examples, &mut runner()] {
        shell::run(if long { cargo.env("PROPTEST_CASES", "2560") } else { cargo })?;
    }
    Ok(())
}

/// Runs all tests, by the better runner where it is there; words after `--` choose among them.
pub(crate) fn runner() -> Command {
    let mut cargo = Command::new("cargo");
    if shell::is_there("cargo-nextest") {
        cargo.args(["nextest", "run"]);
    } else {
        cargo.args(["test", "--all-targets"]);
    }
    cargo.args(["--no-fail-fast", "--workspace", "--all-features"]);
    cargo
}
