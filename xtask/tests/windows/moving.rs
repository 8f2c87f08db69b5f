//! `cowork-migrate.exe`: a session that moves from one user's profile to that of whoever is signed in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::cowork::{self, CLASSIC, Placed, Session};
use testkit::tree::Tree;

use crate::machine::{Ended, Holder, Machine};

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

#[test]
fn what_the_virtual_machine_held_gets_names_that_windows_has_and_none_is_lost() {
    let deep = ["folder-that-is-named-at-length"; 9].join("/") + "/deep.md";
    let names = ["plan?.md", "a:b.md", "CON", "aux.txt", "ends in a dot.", "Readme.md", "README.md", &deep];
    let files: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
    let moving = Move::with_machine(&files);
    let before = moving.tree();
    moving.say(0, &["--from", MIRA]);
    let held = moving.archive().join("calm-amber-noether-7");
    let kept = ["plan%3F.md", "a%3Ab.md", "_CON", "_aux.txt", "ends in a dot%2E", &deep];
    for (kept, name) in kept.iter().zip(["plan?.md", "a:b.md", "CON", "aux.txt", "ends in a dot.", &deep]) {
        assert_eq!(fs::read_to_string(held.join(kept)).unwrap(), name);
    }
    let readmes =
        fs::read_dir(&held).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    assert_eq!(readmes.filter(|name| name.to_lowercase().starts_with("readme")).count(), 2);
    moving.say(0, &["verify"]);
    moving.say(0, &["undo"]);
    before.assert_same(&moving.tree(), "undone");
}

#[test]
fn the_profile_is_found_where_the_application_keeps_it_and_by_whatever_name_windows_knows_it() {
    let moving = Move::of(&Session::numbered(7));
    let before = moving.tree();
    for name in ["c:/users/MIRA/appdata/roaming/claude", r"\\?\C:\Users\mira\AppData\Roaming\Claude"] {
        moving.say(0, &["--from", name]);
        moving.say(0, &["undo"]);
        before.assert_same(&moving.tree(), name);
    }
    let newer = moving.machine.home().join("AppData/Local/Claude-Data");
    Session::numbered(8).lay_out(&cowork::profile(&newer));
    assert!(moving.say(0, &["inventory"]).stdout.contains("Sort the drafts of calm-amber-noether-8"));
    let both = moving.machine.home().join(CLASSIC).join("local-agent-mode-sessions");
    Session::numbered(9).lay_out(&both.join(cowork::ACCOUNT).join(cowork::PROFILE));
    let told = moving.say(4, &["--from", MIRA]).stderr;
    assert!(told.contains("several bases"), "{told}");
}

#[test]
fn a_session_from_the_old_machines_disk_takes_the_place_of_one_that_differs() {
    let moving = Move::of(&Session::numbered(7));
    fs::create_dir_all(moving.machine.disk(r"D:\Users")).unwrap();
    fs::rename(moving.machine.disk(r"C:\users\mira"), moving.machine.disk(r"D:\Users\mira")).unwrap();
    let mut other = Session::numbered(7);
    other.files.push(("outputs/other.md".into(), b"only here".to_vec()));
    other.lay_out(&moving.profile());
    let (before, old) = (moving.tree(), Tree::of(&moving.machine.disk(r"D:\Users")));
    let from = r"D:\Users\mira\AppData\Roaming\Claude";
    assert!(moving.say(4, &["--from", from]).stderr.contains("--replace"));
    before.assert_same(&moving.tree(), "refused");
    moving.say(0, &["--from", from, "--replace"]);
    assert!(!moving.moved(&moving.placed.directory).join("outputs/other.md").exists());
    assert!(moving.archive().join("00000007-replaced").is_dir());
    assert!(moving.sidecar()["userSelectedFolders"][0].as_str().unwrap().ends_with(r"\drafts"));
    moving.say(0, &["undo"]);
    before.assert_same(&moving.tree(), "undone");
    old.assert_same(&Tree::of(&moving.machine.disk(r"D:\Users")), "the old disk is only read");
}

#[test]
fn while_the_application_holds_its_log_nothing_is_moved() {
    let moving = Move::of(&Session::numbered(7));
    let before = moving.tree();
    let holder = Holder::of(&moving.machine, r"C:\Users\mira\AppData\Roaming\Claude\logs\main.log");
    let told = moving.say(4, &["--from", MIRA]).stderr;
    assert!(told.contains("in use by another program") && told.contains("quit Claude"), "{told}");
    drop(holder);
    before.assert_same(&moving.tree(), "refused");
}
