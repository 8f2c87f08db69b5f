//! What may not be done is refused with its own sentence, and nothing is written on either side.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use testkit::disk::Disk;
use testkit::sshd::{Sshd, make_key};
use testkit::tree::Tree;

use crate::hosts::{AGENT, Hosts, said, session_user, uuid};

/// Expects a refusal with this code, and both ends as they were.
fn refuses(hosts: &Hosts, code: &str, words: &[&str]) {
    let before = hosts.both();
    let words = [&["--agent", AGENT, "--all", "--json"], words].concat();
    let output = hosts.tool(&words).run();
    assert_eq!(output.status.code(), Some(4), "{code}: {}", said(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["error"]["code"], code, "{report}");
    assert!(report["error"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    before[0].assert_same(&Tree::of(&hosts.shell()), code);
    before[1].assert_same(&Tree::of(&hosts.agent()), code);
}

#[test]
fn a_host_that_is_not_surely_the_agent_is_told_nothing() {
    let (hosts, other) = (Hosts::with(1), Sshd::start(&[]));
    let none = hosts.folder.path().join("none");
    refuses(&hosts, "unknown-host-key", &["--known-hosts", none.to_str().unwrap()]);
    let lie = hosts.folder.path().join("lie");
    let swapped = fs::read_to_string(other.known_hosts()).unwrap();
    fs::write(&lie, swapped.replace(&other.port().to_string(), &hosts.sshd.port().to_string())).unwrap();
    refuses(&hosts, "changed-host-key", &["--known-hosts", lie.to_str().unwrap()]);
}

#[test]
fn an_agent_that_cannot_be_worked_with_is_named_with_the_way_out() {
    let hosts = Hosts::with(1);
    let stranger = hosts.folder.path().join("stranger");
    make_key(&stranger);
    refuses(&hosts, "refused-key", &["--identity", stranger.to_str().unwrap()]);
    refuses(&hosts, "unreachable", &["--ssh-port", "1"]);
    refuses(&hosts, "agent-base", &["--agent-base", "/no/such/folder"]);
    refuses(&hosts, "same-folder", &["--agent-base", hosts.shell().to_str().unwrap()]);
    fs::write(hosts.keys().join(AGENT).join("agent-host"), "local\n").unwrap();
    refuses(&hosts, "local-agent", &[]);
    fs::remove_file(hosts.keys().join(AGENT).join("agent-host")).unwrap();
    refuses(&hosts, "agent", &[]);
}

#[test]
fn what_another_run_has_begun_on_the_agent_is_left_to_it_by_name() {
    session_user();
    let hosts = Hosts::with(1);
    let staging = hosts.agent().join(format!(".incoming-{}", uuid(0)));
    fs::create_dir_all(staging.join(uuid(0))).unwrap();
    fs::write(staging.join("run"), "20260302-170000-0abc").unwrap();
    fs::write(staging.join(uuid(0)).join("Makefile"), "half of").unwrap();
    let before = hosts.both();
    let said = hosts.moves(3, &["--all"]);
    assert!(said.contains("[staging-left]"), "{said}");
    assert!(said.contains("convocate-migrate resume 20260302-170000-0abc"), "{said}");
    before[0].assert_same(&Tree::of(&hosts.shell()), "here");
    before[1].assert_same(&Tree::of(&hosts.agent()), "there");

    let way_out = ["gc", "--agent", AGENT, "--older-than", "0"];
    assert!(said.contains("--state-dir DIR") && said.contains(&way_out.join(" ")), "{said}");
    hosts.expect(0, &[&way_out[..], &["--yes"]].concat());
    hosts.moves(0, &["--all"]);
}

#[test]
fn a_login_shell_that_prints_would_spoil_every_stream() {
    let mut hosts = Hosts::with(1);
    let shell = hosts.folder.path().join("chatty");
    fs::write(&shell, "#!/bin/sh\necho Welcome to this host!\nexec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"\n")
        .unwrap();
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o755)).unwrap();
    hosts.sshd = Sshd::start(&[&format!("ForceCommand {}", shell.display())]);
    let registered = hosts.keys().join(AGENT);
    fs::copy(hosts.sshd.identity(), registered.join("shell_to_agent_ed25519_key")).unwrap();
    fs::write(registered.join("agent-host"), format!("root@127.0.0.1:{}\n", hosts.sshd.port())).unwrap();
    refuses(&hosts, "chatty-shell", &[]);
}

#[test]
fn what_is_not_said_rightly_is_a_mistake_of_usage() {
    let hosts = Hosts::with(1);
    hosts.moves(2, &[]);
    hosts.expect(2, &["--all"]);
    hosts.moves(2, &["--session", "../x"]);
    hosts.moves(4, &["--session", &uuid(7)]);
}

#[test]
fn what_is_mounted_in_a_source_keeps_it_here_and_is_not_purged_with_it() {
    session_user();
    let hosts = Hosts::with(1);
    let others = hosts.folder.path().join("others");
    let bound = hosts.shell().join(uuid(0)).join("of the same disk");
    for folder in [&others, &bound] {
        fs::create_dir(folder).unwrap();
    }
    fs::write(others.join("theirs"), "").unwrap();
    let mounted = Disk::again(&others, &bound);
    let before = hosts.both();
    let said = hosts.moves(3, &["--all", "--purge-source"]);
    assert!(
        said.contains("[cannot-be-sent]") && said.contains("/of the same disk is mounted there"),
        "{said}"
    );
    before[0].assert_same(&Tree::of(&hosts.shell()), "here");
    before[1].assert_same(&Tree::of(&hosts.agent()), "there");
    drop(mounted);
    hosts.moves(0, &["--all", "--purge-source"]);
    assert!(others.join("theirs").exists() && !hosts.shell().join(uuid(0)).exists());
}

#[test]
fn what_has_holes_is_refused_for_what_it_takes_and_not_for_its_length() {
    let hosts = Hosts::with(1);
    let file = fs::File::create(hosts.shell().join(uuid(0)).join("disk image")).unwrap();
    file.set_len(10 << 30).unwrap();
    let _small = Disk::in_memory(&hosts.agent(), "size=100m");
    hosts.moves(0, &["--all", "--dry-run"]);
    std::io::copy(&mut std::io::repeat(7).take(50 << 20), &mut &file).unwrap();
    let refused = hosts.moves(4, &["--all", "--dry-run", "--json"]);
    assert!(refused.contains("\"no-room\""), "{refused}");
}

#[test]
fn a_folder_of_the_agent_that_cannot_be_written_to_is_refused_before_anything_is_sent() {
    let hosts = Hosts::with(1);
    let _read_only = Disk::in_memory(&hosts.agent(), "ro,size=1m");
    refuses(&hosts, "rights", &[]);
}

#[test]
fn a_host_without_orphans_is_told_so() {
    let hosts = Hosts::with(0);
    let listed = hosts.expect(0, &["list"]);
    assert!(listed.contains("there are no orphan sessions in"), "{listed}");
}
