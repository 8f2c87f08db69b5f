//! A shell host with orphans, and an agent behind a stock sshd: two bases on this machine.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use testkit::agent::Agent;
pub(crate) use testkit::agent::session_user;
use testkit::crash::Program;
use testkit::network::Network;
use testkit::sshd::Sshd;
use testkit::tree::Tree;

pub(crate) const AGENT: &str = "k7m2p9x4qwzt";

/// Both hosts.
pub(crate) struct Hosts {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) sshd: Sshd,
    /// The agent's API, which only some tests need.
    api: Option<Agent>,
}

/// The id of the n-th session.
pub(crate) fn uuid(n: usize) -> String {
    format!("3f0c1d2e-5b6a-4c7d-8e9f-{n:012x}")
}

impl Hosts {
    /// With this many sessions.
    pub(crate) fn with(sessions: usize) -> Self {
        let sshd = Sshd::start(&["Subsystem sftp internal-sftp"]);
        let hosts = Self { folder: testkit::crash::place(), sshd, api: None };
        hosts.begin_again(sessions);
        hosts
    }

    /// With this many sessions, and the agent at the other end of a network.
    pub(crate) fn on(network: &Network, sessions: usize) -> Self {
        let hosts = Self { folder: testkit::crash::place(), sshd: Sshd::on(network, &[]), api: None };
        hosts.begin_again(sessions);
        hosts
    }

    /// With this many sessions, and an agent that can be asked.
    pub(crate) fn with_api(sessions: usize) -> Self {
        let folder = testkit::crash::place();
        let agent = Agent::new(folder.path(), &folder.path().join("agent"));
        let hosts = Self { sshd: Sshd::start(&[&agent.subsystem()]), folder, api: Some(agent) };
        hosts.begin_again(sessions);
        hosts.register(AGENT, &hosts.sshd);
        hosts
    }

    /// What the agent is told to say.
    pub(crate) fn api(&self) -> &Agent {
        self.api.as_ref().unwrap()
    }

    /// Registers an agent whose sshd serves its API too.
    pub(crate) fn register(&self, id: &str, sshd: &Sshd) {
        let folder = self.keys().join(id);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(sshd.identity(), folder.join("shell_to_agent_ed25519_key")).unwrap();
        fs::write(folder.join("agent-host"), format!("root@127.0.0.1:{}\n", sshd.port())).unwrap();
        let written = format!("{{\"api\":\"sshd\",\"port\":{},\"user\":\"root\"}}", sshd.port());
        fs::write(folder.join("session-control.json"), written).unwrap();
    }

    /// Has something else in a session's document.
    pub(crate) fn says(&self, n: usize, member: &str, value: &serde_json::Value) {
        let path = self.shell().join(uuid(n)).join("session.json");
        let text = fs::read_to_string(&path).unwrap();
        let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
        document[member] = value.clone();
        fs::write(path, document.to_string()).unwrap();
    }

    /// As they were before anything was moved.
    pub(crate) fn begin_again(&self, sessions: usize) {
        for name in ["shell", "agent", "keys", "state"] {
            let _ = fs::remove_dir_all(self.folder.path().join(name));
        }
        for folder in [self.shell(), self.agent(), self.keys().join(AGENT)] {
            fs::create_dir_all(folder).unwrap();
        }
        let registered = self.keys().join(AGENT);
        fs::copy(self.sshd.identity(), registered.join("shell_to_agent_ed25519_key")).unwrap();
        fs::write(
            registered.join("agent-host"),
            format!("root@{}:{}\n", self.sshd.address(), self.sshd.port()),
        )
        .unwrap();
        (0..sessions).for_each(|n| self.session(n));
    }

    fn session(&self, n: usize) {
        let (folder, id) = (self.shell().join(uuid(n)), uuid(n));
        fs::create_dir_all(folder.join(".claude/projects/-home-claude")).unwrap();
        let port = 8000 + n;
        let document = format!(
            "{{\n  \"uuid\": \"{id}\",\n  \"name\": \"session {n}\",\n  \"created_at\": \"2026-02-11T08:15:30.5Z\",\n  \
             \"last_accessed\": \"2026-03-02T17:00:00Z\",\n  \"port\": {port}\n}}"
        );
        fs::write(folder.join("session.json"), document).unwrap();
        fs::write(folder.join(".claude/projects/-home-claude/a.jsonl"), "{\"type\":\"user\"}\n").unwrap();
        symlink("/home/claude/.claude-shared/settings.json", folder.join(".claude/settings.json")).unwrap();
        fs::write(folder.join("Makefile"), "all:\n").unwrap();
        fs::write(folder.join("makefile"), "other:\n").unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
    }

    pub(crate) fn shell(&self) -> PathBuf {
        self.folder.path().join("shell")
    }

    pub(crate) fn agent(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// Both bases, to be compared with how they were.
    pub(crate) fn both(&self) -> [Tree; 2] {
        [Tree::of(&self.shell()), Tree::of(&self.agent())]
    }

    /// The tool with everything that these hosts need, and no container engine to ask.
    pub(crate) fn tool(&self, words: &[&str]) -> Program {
        let program = Program::new(env!("CARGO_BIN_EXE_convocate-migrate")).alone();
        self.tool_as(program, &[&["--no-docker-check"], words].concat())
    }

    /// The same as this program, which asks the engine that it is told of.
    pub(crate) fn tool_as(&self, program: Program, words: &[&str]) -> Program {
        let at = |name: &str| self.folder.path().join(name);
        let options: [(&str, PathBuf); 5] = [
            ("--state-dir", at("state")),
            ("--shell-base", self.shell()),
            ("--agent-base", self.agent()),
            ("--agent-keys-dir", self.keys()),
            ("--known-hosts", self.sshd.known_hosts()),
        ];
        // What a test says itself takes the place of what is said here.
        let options = options.into_iter().filter(|(option, _)| !words.contains(option));
        let program = options.fold(program, |program, (option, value)| program.arg(option).arg(value));
        let program = program.arg("--profile").arg("convocate").env("TMPDIR", self.moments());
        words.iter().fold(program, |program, word| program.arg(*word))
    }

    /// Where the tool puts what it needs for a moment.
    pub(crate) fn moments(&self) -> PathBuf {
        let folder = self.folder.path().join("moments");
        let _ = fs::create_dir(&folder);
        folder
    }

    /// The `ssh` processes that talk to the agent and do not end by themselves within seconds.
    pub(crate) fn clients(&self) -> Vec<u32> {
        let port = format!("-p {} ", self.sshd.port());
        let clients = || {
            let listing = Command::new("ps").args(["-ww", "-C", "ssh", "-o", "pid=,args="]).output().unwrap();
            let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
            let ours = listing.lines().filter(|line| line.contains(&port));
            ours.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect::<Vec<u32>>()
        };
        let begun = Instant::now();
        while !clients().is_empty() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(50));
        }
        clients()
    }

    /// Runs it, and expects this exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, words: &[&str]) -> String {
        let output = self.tool(words).run();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Moves these and expects this exit code.
    #[track_caller]
    pub(crate) fn moves(&self, code: i32, words: &[&str]) -> String {
        self.expect(code, &[&["--agent", AGENT], words].concat())
    }
}

pub(crate) fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned()).join("\n")
}

/// Who a file belongs to.
pub(crate) fn owner(path: &Path) -> String {
    let stat = Command::new("stat").args(["-c", "%U"]).arg(path).output().unwrap();
    String::from_utf8(stat.stdout).unwrap().trim().to_owned()
}
