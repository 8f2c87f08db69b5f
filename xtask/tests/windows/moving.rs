//! `cowork-migrate.exe`: a session that moves from one user's profile to that of whoever is signed in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::cowork::{self, CLASSIC, Placed, Session};
use testkit::tree::Tree;

use crate::machine::{Ended, Machine};

pub(crate) const TOOL: &str = "cowork-migrate";
pub(crate) const MIRA: &str = r"C:\Users\mira\AppData\Roaming\Claude";

/// A machine on which both of them work.
pub(crate) struct Move {
    pub(crate) machine: Machine,
    placed: Placed,
}

impl Move {
    pub(crate) fn of(session: &Session) -> Self {
        let machine = Machine::new();
        let users = machine.disk(r"C:\users");
        cowork::profile(&machine.home().join(CLASSIC));
        let placed = session.lay_out(&cowork::profile(&users.join("mira").join(CLASSIC)));
        Self { machine, placed }
    }

    /// With the disk of a virtual machine that has left these files.
    fn with_machine(files: &[(&str, &str)]) -> Self {
        let moving = Self::of(&Session::numbered(7));
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join("root/calm-amber-noether-7").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let raw = dir.path().join("raw");
        fs::File::create(&raw).unwrap().set_len(16 << 20).unwrap();
        let bundle =
            moving.machine.disk(r"C:\users").join("mira").join(CLASSIC).join("vm_bundles/claudevm.bundle");
        fs::create_dir_all(&bundle).unwrap();
        let mut format = Command::new("/sbin/mkfs.ext4");
        done(format.args(["-q", "-F", "-L", "sessions", "-d"]).arg(dir.path().join("root")).arg(&raw));
        let mut convert = Command::new("qemu-img");
        done(
            convert
                .args(["convert", "-f", "raw", "-O", "vhdx"])
                .arg(&raw)
                .arg(bundle.join("sessiondata.vhdx")),
        );
        moving
    }

    fn profile(&self) -> PathBuf {
        let sessions = self.machine.home().join(CLASSIC).join("local-agent-mode-sessions");
        sessions.join(cowork::ACCOUNT).join(cowork::PROFILE)
    }

    fn archive(&self) -> PathBuf {
        self.machine.home().join("cowork-archive")
    }

    /// Where something of the session is now.
    fn moved(&self, old: &Path) -> PathBuf {
        self.profile().join(old.strip_prefix(self.placed.sidecar.parent().unwrap()).unwrap())
    }

    fn sidecar(&self) -> Value {
        serde_json::from_slice(&fs::read(self.moved(&self.placed.sidecar)).unwrap()).unwrap()
    }

    /// Everything that belongs to either of them, but for what our tools keep themselves.
    pub(crate) fn tree(&self) -> Tree {
        let own = format!("{}/AppData/Local", self.machine.user());
        Tree::of(&self.machine.disk(r"C:\users")).without(&[&own])
    }

    #[track_caller]
    fn say(&self, code: i32, words: &[&str]) -> Ended {
        self.machine.expect(code, TOOL, words)
    }

    /// What the application makes of a sidecar whose folders it does not see.
    fn first_load(&self) {
        let mut sidecar = self.sidecar();
        sidecar["userSelectedFolders"] = json!([]);
        sidecar["resolvedFolderKinds"] = json!([]);
        fs::write(self.moved(&self.placed.sidecar), serde_json::to_string_pretty(&sidecar).unwrap()).unwrap();
    }
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_session_arrives_whole_is_put_back_after_its_first_load_and_is_taken_back() {
    let moving = Move::with_machine(&[("notes/plan.md", "what only the machine had\n")]);
    let before = moving.tree();
    moving.say(0, &["--from", MIRA, "--dry-run"]);
    before.assert_same(&moving.tree(), "a dry run");

    let told = moving.say(0, &["--from", MIRA]);
    assert!(told.stdout.contains("cowork-migrate reapply"), "{}", told.stdout);
    let home = format!(r"C:\users\{}", moving.machine.user());
    let archive = format!(r"{home}\cowork-archive\calm-amber-noether-7");
    assert_eq!(moving.sidecar()["userSelectedFolders"], json!([format!(r"{home}\drafts"), archive]));
    assert!(moving.machine.home().join("drafts").is_dir());
    let notes = moving.archive().join("calm-amber-noether-7/notes/plan.md");
    assert_eq!(fs::read_to_string(notes).unwrap(), "what only the machine had\n");
    for sealed in ["audit.jsonl", ".audit-key"] {
        let old = moving.placed.directory.join(sealed);
        assert_eq!(fs::read(&old).unwrap(), fs::read(moving.moved(&old)).unwrap(), "{sealed}");
    }
    let verified = moving.say(0, &["verify"]);
    assert!(!verified.stdout.contains("link-"), "{}", verified.stdout);
    assert!(moving.say(0, &["--from", MIRA]).stdout.contains("nothing left to do"));

    let promised = fs::read(moving.moved(&moving.placed.sidecar)).unwrap();
    moving.first_load();
    moving.say(5, &["verify"]);
    moving.say(0, &["reapply"]);
    assert_eq!(fs::read(moving.moved(&moving.placed.sidecar)).unwrap(), promised);
    moving.say(0, &["verify"]);

    moving.say(0, &["undo"]);
    moving.say(0, &["undo"]);
    fs::remove_dir_all(moving.archive()).unwrap(); // what the application made of the sidecar is kept there
    before.assert_same(&moving.tree(), "undone");
}
