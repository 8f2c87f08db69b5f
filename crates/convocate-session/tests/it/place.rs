//! A machine with sessions and an engine, which is nobody's shell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::LazyLock;

use serde_json::{Value, json};
use testkit::cluster::{AGENTS, Cluster};
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

/// A machine that is nobody's shell: a base of sessions, and an engine.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) docker: Docker,
}

/// A shell host with two agents, and the engine of all of them.
pub(crate) struct Shell {
    pub(crate) cluster: Cluster,
    pub(crate) docker: Docker,
}

/// Somebody at a machine, who types.
pub(crate) trait Typing {
    /// The folder of all that is there.
    fn folder(&self) -> &Path;

    /// The tool with all that it needs there.
    fn tool(&self, words: &[&str]) -> Program;

    /// The engine that runs what is there.
    fn docker(&self) -> &Docker;

    /// The state of a session's container, or nothing if there is none.
    fn container(&self, uuid: &str) -> String {
        let filter = format!("name=^convocate-session-{uuid}$");
        self.docker().run(&["ps", "--all", "--filter", &filter, "--format", "{{.State}}"])
    }

    /// Says this, and expects this exit code.
    #[track_caller]
    fn says(&self, code: i32, words: &[&str]) -> Said {
        let said = Said::of(&self.tool(words).run(), [self.folder(), self.docker().folder()]);
        assert_eq!(said.code, code, "{words:?}: {}{}", said.out, said.err);
        said
    }

    /// The same as a program reads it, held against the schema.
    #[track_caller]
    fn tells(&self, code: i32, words: &[&str]) -> Value {
        self.says(code, &[words, &["--json"]].concat()).document()
    }

    /// The same for a refusal with this code: its message.
    #[track_caller]
    fn refuses(&self, exit: i32, code: &str, words: &[&str]) -> String {
        let document = self.tells(exit, words);
        assert_eq!(document["error"]["code"], code, "{words:?}: {document}");
        document["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// What was said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(Docker::start())
    }

    /// One whose sessions live.
    pub(crate) fn alive() -> Self {
        Self::with(Docker::with_sessions())
    }

    fn with(docker: Docker) -> Self {
        let place = Self { folder: testkit::crash::place(), docker };
        fs::create_dir(place.base()).unwrap();
        place
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn base(&self) -> PathBuf {
        self.at("base")
    }

    /// A session as an earlier release has left it.
    pub(crate) fn lay(&self, n: usize, name: &str, more: &[(&str, Value)]) {
        lay(&self.base(), n, name, more);
    }
}

impl Typing for Place {
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn docker(&self) -> &Docker {
        &self.docker
    }

    fn tool(&self, words: &[&str]) -> Program {
        let claude = self.docker.claude();
        tool(self.folder(), [&self.base(), &self.at("keys"), &claude], words)
            .env("DOCKER_HOST", self.docker.host())
    }
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self::with(Docker::start())
    }

    /// One whose sessions live.
    pub(crate) fn alive() -> Self {
        Self::with(Docker::with_sessions())
    }

    fn with(docker: Docker) -> Self {
        let claude = docker.claude();
        let cluster = Cluster::of(&docker, &|verb, place| {
            let (base, folder) = (place.base.display(), place.folder.display());
            let claude = claude.display();
            format!("{TOOL} agent {verb} --base {base} --agent-dir {folder} --claude {claude}")
        });
        Self { cluster, docker }
    }

    /// Registers an agent that nobody is.
    pub(crate) fn registers_nobody(&self, id: &str) {
        let (from, to) = (self.cluster.registry().join(AGENTS[0]), self.cluster.registry().join(id));
        fs::create_dir(&to).unwrap();
        fs::copy(from.join("shell_to_agent_ed25519_key"), to.join("shell_to_agent_ed25519_key")).unwrap();
        fs::write(to.join("agent-host"), "root@127.0.0.1:1\n").unwrap();
        fs::write(to.join("session-control.json"), r#"{"api": "sshd", "port": 1, "user": "root"}"#).unwrap();
    }
}

impl Typing for Shell {
    fn folder(&self) -> &Path {
        self.cluster.folder()
    }

    fn docker(&self) -> &Docker {
        &self.docker
    }

    fn tool(&self, words: &[&str]) -> Program {
        let (registry, claude) = (self.cluster.registry(), self.docker.claude());
        let known = self.cluster.known_hosts();
        let program = tool(self.folder(), [&self.cluster.shell(), &registry, &claude], words);
        program.arg("--known-hosts").arg(known).env("DOCKER_HOST", self.docker.host())
    }
}

const TOOL: &str = env!("CARGO_BIN_EXE_convocate-session");

/// A session as an earlier release has left it.
pub(crate) fn lay(base: &Path, n: usize, name: &str, more: &[(&str, Value)]) {
    let folder = base.join(uuid(n));
    fs::create_dir(&folder).unwrap();
    let mut document = json!({
        "uuid": uuid(n),
        "name": name,
        "created_at": "2026-02-11T08:15:30.5Z",
        "last_accessed": format!("2026-03-02T17:{:02}:00Z", n % 60),
    });
    for (member, value) in more {
        document[*member] = value.clone();
    }
    fs::write(folder.join("session.json"), document.to_string()).unwrap();
}

/// The tool on a machine whose state is in this folder, with this base, registry and `claude`.
fn tool(folder: &Path, [base, keys, claude]: [&Path; 3], words: &[&str]) -> Program {
    let [agent, state, names] = ["agent", "state", "names/dnsmasq-hosts"].map(|name| folder.join(name));
    let given = [
        ("--base", base),
        ("--agent-keys-dir", keys),
        ("--claude", claude),
        ("--agent-dir", &agent),
        ("--state-dir", &state),
        ("--dns-hosts", &names),
    ];
    let program =
        given.iter().fold(Program::new(TOOL), |program, (option, value)| program.arg(*option).arg(value));
    words.iter().fold(program, |program, word| program.arg(*word))
}

impl Said {
    /// What was said, with the folder written as `@HERE@`, and that of the engine as `@DOCKER@`.
    pub(crate) fn of(output: &Output, [folder, docker]: [&Path; 2]) -> Self {
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .replace(folder.to_str().unwrap(), "@HERE@")
                .replace(docker.to_str().unwrap(), "@DOCKER@")
                .replace(std::env::consts::ARCH, "@ARCH@")
        };
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: without_ports(&text(&output.stdout)), err: without_ports(&text(&output.stderr)) }
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

/// Without the ports of sshds, which are others every time.
fn without_ports(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        out.push_str("127.0.0.1:@PORT@");
        out.push_str(rest);
    }
    out
}
