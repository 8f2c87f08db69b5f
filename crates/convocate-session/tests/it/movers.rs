//! Who one is on the agents: the session user, or somebody who may become root there.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::cluster::AGENTS;

use crate::place::uuid;
use crate::two::Two;

const B: &str = AGENTS[1];

/// A user of this test alone, who may become root without being asked for a password, and is gone with it.
struct Mover;

impl Mover {
    const NAME: &'static str = "rehome-mover";
    const RULES: &'static str = "/etc/sudoers.d/rehome-mover";

    fn new() -> Self {
        patiently(Command::new("sh").args(["-c", "id $1 || useradd -M -p '*' $1", "sh", Self::NAME]));
        assert!(Path::new("/etc/sudoers.d").exists(), "there is no sudo here: install sudo");
        fs::write(Self::RULES, format!("{} ALL=(ALL) NOPASSWD: ALL\n", Self::NAME)).unwrap();
        fs::set_permissions(Self::RULES, fs::Permissions::from_mode(0o440)).unwrap();
        Self
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        let _ = fs::remove_file(Self::RULES);
        patiently(Command::new("userdel").arg(Self::NAME));
    }
}

/// Another test may be changing users right now.
fn patiently(command: &mut Command) {
    let begun = Instant::now();
    while !command.output().unwrap().status.success() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{command:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_session_user_moves_what_is_his_and_whoever_may_become_root_all_of_it() {
    let two = Two::new();
    patiently(Command::new("usermod").args(["-p", "*", "claude"])); // a locked account is not let in
    two.lay(0, 1, "one");
    let private = two.session(0, 1).join("private to root");
    fs::write(&private, "root's").unwrap();
    fs::set_permissions(two.cluster.folder(), fs::Permissions::from_mode(0o711)).unwrap();
    for host in [0, 1] {
        let given = Command::new("chown").args(["-R", "claude:"]).arg(two.base(host)).status().unwrap();
        assert!(given.success());
    }
    std::os::unix::fs::chown(&private, Some(0), Some(0)).unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
    let before = two.all();
    two.refuses("cannot-be-sent", &["move", "one", "--to", B, "--ssh-user", "claude"]);

    let _mover = Mover::new();
    two.says(0, &["move", "one", "--to", B, "--ssh-user", Mover::NAME]);
    let arrived = two.session(1, 1).join("private to root");
    let owner = two.base(1).metadata().unwrap().uid();
    assert_eq!(
        (fs::read_to_string(&arrived).unwrap().as_str(), arrived.metadata().unwrap().uid()),
        ("root's", owner)
    );
    assert_eq!(arrived.metadata().unwrap().mode() & 0o7777, 0o600);
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone by whoever may become root");

    std::os::unix::fs::chown(&private, Some(owner), None).unwrap();
    let before = two.all();
    two.says(0, &["move", &uuid(1), "--to", B, "--ssh-user", "claude"]);
    assert!(arrived.exists() && !two.session(0, 1).exists());
    two.says(0, &["undo"]);
    two.assert_same(&before, "undone by the session user");
}
