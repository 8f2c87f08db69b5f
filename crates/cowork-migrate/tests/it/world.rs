//! A Windows machine's disk with two users, and the tool run on it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Value, json};
use testkit::cowork::{self, CLASSIC, Placed, Session};
use testkit::crash::Program;
use testkit::tree::Tree;

/// What every report has to be like.
static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/report.schema.json");
    let schema = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// The old user, `mira`, and the new one, `otto`: both on drive C.
pub(crate) struct World {
    dir: tempfile::TempDir,
    pub(crate) placed: Placed,
    pub(crate) session: Session,
}

/// Where tools for disks are.
const SYSTEM: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// How a run of the tool ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    /// Both profiles, and a session in the first.
    pub(crate) fn new(session: Session) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), session)
    }

    pub(crate) fn in_dir(dir: tempfile::TempDir, session: Session) -> Self {
        let here = dir.path().join("c/Users");
        let old = cowork::profile(&here.join("mira").join(CLASSIC));
        cowork::profile(&here.join("otto").join(CLASSIC));
        let placed = session.lay_out(&old);
        Self { dir, placed, session }
    }

    /// Everything gone, and laid out anew at the same path; the disk of the machine stays.
    pub(crate) fn begin_again(&mut self) {
        let bundle = self.base_of("mira").join("vm_bundles");
        let kept = self.path().join("kept");
        let has_image = bundle.exists();
        if has_image {
            std::fs::rename(&bundle, &kept).unwrap();
        }
        for name in ["c", "state"] {
            let _ = std::fs::remove_dir_all(self.dir.path().join(name));
        }
        let here = self.dir.path().join("c/Users");
        let old = cowork::profile(&here.join("mira").join(CLASSIC));
        cowork::profile(&here.join("otto").join(CLASSIC));
        self.placed = self.session.lay_out(&old);
        if has_image {
            std::fs::rename(&kept, &bundle).unwrap();
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    pub(crate) fn disk(&self) -> PathBuf {
        self.path().join("c")
    }

    pub(crate) fn base_of(&self, user: &str) -> PathBuf {
        self.disk().join("Users").join(user).join(CLASSIC)
    }

    pub(crate) fn profile_of(&self, user: &str) -> PathBuf {
        self.base_of(user).join("local-agent-mode-sessions").join(cowork::ACCOUNT).join(cowork::PROFILE)
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.disk().join("Users/otto/cowork-archive")
    }

    /// Where something of the old profile is in the new one.
    pub(crate) fn moved(&self, path: &Path) -> PathBuf {
        let old = self.dir.path().join("c/Users/mira").join(CLASSIC).join("local-agent-mode-sessions");
        let old = old.join(cowork::ACCOUNT).join(cowork::PROFILE);
        self.profile_of("otto").join(path.strip_prefix(old).unwrap())
    }

    pub(crate) fn new_sidecar(&self) -> PathBuf {
        self.moved(&self.placed.sidecar)
    }

    pub(crate) fn sidecar(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.new_sidecar()).unwrap()).unwrap()
    }

    pub(crate) fn new_transcript(&self) -> String {
        std::fs::read_to_string(self.moved(&self.placed.transcript)).unwrap()
    }

    /// The disk of the virtual machine, made by the tools that make such disks.
    pub(crate) fn lay_out_image(&self, files: &[(&str, &str)]) {
        let root = self.path().join("machine");
        let _ = std::fs::remove_dir_all(&root);
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let raw = self.path().join("disk.img");
        std::fs::File::create(&raw).unwrap().set_len(16 << 20).unwrap();
        let mkfs = ["-q", "-F", "-L", "sessions", "-d"];
        run(Command::new("mkfs.ext4").args(mkfs).arg(&root).arg(&raw).env("PATH", SYSTEM));
        self.convert(&raw);
    }

    fn convert(&self, raw: &Path) {
        let bundle = self.base_of("mira").join("vm_bundles/claudevm.bundle");
        std::fs::create_dir_all(&bundle).unwrap();
        let image = bundle.join("sessiondata.vhdx");
        run(Command::new("qemu-img").args(["convert", "-f", "raw", "-O", "vhdx"]).arg(raw).arg(&image));
    }

    /// The same disk after the inode of one of its files was overwritten.
    pub(crate) fn damage(&self, path: &str) {
        let raw = self.path().join("disk.img");
        let mut image = std::fs::read(&raw).unwrap();
        let debugfs = Command::new("debugfs")
            .args(["-R", &format!("imap \"/{path}\"")])
            .arg(&raw)
            .env("PATH", SYSTEM)
            .output()
            .unwrap();
        let said = String::from_utf8(debugfs.stdout).unwrap();
        let number = |after: &str, radix| {
            let rest = said.split_once(after).unwrap_or_else(|| panic!("{said}")).1;
            usize::from_str_radix(rest.split([',', '\n']).next().unwrap(), radix).unwrap()
        };
        let block_size = 1024 << image[1024 + 24];
        let inode = number("at block ", 10) * block_size + number("offset 0x", 16);
        image[inode + 4..inode + 100].fill(0x5a);
        std::fs::write(&raw, image).unwrap();
        self.convert(&raw);
    }

    /// The arguments of a whole move.
    pub(crate) fn whole(&self) -> Vec<String> {
        let drive = format!("C:={}", self.disk().display());
        let from = self.base_of("mira").display().to_string();
        let to = self.base_of("otto").display().to_string();
        ["--from", &from, "--to", &to, "--drive", &drive].map(str::to_owned).into()
    }

    /// The tool, in no other environment.
    pub(crate) fn tool(&self, arguments: &[String]) -> Program {
        let tool = Program::new(env!("CARGO_BIN_EXE_cowork-migrate"));
        let tool = arguments.iter().fold(tool, |tool, argument| tool.arg(argument.clone()));
        tool.env("HOME", self.path().join("home")).env("REHOME_STATE_DIR", self.path().join("state"))
    }

    /// The tool in a home of a fixture.
    pub(crate) fn tool_alone(home: &Path, words: &[&str]) -> std::process::Output {
        let tool = Program::new(env!("CARGO_BIN_EXE_cowork-migrate"));
        let tool = words.iter().fold(tool, |tool, word| tool.arg(*word));
        tool.env("HOME", home).env("REHOME_STATE_DIR", home.join("state")).run()
    }

    pub(crate) fn run(&self, arguments: &[String]) -> Ended {
        let output = self.tool(arguments).run();
        let shown = |bytes: &[u8]| self.redacted(&String::from_utf8_lossy(bytes));
        Ended { code: output.status.code(), stdout: shown(&output.stdout), stderr: shown(&output.stderr) }
    }

    #[track_caller]
    pub(crate) fn expect(&self, code: i32, arguments: &[String]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}\n{}{}", ended.stdout, ended.stderr);
        ended
    }

    /// A whole move, and what more is said.
    #[track_caller]
    pub(crate) fn move_it(&self, code: i32, more: &[&str]) -> Ended {
        self.expect(code, &self.whole_and(more))
    }

    pub(crate) fn whole_and(&self, more: &[&str]) -> Vec<String> {
        let more = more.iter().map(|it| (*it).to_owned());
        self.whole().into_iter().chain(more).collect()
    }

    #[track_caller]
    pub(crate) fn say(&self, code: i32, words: &[&str]) -> Ended {
        self.expect(code, &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    /// The JSON report of a command.
    #[track_caller]
    pub(crate) fn report(&self, code: i32, arguments: &[String]) -> Value {
        let with_json: Vec<String> = arguments.iter().cloned().chain(["--json".to_owned()]).collect();
        let output = self.tool(&with_json).run();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let report = serde_json::from_slice(&output.stdout).unwrap();
        let offences: Vec<String> = SCHEMA.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(offences.is_empty(), "{arguments:?}: {offences:?}");
        report
    }

    pub(crate) fn redacted(&self, text: &str) -> String {
        testkit::redact::without_run_ids(&text.replace(self.path().to_str().unwrap(), "@HERE@"))
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::of(&self.disk())
    }

    pub(crate) fn has_run(&self) -> bool {
        let runs = std::fs::read_dir(self.path().join("state/runs"));
        runs.is_ok_and(|runs| runs.flatten().any(|run| !run.file_name().to_string_lossy().starts_with('.')))
    }

    /// What the application makes of a sidecar on loading: folders that it does not see are gone, and so is what it does
    /// not know.
    pub(crate) fn first_load(&self) {
        let mut sidecar = self.sidecar();
        sidecar["userSelectedFolders"] = json!([]);
        sidecar["resolvedFolderKinds"] = json!([]);
        std::fs::write(self.new_sidecar(), serde_json::to_string_pretty(&sidecar).unwrap()).unwrap();
    }
}

/// A session whose machine has left files on its disk.
pub(crate) fn with_machine() -> World {
    machine_in(tempfile::tempdir().unwrap())
}

pub(crate) fn machine_in(dir: tempfile::TempDir) -> World {
    let world = World::in_dir(dir, Session::numbered(7));
    world.lay_out_image(&[
        ("calm-amber-noether-7/notes/plan?.md", "what only the machine had\n"),
        ("calm-amber-noether-7/.cache/x", "fetched again\n"),
        ("other-vm/secret", "somebody else's\n"),
    ]);
    world
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
