//! A Windows-shaped home of the Cowork app, made in code: base, account, profile, sessions, log. For tests that need a
//! session of their own making; what people should be able to read lies in `fixtures/cowork-migrate/`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The account of every session made here.
pub const ACCOUNT: &str = "1c9f2a77-3b5e-4d10-9c41-8a6b0f2d7e01";

/// Its profile.
pub const PROFILE: &str = "7be01c52-94aa-4f0e-8d2c-5a3e6b1f9c02";

/// The base of the classic installer, below a home.
pub const CLASSIC: &str = "AppData/Roaming/Claude";

/// One session, before it is laid out.
#[derive(Debug, Clone)]
pub struct Session {
    /// The UUID of `sessionId`.
    pub uuid: String,
    /// `cliSessionId`.
    pub cli: String,
    /// `vmProcessName`.
    pub vm: String,
    /// The sidecar, to be changed at will.
    pub sidecar: Value,
    /// The transcript, byte for byte.
    pub transcript: Vec<u8>,
    /// Further files, by their path below the session's folder.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Where a session was laid out.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Its sidecar.
    pub sidecar: PathBuf,
    /// Its folder.
    pub directory: PathBuf,
    /// Its transcript.
    pub transcript: PathBuf,
}

/// Makes a base with an empty profile and a log, and returns the profile's folder.
///
/// # Panics
/// If it cannot be made.
pub fn profile(base: &Path) -> PathBuf {
    let profile = base.join("local-agent-mode-sessions").join(ACCOUNT).join(PROFILE);
    fs::create_dir_all(&profile).unwrap();
    write(&base.join("logs/main.log"), b"2026-01-20 10:00:00 [info] Loaded 0 persisted sessions from here\n");
    profile
}

impl Session {
    /// The session of this number: its ids begin with the number in eight hexadecimal digits.
    pub fn numbered(number: u32) -> Self {
        let uuid = format!("{number:08x}-5e11-4c0f-9d3a-1b2c3d4e5f60");
        let cli = format!("{number:08x}-c11c-4a77-8b1e-0f9e8d7c6b5a");
        let vm = format!("calm-amber-noether-{number}");
        Self {
            sidecar: sidecar(&uuid, &cli, &vm),
            transcript: transcript(&cli, &vm),
            files: files(),
            uuid,
            cli,
            vm,
        }
    }

    /// Its sidecar with other values for these members; `null` removes one.
    ///
    /// # Panics
    /// If `members` is no object.
    #[must_use]
    pub fn with(mut self, members: &Value) -> Self {
        let sidecar = self.sidecar.as_object_mut().unwrap();
        for (name, value) in members.as_object().unwrap() {
            if value.is_null() {
                sidecar.shift_remove(name);
            } else {
                sidecar.insert(name.clone(), value.clone());
            }
        }
        self
    }

    /// Writes it into a profile (or a bundle), as the app would.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn lay_out(&self, profile: &Path) -> Placed {
        let name = format!("local_{}", self.uuid);
        let directory = profile.join(&name);
        let slug = directory.join(format!(".claude/projects/-sessions-{}", self.vm));
        let placed = Placed {
            sidecar: profile.join(format!("{name}.json")),
            transcript: slug.join(format!("{}.jsonl", self.cli)),
            directory,
        };
        write(&placed.sidecar, serde_json::to_string_pretty(&self.sidecar).unwrap().as_bytes());
        write(&placed.transcript, &self.transcript);
        let beside = slug.join(&self.cli);
        write(&beside.join("subagents/agent-a1.jsonl"), &transcript("a1", &self.vm));
        write(&beside.join("subagents/agent-a1.meta.json"), b"{\"agentType\":\"explore\"}\n");
        write(&beside.join("tool-results/result-1.txt"), b"C:\\Users\\mira stays as it is here\n");
        for (path, bytes) in &self.files {
            write(&placed.directory.join(path), bytes);
        }
        placed
    }
}

fn sidecar(uuid: &str, cli: &str, vm: &str) -> Value {
    json!({
        "sessionId": format!("local_{uuid}"),
        "processName": vm,
        "cliSessionId": cli,
        "cwd": format!("/sessions/{vm}"),
        "userSelectedFolders": ["C:\\Users\\mira\\drafts"],
        "resolvedFolderKinds": [{"display": "C:\\Users\\mira\\drafts", "kind": "local"}],
        "createdAt": 1_768_896_000_000_u64,
        "lastActivityAt": 1_768_903_200_000_u64,
        "model": "claude-opus-4-5",
        "isArchived": false,
        "title": format!("Sort the drafts of {vm}"),
        "vmProcessName": vm,
        "hostLoopMode": false,
        "folderMountNames": {"C:\\Users\\mira\\drafts": "drafts"},
        "fsDetectedFiles": [],
        "userApprovedFileAccessPaths": [],
    })
}

fn transcript(session: &str, vm: &str) -> Vec<u8> {
    let row = |kind: &str, number: u32, text: &str| {
        let parent = (number > 1).then(|| id(number - 1));
        let content = json!({"role": kind, "content": [{"type": "text", "text": text}]});
        let mut row = json!({
            "parentUuid": parent, "isSidechain": false, "cwd": format!("/sessions/{vm}"),
            "sessionId": session, "version": "2.1.197", "type": kind,
        });
        row["message"] = content;
        row["uuid"] = id(number).into();
        row["timestamp"] = format!("2026-01-20T10:00:{number:02}.000Z").into();
        format!("{row}\n")
    };
    let read = format!("Look at /sessions/{vm}/mnt/drafts/plan.md");
    let told = format!("It is at /sessions/{vm}/mnt/outputs/plan.md now.");
    [row("user", 1, &read), row("assistant", 2, &told)].concat().into_bytes()
}

fn id(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

fn files() -> Vec<(String, Vec<u8>)> {
    let text = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
    vec![
        text(".audit-key", "sealed by the system of that machine\n"),
        text(".claude/.claude.json", "{\"numStartups\":3}\n"),
        text(".claude/.credentials.json", "{\"not\":\"to be copied\"}\n"),
        text(".claude/mcp-needs-auth-cache.json", "{}\n"),
        text("audit.jsonl", "{\"type\":\"user\",\"_audit_hmac\":\"00\"}\n"),
        text("outputs/plan.md", "# Plan\n"),
        text("uploads/letter.txt", "Dear Otto\n"),
    ]
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
