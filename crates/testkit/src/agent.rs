//! An agent's API as a stock sshd serves it: a program that tells of the sessions in a base, one question a call.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

/// Answers as the original does: a list of none is null, and what it writes ends with a line end.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import json, os, sys, time
HERE, BASE = @HERE@, @BASE@
question = json.loads(sys.stdin.readline())
open(os.path.join(HERE, "asked"), "a").write(json.dumps(question) + "\n")
instead = os.path.join(HERE, "instead-of-" + question["op"])
if os.path.exists(instead):
    said = open(instead, "rb").read()
    if said == b"silence":
        time.sleep(1000)
    sys.stdout.buffer.write(said)
    sys.exit()

def session(uuid):
    try:
        return json.load(open(os.path.join(BASE, uuid, "session.json")))
    except FileNotFoundError:
        return None

def answer():
    if question["op"] == "ping":
        return {"ok": True, "result": {"agent_id": "k7m2p9x4qwzt", "version": "v0.0.5"}}
    if question["op"] == "list":
        found = [session(name) for name in sorted(os.listdir(BASE))]
        return {"ok": True, "result": [it for it in found if it] or None}
    uuid = question["params"]["id"]
    found = session(uuid)
    return {"ok": True, "result": found} if found else \
        {"ok": False, "error": "session %s does not exist" % json.dumps(uuid)}

print(json.dumps(answer()))
"#;

/// The program, and what a test may tell it.
#[derive(Debug)]
pub struct Agent {
    folder: PathBuf,
}

impl Agent {
    /// Writes it into this folder, telling of the sessions in this base.
    ///
    /// # Panics
    /// If the folder cannot be written to.
    pub fn new(folder: &Path, base: &Path) -> Self {
        let agent = Self { folder: folder.join("agent-api") };
        fs::create_dir_all(&agent.folder).unwrap();
        let text = |path: &Path| serde_json::Value::from(path.to_str().unwrap()).to_string();
        let program = PROGRAM.replace("@HERE@", &text(&agent.folder)).replace("@BASE@", &text(base));
        fs::write(agent.program(), program).unwrap();
        fs::set_permissions(agent.program(), fs::Permissions::from_mode(0o755)).unwrap();
        agent
    }

    fn program(&self) -> PathBuf {
        self.folder.join("program")
    }

    /// The line of an sshd's configuration that offers it.
    pub fn subsystem(&self) -> String {
        format!("Subsystem convocate-agent-rpc {}", self.program().display())
    }

    /// From now on it answers this to every such call; `silence` is none.
    ///
    /// # Panics
    /// If its folder is gone.
    pub fn answers(&self, op: &str, with: &str) {
        fs::write(self.folder.join(format!("instead-of-{op}")), with).unwrap();
    }

    /// From now on it answers such calls by itself again.
    ///
    /// # Panics
    /// If it has done so all the time.
    pub fn answers_by_itself(&self, op: &str) {
        fs::remove_file(self.folder.join(format!("instead-of-{op}"))).unwrap();
    }

    /// What it was asked so far, a line each.
    pub fn asked(&self) -> String {
        fs::read_to_string(self.folder.join("asked")).unwrap_or_default()
    }
}

/// The user that sessions belong to, made if this machine has none.
///
/// # Panics
/// If it cannot be made.
pub fn session_user() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let known = Command::new("id").arg("claude").output().unwrap().status.success();
        // Another test's process may be making it right now.
        let made = known || Command::new("useradd").args(["-M", "claude"]).status().unwrap().success();
        assert!(
            made || Command::new("id").arg("claude").status().unwrap().success(),
            "no user claude: run as root"
        );
    });
}
