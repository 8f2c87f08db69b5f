//! The places that other tests stand on are what they claim to be.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::docker::Docker;

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_session_lives_in_its_container_as_on_an_agent() {
    let docker = Docker::with_sessions();
    let home = tempfile::tempdir().unwrap();
    chown(home.path(), Some(1337), Some(1338)).unwrap();
    fs::write(home.path().join("of-root"), "").unwrap();
    docker.session("one", home.path(), &["8080:8080/tcp"]);

    docker.tmux("one", &["send-keys", "-t", "claude", "good morning", "Enter"]);
    let heard = home.path().join("claude-heard");
    until("it hears", || fs::read_to_string(&heard).is_ok_and(|heard| heard == "good morning\n"));
    assert_eq!(
        fs::read_to_string(home.path().join("claude-ran")).unwrap(),
        "claude --dangerously-skip-permissions\n"
    );
    let owner = fs::metadata(&heard).unwrap();
    assert_eq!((owner.uid(), owner.gid()), (1337, 1338));
    assert_eq!(fs::metadata(home.path().join("of-root")).unwrap().uid(), 0, "the folder alone is given away");
    assert_eq!(docker.run(&["exec", "-u", "claude", "one", "sudo", "-n", "id", "-u"]), "0");

    // What it publishes is within reach in the engine's network.
    let busybox = Command::new("which").arg("busybox").output().unwrap().stdout;
    fs::copy(String::from_utf8(busybox).unwrap().trim(), home.path().join("busybox")).unwrap();
    let serve =
        ["exec", "--detach", "one", "/home/claude/busybox", "nc", "-ll", "-p", "8080", "-e", "/bin/pwd"];
    docker.run(&serve);
    let ask = "exec 3<> /dev/tcp/127.0.0.1/8080 && cat <&3";
    let answered = |mut command: Command| command.arg("-c").arg(ask).output().unwrap().stdout;
    until("its port answers", || answered(docker.command("bash")) == b"/home/claude\n");

    docker.tmux("one", &["send-keys", "-t", "claude", "/exit", "Enter"]);
    until("the container ends with it", || docker.run(&["ps", "--quiet"]).is_empty());
}
