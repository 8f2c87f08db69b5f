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
        Self::with_database(case, Version(12))
    }

    /// The fixture, with an empty database of this schema version.
    pub(crate) fn with_database(case: &str, version: Version) -> Self {
        let home = Self::without_database(case);
        std::fs::create_dir_all(home.data_dir()).unwrap();
        ao_database::create(&home.database(), version);
        home
    }

    /// The same as [`Self::new`], in a place where it can be laid out hundreds of times.
    pub(crate) fn in_memory(case: &str) -> Self {
        let home = Self::in_dir(testkit::crash::place());
        home.begin_again(case);
        home
    }

    /// Everything gone, and laid out anew at the same path.
    pub(crate) fn begin_again(&self, case: &str) {
        std::fs::remove_dir_all(&self.path).unwrap();
        let _ = std::fs::remove_dir_all(self.state_dir());
        std::fs::create_dir(&self.path).unwrap();
        fixture::lay_out(&format!("ao-migrate/{case}"), &self.path);
        std::fs::create_dir_all(self.data_dir()).unwrap();
        ao_database::create(&self.database(), Version(12));
    }

    /// The fixture, on a machine where the daemon has never run.
    pub(crate) fn without_database(case: &str) -> Self {
        let home = Self::in_dir(tempfile::tempdir().unwrap());
        fixture::lay_out(&format!("ao-migrate/{case}"), &home.path);
        home
    }

    fn in_dir(dir: tempfile::TempDir) -> Self {
        let path = dir.path().canonicalize().unwrap().join("home");
        std::fs::create_dir(&path).unwrap();
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
        self.surrounded(tool)
    }

    fn surrounded(&self, tool: Program) -> Program {
        tool.env("HOME", &self.path).env("REHOME_STATE_DIR", self.state_dir())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.ended(&self.tool(arguments).run())
    }

    /// Runs it as somebody who is bound by permissions, to whom the home belongs from now on.
    pub(crate) fn run_unprivileged(&self, arguments: &[&str]) -> Ended {
        let program = self.dir.path().join("ao-migrate");
        std::fs::copy(env!("CARGO_BIN_EXE_ao-migrate"), &program).unwrap();
        testkit::crash::hand_over(self.dir.path());
        let tool = arguments.iter().fold(Program::new(program), |tool, argument| tool.arg(*argument));
        self.ended(&self.surrounded(tool).unprivileged().run())
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

    /// Without what differs from run to run: this home (also as a slug), the state directory, the run's id.
    pub(crate) fn redacted(&self, text: &str) -> String {
        let slug = transcript_relocate::project_slug(self.path.to_str().unwrap());
        let text = fixture::redacted(text, &self.path).replace(&slug, "@SLUG@");
        testkit::redact::without_run_ids(&text.replace(&self.state_dir().display().to_string(), "@STATE@"))
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::of(&self.path)
    }

    /// Everything but the pages of the database, whose content is compared by [`Self::dump`].
    pub(crate) fn files(&self) -> Tree {
        self.tree().without(&[".ao/data/ao.db"])
    }

    /// Whether the state directory knows of a run.
    pub(crate) fn has_run(&self) -> bool {
        let runs = std::fs::read_dir(self.state_dir().join("runs"));
        runs.is_ok_and(|runs| runs.flatten().any(|run| !run.file_name().to_string_lossy().starts_with('.')))
    }

    /// [`Self::expect`], saying when.
    #[track_caller]
    pub(crate) fn expect_said(&self, code: i32, arguments: &[&str], when: &str) {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?} {when}\n{}{}", ended.stdout, ended.stderr);
    }

    /// Opens the database and closes it properly, as its owner does after a crash.
    pub(crate) fn close_database(&self) {
        ao_database::execute(&self.database(), "SELECT count(*) FROM sessions");
    }

    /// The first value that a query answers, as text.
    pub(crate) fn query(&self, sql: &str) -> String {
        ao_database::query(&self.database(), sql)
    }

    pub(crate) fn dump(&self) -> String {
        ao_database::dump(&self.database())
    }
}
