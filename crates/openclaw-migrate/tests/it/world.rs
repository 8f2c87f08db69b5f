//! A home with a workspace in it, and the tool run on that.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::LazyLock;

use serde_json::Value;
use testkit::crash::Program;
use testkit::fixture;
use testkit::tree::Tree;

/// What every report has to be like.
static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../../../docs/report.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// A home whose `.openclaw` is the workspace, as in the guide.
pub(crate) struct World {
    dir: tempfile::TempDir,
}

/// How a run of the tool ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    /// What a case of the fixtures has in its home.
    pub(crate) fn of(case: &str) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), case)
    }

    pub(crate) fn in_dir(dir: tempfile::TempDir, case: &str) -> Self {
        let world = Self { dir };
        world.lay_out(case);
        world
    }

    /// Lays out one more case in the same home.
    pub(crate) fn lay_out(&self, case: &str) {
        std::fs::create_dir_all(self.home()).unwrap();
        fixture::lay_out(&format!("openclaw-migrate/{case}"), &self.home());
    }

    /// Everything gone, and laid out anew at the same path.
    pub(crate) fn begin_again(&self, case: &str) {
        for folder in [self.home(), self.state()] {
            let _ = std::fs::remove_dir_all(folder);
        }
        self.lay_out(case);
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("home")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.home().join(".openclaw")
    }

    pub(crate) fn sessions(&self) -> PathBuf {
        self.workspace().join(".sessions")
    }

    /// The folder of OpenClaw's own sessions.
    pub(crate) fn agent(&self) -> PathBuf {
        self.workspace().join("agents/main/sessions")
    }

    pub(crate) fn store(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.sessions().join("sessions.json")).unwrap()).unwrap()
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::of(&self.home())
    }

    /// The same without times.
    pub(crate) fn result(&self) -> Tree {
        self.tree().without_times()
    }

    /// Lays a file in the old folder, or another there, as old as all of a fixture.
    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.sessions().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        let time: jiff::Timestamp = fixture::FIXED_TIME.parse().unwrap();
        std::fs::File::options().append(true).open(path).unwrap().set_modified(time.into()).unwrap();
    }

    /// The tool, in no other environment.
    pub(crate) fn tool(&self, words: &[&str]) -> Program {
        let tool = Program::new(env!("CARGO_BIN_EXE_openclaw-migrate"));
        let tool = words.iter().fold(tool, |tool, word| tool.arg(*word));
        tool.env("HOME", self.home()).env("REHOME_STATE_DIR", self.state())
    }

    /// The tool, to migrate the workspace.
    pub(crate) fn migration(&self, more: &[&str]) -> Program {
        self.tool(&[&[self.workspace().to_str().unwrap()], more].concat())
    }

    #[track_caller]
    pub(crate) fn migrate(&self, code: i32, more: &[&str]) -> Ended {
        self.ended(code, more, &self.migration(more).run())
    }

    #[track_caller]
    pub(crate) fn say(&self, code: i32, words: &[&str]) -> Ended {
        self.ended(code, words, &self.tool(words).run())
    }

    #[track_caller]
    pub(crate) fn ended(&self, code: i32, words: &[&str], output: &Output) -> Ended {
        let shown = |bytes: &[u8]| self.redacted(&String::from_utf8_lossy(bytes));
        let ended = Ended {
            code: output.status.code(),
            stdout: shown(&output.stdout),
            stderr: shown(&output.stderr),
        };
        assert_eq!(ended.code, Some(code), "{words:?}\n{}{}", ended.stdout, ended.stderr);
        ended
    }

    /// The JSON report of a migration, which is as the schema has it.
    #[track_caller]
    pub(crate) fn report(&self, code: i32, more: &[&str]) -> Value {
        self.document(code, &self.migration(&[more, &["--json"]].concat()))
    }

    /// The JSON report of a verb.
    #[track_caller]
    pub(crate) fn report_of(&self, code: i32, words: &[&str]) -> Value {
        self.document(code, &self.tool(&[words, &["--json"]].concat()))
    }

    #[track_caller]
    fn document(&self, code: i32, program: &Program) -> Value {
        let output = program.run();
        self.ended(code, &["--json"], &output);
        let report = serde_json::from_slice(&output.stdout).unwrap();
        let offences: Vec<String> = SCHEMA.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(offences.is_empty(), "{offences:?}");
        report
    }

    pub(crate) fn redacted(&self, text: &str) -> String {
        testkit::redact::without_run_ids(&text.replace(self.path().to_str().unwrap(), "@HERE@"))
    }

    pub(crate) fn has_run(&self) -> bool {
        let runs = std::fs::read_dir(self.state().join("runs"));
        runs.is_ok_and(|runs| runs.flatten().any(|run| !run.file_name().to_string_lossy().starts_with('.')))
    }

    /// Neither a lock nor anything unfinished or replaced is left.
    #[track_caller]
    pub(crate) fn assert_tidy(&self, when: &str) {
        let is_left = |name: &String| {
            let end = Path::new(name).extension().and_then(|end| end.to_str()).unwrap_or_default();
            ["lock", "tmp", "stash", "swap"].contains(&end)
        };
        let left: Vec<String> = self.tree().names().into_iter().filter(is_left).collect();
        assert!(left.is_empty(), "{when}: {left:?} is left");
    }
}

/// The item of a report whose name is this session's.
#[track_caller]
pub(crate) fn item<'a>(report: &'a Value, name: &str) -> &'a Value {
    let items = report["items"].as_array().unwrap();
    let is_it = |item: &&Value| {
        let id = Path::new(item["id"].as_str().unwrap_or_default());
        id.file_stem().is_some_and(|stem| stem == name)
    };
    items.iter().find(is_it).unwrap_or_else(|| panic!("{name} is not in {report:#}"))
}

/// The codes of the findings of an item.
pub(crate) fn codes(item: &Value) -> Vec<&str> {
    item["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}
