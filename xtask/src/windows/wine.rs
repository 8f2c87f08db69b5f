//! Wine: a Windows that starts in half a second.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, Outcome};

/// Debian keeps it off the path.
pub(super) const LOADER: &str = "/usr/lib/wine/wine64";

/// A Windows folder as Wine sets it up, made once. Tests share it and have everything else of their own.
pub(super) fn prefix(folder: &Path) -> Outcome<PathBuf> {
    let version = String::from_utf8(shell::capture(Command::new(LOADER).arg("--version"))?.stdout)?;
    let prefix = folder.join(version.split_whitespace().next().ok_or("Wine does not tell its version")?);
    if prefix.join("ready").exists() {
        return Ok(prefix);
    }
    let _ = std::fs::remove_dir_all(&prefix);
    std::fs::create_dir_all(&prefix)?;
    // Set up and then ended, so that everything is on the disk.
    shell::run(in_prefix(LOADER, &prefix).args(["wineboot", "--init"]))?;
    shell::run(in_prefix("/usr/lib/wine/wineserver", &prefix).arg("--wait"))?;
    std::fs::write(prefix.join("ready"), "")?;
    Ok(prefix)
}

fn in_prefix(program: &str, prefix: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("WINEPREFIX", prefix).env("WINEDEBUG", "-all").env_remove("DISPLAY");
    command
}

/// Builds a small program or library in C and puts it beside the executables, unless it is there.
pub(super) fn lay_beside(tools: &Path, name: &str, code: &str, flags: &[&str]) -> Outcome {
    let (made, source) = (tools.join(name), tools.join(name).with_extension("c"));
    if made.exists() && std::fs::read_to_string(&source).is_ok_and(|made_of| made_of == code) {
        return Ok(());
    }
    std::fs::write(&source, code)?;
    let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
    shell::run(compiler.arg("-o").arg(made).arg(source).args(flags))
}
