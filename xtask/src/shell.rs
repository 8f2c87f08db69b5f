//! Running other programs, and where things stand in this workspace.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a chore comes to. Its error is one sentence for the developer.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands in the workspace")
}

/// Where cargo builds, and where caches of ours may stand.
pub(crate) fn target() -> Outcome<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(root()).no_deps().exec()?;
    Ok(metadata.target_directory.into())
}

/// Says what is run, runs it in the workspace, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Outcome {
    println!("\n$ {}", spell(command));
    let status =
        command.current_dir(root()).status().map_err(|error| format!("{}: {error}", spell(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", spell(command)).into()) }
}

/// Builds a package's program and gives its path.
pub(crate) fn built(program: &str, profile: &[&str]) -> Outcome<PathBuf> {
    run(Command::new("cargo").args(["build", "--package", program]).args(profile))?;
    let folder = if profile.contains(&"--release") { "release" } else { "debug" };
    Ok(target()?.join(folder).join(program))
}

/// Runs it quietly and gives what it said, whether it succeeded or not.
pub(crate) fn capture(command: &mut Command) -> Outcome<Output> {
    command.output().map_err(|error| format!("{}: {error}", spell(command)).into())
}

/// Whether a program can be found.
pub(crate) fn is_there(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// Every file of the workspace that git keeps or would keep, relative to the root.
pub(crate) fn tracked_files() -> Outcome<Vec<String>> {
    let mut list = Command::new("git");
    list.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let listed = String::from_utf8(capture(&mut list)?.stdout)?;
    let files = listed.split_terminator('\0').filter(|file| root().join(file).is_file());
    Ok(files.map(str::to_owned).collect())
}

/// Whether a file's name ends like this.
pub(crate) fn has_extension(file: &str, extension: &str) -> bool {
    Path::new(file).extension().is_some_and(|found| found == extension)
}

/// A command as one would type it.
pub(crate) fn spell(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
