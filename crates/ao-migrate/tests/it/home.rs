//! A home as somebody may have it, and the tool run in it.

use std::path::{Path, PathBuf};
use std::process::Output;

use testkit::ao_database::{self, Version};
use testkit::crash::Program;
use testkit::fixture;
use testkit::tree::Tree;

/// A laid-out fixture with the daemon's database beside it.
pub(crate) struct Home {
    dir: tempfile::TempDir,
    path: PathBuf,
}

/// How a run of the tool ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    /// The fixture, with an empty database of schema version 12.
    pub(crate) fn new(case: &str) -> Self {
        let home = Self::without_database(case);
        std::fs::create_dir_all(home.data_dir()).unwrap();
        ao_database::create(&home.database(), Version(12));
        home
    }

    /// The fixture, on a machine where the daemon has never run.
    pub(crate) fn without_database(case: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        let path = fixture::lay_out(&format!("ao-migrate/{case}"), &dir.path().join("home"));
        Self { dir, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path.join(".ao/data")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.data_dir().join("ao.db")
    }

    /// Outside the home, so that the home can be compared as a whole.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// The tool with these arguments, in this home and no other environment.
    pub(crate) fn tool(&self, arguments: &[&str]) -> Program {
        let tool = Program::new(env!("CARGO_BIN_EXE_ao-migrate"));
        let tool = arguments.iter().fold(tool, |tool, argument| tool.arg(*argument));
        tool.env("HOME", &self.path).env("REHOME_STATE_DIR", self.state_dir())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.ended(&self.tool(arguments).run())
    }

    /// Runs it and expects this exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}\n{}{}", ended.stdout, ended.stderr);
        ended
    }

    /// The JSON report of a run that ends with this exit code.
    #[track_caller]
    pub(crate) fn report(&self, code: i32, arguments: &[&str]) -> serde_json::Value {
        let ended = self.expect(code, &[arguments, &["--json"]].concat());
        serde_json::from_str(&ended.stdout).unwrap()
    }

    pub(crate) fn ended(&self, output: &Output) -> Ended {
        let shown = |bytes: &[u8]| self.redacted(&String::from_utf8_lossy(bytes));
        Ended { code: output.status.code(), stdout: shown(&output.stdout), stderr: shown(&output.stderr) }
    }

    /// Without what differs from run to run: this home, the run's id, its folder.
    pub(crate) fn redacted(&self, text: &str) -> String {
        fixture::redacted(text, &self.path).replace(&self.state_dir().display().to_string(), "@STATE@")
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::of(&self.path)
    }

    /// Everything but the pages of the database, whose content is compared by [`Self::dump`].
    pub(crate) fn files(&self) -> Tree {
        self.tree().without(&[".ao/data/ao.db"])
    }

    pub(crate) fn dump(&self) -> String {
        ao_database::dump(&self.database())
    }
}
