//! A machine with sessions and an engine, which is nobody's shell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::LazyLock;

use serde_json::{Value, json};
use testkit::crash::Program;
use testkit::docker::Docker;

/// What docs/report.schema.json accepts.
static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../../../docs/report.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// The id of the n-th session.
pub(crate) fn uuid(n: usize) -> String {
    format!("{n:08x}-5b6a-4c7d-8e9f-0a1b2c3d4e5f")
}

/// A base of sessions.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) docker: Docker,
}

/// What was said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { folder: testkit::crash::place(), docker: Docker::start() };
        fs::create_dir(place.base()).unwrap();
        place
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn base(&self) -> PathBuf {
        self.at("base")
    }

    pub(crate) fn session(&self, n: usize) -> PathBuf {
        self.base().join(uuid(n))
    }

    /// A session as an earlier release has left it.
    pub(crate) fn lay(&self, n: usize, name: &str, more: &[(&str, Value)]) {
        fs::create_dir(self.session(n)).unwrap();
        let mut document = json!({
            "uuid": uuid(n),
            "name": name,
            "created_at": "2026-02-11T08:15:30.5Z",
            "last_accessed": format!("2026-03-02T17:{:02}:00Z", n % 60),
        });
        for (member, value) in more {
            document[*member] = value.clone();
        }
        fs::write(self.session(n).join("session.json"), document.to_string()).unwrap();
    }

    /// The tool with all that it needs here.
    pub(crate) fn tool(&self, words: &[&str]) -> Program {
        tool(self.folder.path(), &self.base(), words).env("DOCKER_HOST", self.docker.host())
    }

    /// Says this, and expects this exit code.
    #[track_caller]
    pub(crate) fn says(&self, code: i32, words: &[&str]) -> Said {
        let said = Said::of(&self.tool(words).run(), self.folder.path());
        assert_eq!(said.code, code, "{words:?}: {}{}", said.out, said.err);
        said
    }

    /// The same as a program reads it, held against the schema.
    #[track_caller]
    pub(crate) fn tells(&self, code: i32, words: &[&str]) -> Value {
        self.says(code, &[words, &["--json"]].concat()).document()
    }

    /// The same for a refusal with this code.
    #[track_caller]
    pub(crate) fn refuses(&self, exit: i32, code: &str, words: &[&str]) -> String {
        let document = self.tells(exit, words);
        assert_eq!(document["error"]["code"], code, "{words:?}: {document}");
        document["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// The tool on a machine whose state and registry are in this folder.
pub(crate) fn tool(folder: &Path, base: &Path, words: &[&str]) -> Program {
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let given = [
        ("--base", text(base.to_owned())),
        ("--agent-keys-dir", text(folder.join("keys"))),
        ("--agent-dir", text(folder.join("agent"))),
        ("--state-dir", text(folder.join("state"))),
    ];
    let program = Program::new(env!("CARGO_BIN_EXE_convocate-session"));
    let program = given.iter().fold(program, |program, (option, value)| program.arg(*option).arg(value));
    words.iter().fold(program, |program, word| program.arg(*word))
}

impl Said {
    /// What was said, with the folder written as `@HERE@`.
    pub(crate) fn of(output: &Output, folder: &Path) -> Self {
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .replace(folder.to_str().unwrap(), "@HERE@")
                .replace(std::env::consts::ARCH, "@ARCH@")
        };
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The document, which is what the schema says.
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        let document = serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err));
        let offences: Vec<_> = SCHEMA
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(offences.is_empty(), "{offences:?}: {}", self.out);
        document
    }

    /// Everything, for a snapshot.
    pub(crate) fn all(&self) -> String {
        format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.out, self.err)
    }
}
