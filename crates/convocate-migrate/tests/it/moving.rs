//! What moves arrives whole, and comes back.

use std::fs;

use testkit::crash::Program;
use testkit::tree::Tree;

use crate::hosts::{AGENT, Hosts, owner, said, session_user, uuid};

#[test]
fn a_session_arrives_as_it_was_and_comes_back_as_it_was() {
    session_user();
    let hosts = Hosts::with(2);
    let before = hosts.both();
    let session = Tree::of(&hosts.shell().join(uuid(0)));
    fs::write(hosts.shell().join(format!("{}.lock", uuid(0))), "4194303").unwrap();
    let locked = hosts.both();

    let planned = hosts.moves(0, &["--session", &uuid(0), "--dry-run"]);
    assert!(planned.contains("nothing was written"), "{planned}");
    locked[0].assert_same(&Tree::of(&hosts.shell()), "a dry run writes nothing here");
    locked[1].assert_same(&Tree::of(&hosts.agent()), "a dry run writes nothing there");

    hosts.moves(0, &["--session", &uuid(0)]);
    let arrived = Tree::of(&hosts.agent().join(uuid(0)));
    let difference = session.difference(&arrived);
    assert_eq!(difference.lines().count(), 1, "only the stamp differs: {difference}");
    let document = fs::read_to_string(hosts.agent().join(uuid(0)).join("session.json")).unwrap();
    assert!(document.ends_with("\"port\": 8000,\n  \"agent_id\": \"k7m2p9x4qwzt\"\n}"), "{document}");
    assert_eq!(owner(&hosts.agent().join(uuid(0)).join("Makefile")), "claude");
    assert!(!hosts.shell().join(uuid(0)).exists() && hosts.shell().join(".migrated").exists());
    assert!(
        !hosts.shell().join(format!("{}.lock", uuid(0))).exists(),
        "neither a stale lock is left nor ours"
    );
    hosts.expect(0, &["verify"]);

    hosts.expect(0, &["undo"]);
    locked[0].assert_same(&Tree::of(&hosts.shell()), "undone here");
    before[1].assert_same(&Tree::of(&hosts.agent()), "undone there");
}

#[test]
fn all_move_but_those_that_may_not_and_a_second_run_moves_nothing_more() {
    session_user();
    let hosts = Hosts::with(6);
    fs::write(hosts.shell().join(format!("{}.lock", uuid(1))), std::process::id().to_string()).unwrap();
    fs::write(hosts.shell().join(uuid(2)).join("session.json"), "{\"uuid\":").unwrap();
    fs::create_dir(hosts.agent().join(uuid(3))).unwrap();
    let other = hosts.agent().join(uuid(99));
    fs::create_dir(&other).unwrap();
    fs::write(other.join("session.json"), format!("{{\"uuid\": \"{}\", \"port\": 8004}}", uuid(99))).unwrap();

    let report = hosts.moves(3, &["--all"]);
    for reason in ["[locked]", "[session-json]", "[on-agent]", "[port-taken]"] {
        assert!(report.contains(reason), "{reason} in {report}");
    }
    let arrived = |n: usize| hosts.agent().join(uuid(n)).join("session.json").exists();
    assert_eq!([0, 1, 2, 3, 4, 5].map(arrived), [true, false, false, false, false, true], "{report}");

    let after = hosts.both();
    hosts.moves(3, &["--all"]);
    after[0].assert_same(&Tree::of(&hosts.shell()), "again here");
    after[1].assert_same(&Tree::of(&hosts.agent()), "again there");

    hosts.moves(3, &["--all", "--on-port-conflict", "clear"]);
    let document = fs::read_to_string(hosts.agent().join(uuid(4)).join("session.json")).unwrap();
    assert!(!document.contains("port"), "{document}");
}

#[test]
fn sessions_that_move_at_the_same_time_share_one_connection_and_all_arrive() {
    session_user();
    let hosts = Hosts::with(8);
    let before = hosts.both();
    hosts.moves(0, &["--all", "--jobs", "4"]);
    assert_eq!(hosts.sshd.logins(), 1, "{}", hosts.sshd.log());
    let arrived = |n: usize| hosts.agent().join(uuid(n)).join("session.json").exists();
    assert!((0..8).all(arrived));
    hosts.expect(0, &["undo"]);
    for (was, is) in before.iter().zip(hosts.both()) {
        was.assert_same(&is, "undone");
    }
    hosts.moves(0, &["--all", "--jobs", "4", "--purge-source"]);
    assert!((0..8).all(arrived) && !hosts.shell().join(".migrated").exists());
    assert!((0..8).all(|n| !hosts.shell().join(uuid(n)).exists()));
}

