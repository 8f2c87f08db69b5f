//! An original agent's API as a stock sshd serves it: a program that works with the sessions in a base, one question a
//! call.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use serde_json::json;

use crate::docker::{self, Docker};

/// Does what the original does, its faults included.
const PROGRAM: &str = include_str!("agent/original.py");

/// The program, and what a test may tell it.
#[derive(Debug)]
pub struct Agent {
    folder: PathBuf,
}

impl Agent {
    /// Writes it into this folder, working with the sessions in this base. It has no engine, so none of them runs.
    ///
    /// # Panics
    /// If the folder cannot be written to.
    pub fn new(folder: &Path, base: &Path) -> Self {
        Self::written(folder, base, &[], &[])
    }

    /// The same with an engine, which is given these further options for each container that it starts.
    ///
    /// # Panics
    /// If the folder cannot be written to.
    pub fn with_engine(folder: &Path, base: &Path, engine: &Docker, options: &[&str]) -> Self {
        Self::written(folder, base, &["docker", "--host", &engine.host()], options)
    }

    fn written(folder: &Path, base: &Path, docker: &[&str], options: &[&str]) -> Self {
        let agent = Self { folder: folder.join("agent-api") };
        fs::create_dir_all(&agent.folder).unwrap();
        let program = [
            ("@HERE@", json!(agent.folder)),
            ("@BASE@", json!(base)),
            ("@DOCKER@", json!(docker)),
            ("@IMAGE@", json!(docker::IMAGE)),
            ("@OPTIONS@", json!(options)),
        ];
        let program = program
            .iter()
            .fold(PROGRAM.to_owned(), |text, (name, value)| text.replace(name, &value.to_string()));
        fs::write(agent.program(), program).unwrap();
        fs::set_permissions(agent.program(), fs::Permissions::from_mode(0o755)).unwrap();
        agent
    }

    /// The program.
    pub fn program(&self) -> PathBuf {
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
