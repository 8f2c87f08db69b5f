//! Wine: a Windows that starts in half a second.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, Outcome};

/// Debian keeps it off the path.
pub(super) const LOADER: &str = "/usr/lib/wine/wine64";

/// Rust's standard library takes random numbers from a library that Wine knows only from version 9 on.
const RANDOM: &str = "\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) { return SystemFunction036(bytes, (ULONG)count); }
";

/// A Windows folder as Wine sets it up, made once. Tests share it and have everything else of their own.
pub(super) fn prefix(folder: &Path) -> Outcome<PathBuf> {
    let version = shell::capture(Command::new(LOADER).arg("--version"))?.stdout;
    let prefix = folder.join(String::from_utf8(version)?.trim());
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

/// Puts beside the executables what they need.
pub(super) fn lay_beside(tools: &Path) -> Outcome {
    let source = tools.join("bcryptprimitives.c");
    let library = tools.join("bcryptprimitives.dll");
    if library.exists() && std::fs::read_to_string(&source).is_ok_and(|made_of| made_of == RANDOM) {
        return Ok(());
    }
    std::fs::write(&source, RANDOM)?;
    let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
    shell::run(compiler.args(["-shared", "-o"]).arg(library).arg(source).arg("-ladvapi32"))
}
