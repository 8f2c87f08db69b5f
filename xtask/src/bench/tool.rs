//! Our own tools, as they are released.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::files::clear;
use super::measure::{self, Taken};
use crate::shell::{self, Outcome};

/// A tool, and a folder for its runs that is empty before each.
pub(super) struct Tool {
    program: PathBuf,
    state: PathBuf,
}

impl Tool {
    pub(super) fn built(name: &str, folder: &Path) -> Outcome<Self> {
        Ok(Self { program: shell::built(name, &["--release"])?, state: folder.join("state") })
    }

    pub(super) fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Outcome<Taken> {
        clear(&self.state)?;
        let mut command = Command::new(&self.program);
        measure::program(command.arg("--state-dir").arg(&self.state).args(arguments))
    }
}
