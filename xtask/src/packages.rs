//! Debian packages that a chore needs.

use std::process::Command;

use crate::shell::{self, Outcome};

/// Installs the packages of those programs (each with the Debian package that has it) that cannot be found.
pub(crate) fn install(needed: &[(&str, &str)]) -> Outcome {
    let missing = needed.iter().filter(|(program, _)| !shell::is_there(program));
    let packages: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if !is_root()? {
        return Err(format!("{list} must be installed; type: sudo apt-get install {list}").into());
    }
    println!("installing what is needed: {list}");
    let mut update = Command::new("apt-get");
    shell::run(update.args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(&packages);
    shell::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_root() -> Outcome<bool> {
    Ok(shell::capture(Command::new("id").arg("-u"))?.stdout.trim_ascii() == b"0")
}
