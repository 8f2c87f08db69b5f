//! A place with an old and a new folder, and somebody who types commands there.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use migration_cli::{Exit, Stop, Streams, Surroundings, Terminals, Tool, run};
use migration_engine::{RunSummary, StateRoot};
use session_model::Timestamp;
use tempfile::TempDir;
use testkit::tree::Tree;

use crate::toy::{Toy, Trouble};

/// The migration of the toy, as somebody in the place types it.
pub(crate) const MIGRATE: &str = "--from old --to new";

/// What docs/report.schema.json accepts.
pub(crate) static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/report.schema.json");
    let schema = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// What a command said, with the place's path written as `@`.
pub(crate) struct Said {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// The JSON document.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// Everything, for a snapshot.
    pub(crate) fn all(&self) -> String {
        format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.exit.code(), self.out, self.err)
    }
}

/// A temporary folder with `old/`, `new/` and, once there was a run, `state/`.
pub(crate) struct Place {
    dir: TempDir,
    pub(crate) here: Surroundings,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) answer: &'static str,
}

impl Place {
    /// A place with these files in `old/`: name and content.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        for folder in ["old", "new"] {
            std::fs::create_dir(path.join(folder)).unwrap();
        }
        let env = BTreeMap::from([("REHOME_STATE_DIR".into(), path.join("state").into())]);
        let here = Surroundings {
            env,
            home: Some(path.join("home")),
            cwd: path,
            terminals: Terminals::default(),
            now: clock,
            salt: 0x3f9a,
            stop: Stop::default(),
        };
        let place = Self { dir, here, trouble: None, answer: "" };
        for (name, content) in files {
            place.write(&format!("old/{name}"), content);
        }
        place
    }

    /// A place whose two files were copied.
    pub(crate) fn migrated() -> Self {
        let place = Self::new(&[("a", "first\n"), ("b", "second\n")]);
        assert_eq!(place.say(MIGRATE).exit, Exit::Done);
        place
    }

    /// A place with a run that was stopped in the middle.
    pub(crate) fn interrupted() -> Self {
        let mut place = Self::new(&[("a", "first\n"), ("b", "second\n")]);
        assert_eq!(place.troubled(Trouble::Disk, MIGRATE).exit, Exit::Failed);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.here.cwd.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Everything there is, state included.
    pub(crate) fn everything(&self) -> Tree {
        Tree::of(self.dir.path())
    }

    /// Everything but the state.
    pub(crate) fn world(&self) -> Tree {
        self.everything().without(&["state"])
    }

    pub(crate) fn root(&self) -> StateRoot {
        StateRoot::at(self.path("state"))
    }

    /// The runs, oldest first.
    pub(crate) fn runs(&self) -> Vec<RunSummary> {
        let listed = self.root().summaries().unwrap();
        listed.into_iter().map(|(_, run)| run.unwrap()).collect()
    }

    /// The id of the only run.
    pub(crate) fn run_id(&self) -> String {
        let [run] = &self.runs()[..] else { panic!("expected one run") };
        run.id.to_string()
    }

    /// Types a command, without the name of the tool.
    pub(crate) fn say(&self, line: &str) -> Said {
        self.say_to(&Toy { trouble: self.trouble }, line)
    }

    /// Types a command while something goes wrong.
    pub(crate) fn troubled(&mut self, trouble: Trouble, line: &str) -> Said {
        self.trouble = Some(trouble);
        let said = self.say(line);
        self.trouble = None;
        self.here.stop = Stop::default();
        said
    }

    /// Types a command to any tool.
    pub(crate) fn say_to<T: Tool>(&self, tool: &T, line: &str) -> Said {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = self.say_into(tool, line, &mut out, &mut err);
        let path = self.here.cwd.display().to_string();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&path, "@");
        let said = Said { exit, out: text(out), err: text(err) };
        if line.split(' ').any(|word| word == "--json") {
            check(&said);
        }
        said
    }

    /// Types a command whose output goes anywhere.
    pub(crate) fn say_into<T: Tool>(
        &self,
        tool: &T,
        line: &str,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Exit {
        let args = std::iter::once(T::NAME).chain(line.split_whitespace()).map(Into::into);
        let mut stdin = BufReader::new(self.answer.as_bytes());
        let mut streams = Streams { stdin: &mut stdin, stdout: out, stderr: err };
        run(tool, args, &self.here, &mut streams)
    }
}

/// Every JSON document that any test provokes is held against the schema.
fn check(said: &Said) {
    let document = said.json();
    let faults: Vec<String> =
        SCHEMA.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{}\n{}", faults.join("\n"), said.out);
    assert_eq!(document["exit"], u64::from(said.exit.code()), "the document and the process agree");
}

thread_local! {
    static SECONDS: Cell<i64> = const { Cell::new(0) };
}

/// A clock that goes on by a second whenever it is looked at: each test has its own, and no two runs are of one second.
fn clock() -> Timestamp {
    const BEGIN: i64 = 1_769_881_500; // 2026-01-31T17:45:00Z
    SECONDS.with(|seconds| {
        seconds.set(seconds.get() + 1);
        Timestamp::from_second(BEGIN + seconds.get()).unwrap()
    })
}
