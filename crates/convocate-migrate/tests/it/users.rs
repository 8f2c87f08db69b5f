//! Who one is on the agent: the session user, somebody who may become root, or somebody who may not; and what things
//! are called there.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::disk::Disk;
use testkit::tree::Tree;

use crate::hosts::{AGENT, Hosts, owner, session_user, uuid};

const FILES: [u32; 12] =
    [0o0000, 0o0111, 0o0222, 0o0400, 0o0444, 0o0500, 0o0640, 0o0755, 0o1777, 0o2755, 0o4755, 0o6755];
const FOLDERS: [u32; 8] = [0o0000, 0o0300, 0o0500, 0o0555, 0o0700, 0o1777, 0o2775, 0o6755];

/// A session with every mode there is, of files that belong to anybody.
fn of_all_modes() -> Hosts {
    session_user();
    lets_in("claude");
    let hosts = Hosts::with(1);
    let session = hosts.shell().join(uuid(0));
    for (at, mode) in FILES.into_iter().enumerate() {
        let file = session.join(format!("file {mode:04o}"));
        fs::write(&file, format!("{mode:04o}")).unwrap();
        std::os::unix::fs::chown(&file, u32::try_from(at * 1000).ok(), Some(7)).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }
    for mode in FOLDERS {
        let folder = session.join(format!("folder {mode:04o}"));
        fs::create_dir(&folder).unwrap();
        fs::create_dir(folder.join("inner")).unwrap();
        fs::write(folder.join("inner/inside"), "inside").unwrap();
        fs::set_permissions(folder.join("inner"), fs::Permissions::from_mode(0o400)).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    }
    // What is only ours to see is what lies beside both bases.
    fs::set_permissions(hosts.folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    std::os::unix::fs::chown(hosts.agent(), Some(id("claude")), None).unwrap();
    hosts
}

/// Logs in as this user from now on, who has a key and no password.
fn log_in(hosts: &Hosts, user: &str) {
    let host = format!("{user}@{}:{}\n", hosts.sshd.address(), hosts.sshd.port());
    fs::write(hosts.keys().join(AGENT).join("agent-host"), host).unwrap();
}

/// A user whose account is locked is not let in, and one without a password is one of those.
fn lets_in(user: &str) {
    patiently(Command::new("usermod").args(["-p", "*", user]));
}

/// Another test may be changing users right now.
fn patiently(command: &mut Command) {
    let begun = Instant::now();
    while !command.output().unwrap().status.success() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{command:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn id(user: &str) -> u32 {
    let id = Command::new("id").args(["-u", user]).output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().parse().unwrap()
}

/// Moves it, and expects every file with its mode, but for the bits that set ids, and the session user as its owner.
fn arrives(hosts: &Hosts) {
    let before = hosts.both();
    let said = hosts.moves(0, &["--all"]);
    let reported = "file 2755 and 4 more: each arrives without the bits that set ids";
    assert!(said.contains(reported), "{said}");
    let session = hosts.agent().join(uuid(0));
    for (kind, modes) in [("file", &FILES[..]), ("folder", &FOLDERS[..])] {
        for mode in modes {
            let path = session.join(format!("{kind} {mode:04o}"));
            let found = path.symlink_metadata().unwrap();
            assert_eq!(format!("{:04o}", found.mode() & 0o7777), format!("{:04o}", mode & 0o1777));
            assert_eq!(owner(&path), "claude");
        }
    }
    assert_eq!(owner(&session.join("folder 0000/inner/inside")), "claude");
    hosts.expect(0, &["verify"]);
    hosts.expect(0, &["undo"]);
    before[0].assert_same(&Tree::of(&hosts.shell()), "undone here");
    before[1].assert_same(&Tree::of(&hosts.agent()), "undone there");
}

#[test]
fn the_session_user_needs_to_be_nobody_else_to_take_a_session_of_any_modes() {
    let hosts = of_all_modes();
    log_in(&hosts, "claude");
    arrives(&hosts);
}

/// A user of this test alone, who is gone with it.
struct Somebody(&'static str);

impl Somebody {
    const RULES: &'static str = "/etc/sudoers.d/rehome-somebody";

    fn new(name: &'static str) -> Self {
        patiently(Command::new("sh").args(["-c", "id $1 || useradd -M -p '*' $1", "sh", name]));
        Self(name)
    }

    /// He may become root without being asked for a password.
    fn may_become_root(&self) {
        assert!(Path::new("/etc/sudoers.d").exists(), "there is no sudo here: install sudo");
        fs::write(Self::RULES, format!("{} ALL=(ALL) NOPASSWD: ALL\n", self.0)).unwrap();
        fs::set_permissions(Self::RULES, fs::Permissions::from_mode(0o440)).unwrap();
    }
}

impl Drop for Somebody {
    fn drop(&mut self) {
        let _ = fs::remove_file(Self::RULES);
        patiently(Command::new("userdel").arg(self.0));
    }
}

#[test]
fn somebody_else_needs_sudo_to_give_a_session_to_its_user() {
    let hosts = of_all_modes();
    let somebody = Somebody::new("rehome-somebody");
    log_in(&hosts, somebody.0);
    let before = hosts.both();
    let output = hosts.tool(&["--agent", AGENT, "--all"]).run();
    let said = crate::hosts::said(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("it is neither root nor may it run `sudo -n`"), "{said}");
    assert!(said.contains("--ssh-user claude"), "{said}");
    before[1].assert_same(&Tree::of(&hosts.agent()), "nothing was brought");
    somebody.may_become_root();
    arrives(&hosts);
}

#[test]
fn names_that_would_be_one_on_the_agent_are_both_named_and_nothing_is_shown() {
    session_user();
    let hosts = Hosts::with(1);
    let agent = hosts.agent();
    let Some(_disk) = Disk::that_folds_case(&agent) else {
        eprintln!("SKIPPED: no disk that folds names could be mounted (ntfs-3g, FUSE), so nothing was shown");
        return;
    };
    let before = hosts.both();
    let said = hosts.moves(3, &["--all"]);
    assert!(said.contains("Makefile and makefile would be one name on k7m2p9x4qwzt"), "{said}");
    assert!(said.contains("[names-clash]"), "{said}");
    before[0].assert_same(&Tree::of(&hosts.shell()), "the source");
    before[1].assert_same(&Tree::of(&agent), "nothing is left there");
}

#[test]
fn whatever_a_session_or_a_base_is_called_none_of_it_is_run() {
    session_user();
    for transport in ["openssh", "libssh2"] {
        let hosts = Hosts::with(1);
        hosts.says(0, "name", &"$(touch pwned)`touch pwned`; touch pwned".into());
        let base = hosts.folder.path().join("-n '\"$(touch pwned)\n`touch pwned`; touch pwned #");
        fs::create_dir(&base).unwrap();
        let before = [Tree::of(&hosts.shell()), Tree::of(&base)];
        let words = ["--all", "--transport", transport, "--agent-base", base.to_str().unwrap()];
        hosts.moves(0, &words);
        assert!(base.join(uuid(0)).join("Makefile").exists());
        hosts.expect(0, &["verify"]);
        hosts.expect(0, &["undo"]);
        before[0].assert_same(&Tree::of(&hosts.shell()), "undone here");
        before[1].assert_same(&Tree::of(&base), "undone there");
        hosts.moves(4, &["--all", "--transport", transport, "--ssh-user", "`touch pwned`"]);
        let places = [hosts.folder.path(), &base, &std::env::home_dir().unwrap(), Path::new(".")];
        assert!(places.iter().all(|place| !place.join("pwned").exists()), "something was run");
    }
}