/// What somebody at a terminal sees.
fn seen(hosts: &Hosts, words: &[&str]) -> String {
    let tool = hosts.tool(&[&["--agent", AGENT, "--all"], words].concat());
    let typed = tool.words().map(migration_cli::shell_word).collect::<Vec<_>>().join(" ");
    let program = Program::new("script");
    said(&program.arg("-qec").arg(typed).arg("/dev/null").env("TERM", "xterm").run())
}

#[test]
fn somebody_at_a_terminal_sees_what_moves_how_fast_and_what_became_of_each() {
    session_user();
    let hosts = Hosts::with(8);
    let report = seen(&hosts, &[]);
    for shown in ["(session 7)  migrated", "migrating ", "/s "] {
        assert!(report.contains(shown), "{shown}: {report:?}");
    }
    assert!(report.contains(") ░") || report.contains(") █"), "a bar for each that is under way: {report:?}");
    hosts.expect(0, &["undo"]);
    let report = seen(&hosts, &["--quiet"]);
    assert!(!report.contains("migrating ") && report.contains("(session 7)  migrated"), "{report:?}");
}

#[test]
fn a_session_that_lives_on_the_agent_is_not_taken_back_unasked() {
    session_user();
    let hosts = Hosts::with(1);
    hosts.moves(0, &["--session", &uuid(0)]);
    let transcript = hosts.agent().join(uuid(0)).join(".claude/projects/-home-claude/a.jsonl");
    fs::write(&transcript, "{\"type\":\"user\"}\n{\"type\":\"assistant\"}\n").unwrap();
    let lived = hosts.both();
    hosts.expect(4, &["undo"]);
    lived[0].assert_same(&Tree::of(&hosts.shell()), "nothing is touched here");
    lived[1].assert_same(&Tree::of(&hosts.agent()), "nothing is touched there");
    hosts.expect(0, &["verify"]);
}

#[test]
fn a_session_that_somebody_has_locked_on_the_agent_is_not_taken_from_under_him() {
    session_user();
    let hosts = Hosts::with(1);
    let before = hosts.both();
    hosts.moves(0, &["--session", &uuid(0)]);
    let lock = hosts.agent().join(format!("{}.lock", uuid(0)));
    fs::write(&lock, std::process::id().to_string()).unwrap();
    let locked = hosts.both();
    hosts.expect(4, &["undo"]);
    locked[0].assert_same(&Tree::of(&hosts.shell()), "nothing is touched here");
    locked[1].assert_same(&Tree::of(&hosts.agent()), "nothing is touched there");
    fs::write(&lock, "4194303").unwrap();
    hosts.expect(0, &["undo"]);
    for (was, is) in before.iter().zip(hosts.both()) {
        was.assert_same(&is, "undone");
    }
}

#[test]
fn a_purged_source_is_gone_and_that_is_said_before() {
    session_user();
    let hosts = Hosts::with(1);
    let planned = hosts.moves(0, &["--session", &uuid(0), "--purge-source", "--dry-run"]);
    assert!(planned.contains("cannot be undone"), "{planned}");
    hosts.moves(0, &["--session", &uuid(0), "--purge-source"]);
    assert!(!hosts.shell().join(".migrated").exists());
    assert!(hosts.agent().join(uuid(0)).join("session.json").exists());
    hosts.expect(4, &["undo"]);
    assert!(hosts.agent().join(uuid(0)).join("session.json").exists(), "the only copy stays");
}

#[test]
fn the_transport_that_was_chosen_moves_a_session_and_takes_it_back() {
    session_user();
    let hosts = Hosts::with(1);
    let before = hosts.both();
    hosts.moves(0, &["--session", &uuid(0), "--transport", "libssh2"]);
    assert!(hosts.agent().join(uuid(0)).exists());
    hosts.expect(0, &["undo"]);
    for (was, is) in before.iter().zip(hosts.both()) {
        was.assert_same(&is, "undone");
    }
    // It reads no configuration of ssh, so a run that needs one says so instead of going elsewhere.
    let refused =
        hosts.tool(&["--agent", AGENT, "--all", "--transport", "libssh2", "--ssh-config", "x"]).run();
    assert!(said(&refused).contains("libssh2 does not read"), "{}", said(&refused));
}
