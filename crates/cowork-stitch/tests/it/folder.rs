//! A folder with a transcript, and the tool run in it.

use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::crash::Program;
use testkit::long_session::{self, Shape};
use testkit::tree::Tree;

/// A session that is soon written.
pub(crate) const SHORT: Shape = Shape { compactions: 3, turns: 2, last_turns: 2, text: 100, branches: false };

pub(crate) struct Folder {
    dir: tempfile::TempDir,
}

pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    /// With a session of this shape.
    pub(crate) fn with(shape: Shape) -> Self {
        let folder = Self { dir: tempfile::tempdir().unwrap() };
        folder.begin_again(shape);
        folder
    }

    /// The same in a place where it can be laid out hundreds of times.
    pub(crate) fn in_memory(shape: Shape) -> Self {
        let folder = Self { dir: testkit::crash::place() };
        folder.begin_again(shape);
        folder
    }

    /// Everything gone, and written anew.
    pub(crate) fn begin_again(&self, shape: Shape) {
        for gone in [self.path(), self.state()] {
            let _ = std::fs::remove_dir_all(gone);
        }
        std::fs::create_dir(self.path()).unwrap();
        let file = std::fs::File::create(self.transcript()).unwrap();
        long_session::write(shape, std::io::BufWriter::new(file)).unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("session")
    }

    pub(crate) fn transcript(&self) -> PathBuf {
        self.path().join("3f6c2f5e.jsonl")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.transcript()).unwrap()
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::of(&self.path())
    }

    pub(crate) fn tool(&self, words: &[&str]) -> Program {
        let tool = Program::new(env!("CARGO_BIN_EXE_cowork-stitch"));
        let tool = words.iter().fold(tool, |tool, word| tool.arg(*word));
        tool.env("HOME", self.dir.path()).env("REHOME_STATE_DIR", self.state())
    }

    /// Runs the tool and expects this exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, words: &[&str]) -> Ended {
        let output = self.tool(words).run();
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ended = Ended {
            code: output.status.code(),
            stdout: shown(&output.stdout),
            stderr: shown(&output.stderr),
        };
        assert_eq!(ended.code, Some(code), "{words:?}\n{}{}", ended.stdout, ended.stderr);
        ended
    }

    /// The same about the transcript.
    #[track_caller]
    pub(crate) fn stitch(&self, code: i32, words: &[&str]) -> Ended {
        let transcript = self.transcript();
        self.expect(code, &[words, &[transcript.to_str().unwrap()]].concat())
    }

    /// The only item of the JSON report of such a run.
    #[track_caller]
    pub(crate) fn item(&self, code: i32, words: &[&str]) -> Value {
        let ended = self.stitch(code, &[words, &["--json"]].concat());
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        report["items"][0].clone()
    }

    /// Appends to the transcript what the application writes when the session goes on.
    pub(crate) fn grow(&self, line: &str) {
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new().append(true).open(self.transcript()).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

/// What a build shows of how much.
pub(crate) fn shown(loads: &Value, build: &str) -> (u64, u64) {
    let count = |member: &str| loads[build][member].as_u64().unwrap();
    (count("shown"), count("of"))
}

pub(crate) fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}
