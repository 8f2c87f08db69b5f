//! What every bench does with files.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use super::measure::{self, Taken};
use crate::shell::Outcome;

/// Removes what a run has left, be it there or not.
pub(super) fn clear(path: &Path) -> Outcome {
    let cleared = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match cleared {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Copies a file to where nothing is and makes the copy durable: the least that whoever changes a file has to do.
pub(super) fn copy(from: &Path, to: &Path) -> Outcome<Taken> {
    clear(to)?;
    measure::program(&shell_line(r#"cp "$1" "$2"; sync "$2""#, &[from, to]))
}

/// A line for the shell, with `$1`, `$2`, … for the paths.
pub(super) fn shell_line(line: &str, paths: &[&Path]) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", line, "sh"]).args(paths);
    shell
}
