//! Everything that can be shown by running it, on a fresh Debian or Ubuntu with the Rust toolchain.

use std::process::Command;

use crate::shell::{self, Outcome};

/// Programs that tests run, each with the Debian package that has it.
const NEEDED: [(&str, &str); 7] = [
    ("git", "git"),
    ("lowntfs-3g", "ntfs-3g"),
    ("ps", "procps"),
    ("python3", "python3"),
    ("setpriv", "util-linux"),
    ("sqlite3", "sqlite3"),
    ("strace", "strace"),
];

/// Installs what is missing, then runs documentation examples and tests; `long` adds the slow suites.
pub(crate) fn run(long: bool) -> Outcome {
    install_missing_packages()?;
    let mut examples = Command::new("cargo");
    examples.args(["test", "--doc", "--quiet", "--workspace", "--all-features"]);
    for cargo in [&mut examples, &mut runner()] {
        shell::run(if long { cargo.env("REHOME_LONG", "1") } else { cargo })?;
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

fn install_missing_packages() -> Outcome {
    let missing = NEEDED.iter().filter(|(program, _)| !shell::is_there(program));
    let packages: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if !is_root()? {
        return Err(format!("the tests need {list}; type: sudo apt-get install {list}").into());
    }
    println!("installing what the tests need: {list}");
    let mut update = Command::new("apt-get");
    shell::run(update.args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(&packages);
    shell::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_root() -> Outcome<bool> {
    Ok(shell::capture(Command::new("id").arg("-u"))?.stdout.trim_ascii() == b"0")
}
