//! What agents say decides what becomes of a source.

use std::fs;

use serde_json::json;
use testkit::agent::Agent;
use testkit::sshd::Sshd;
use testkit::tree::Tree;

use crate::hosts::{Hosts, session_user, uuid};

const OTHER: &str = "b2c3d4e5f6g7";

/// The sessions that have arrived, of so many.
fn arrived(hosts: &Hosts, of: usize) -> Vec<usize> {
    (0..of).filter(|&n| hosts.agent().join(uuid(n)).join("session.json").exists()).collect()
}

#[test]
fn an_agent_that_tells_of_the_session_gets_it_and_is_asked_nothing_an_original_does_not_know() {
    session_user();
    let hosts = Hosts::with_api(1);
    hosts.moves(0, &["--session", &uuid(0)]);
    assert!(!hosts.shell().join(uuid(0)).exists());
    let asked = hosts.api().asked();
    let get = format!("{{\"op\":\"get\",\"params\":{{\"id\":\"{}\"}}}}", uuid(0));
    let known = ["{\"op\":\"list\",\"params\":null}", &get];
    assert!(asked.lines().all(|line| known.contains(&line)) && asked.contains(&get), "{asked}");
    hosts.expect(0, &["verify"]);
}

fn session_of(hosts: &Hosts) -> Tree {
    Tree::of(&hosts.shell().join(uuid(0)))
}

#[test]
fn a_session_that_runs_on_the_agent_is_not_taken_back_from_under_its_user() {
    session_user();
    let hosts = Hosts::with_api(1);
    hosts.moves(0, &["--session", &uuid(0)]);
    hosts
        .api()
        .answers("list", &json!({"ok": true, "result": [{"uuid": uuid(0), "running": true}]}).to_string());
    let lives = hosts.both();
    hosts.expect(4, &["undo"]);
    lives[0].assert_same(&Tree::of(&hosts.shell()), "here");
    lives[1].assert_same(&Tree::of(&hosts.agent()), "there");
    hosts.api().answers_by_itself("list");
    hosts.expect(0, &["undo"]);
}

#[test]
fn a_source_stays_unless_the_agent_tells_the_same_of_its_copy() {
    session_user();
    let hosts = Hosts::with_api(1);
    let document: serde_json::Value =
        serde_json::from_slice(&fs::read(hosts.shell().join(uuid(0)).join("session.json")).unwrap()).unwrap();
    let with = |member: &str, value: serde_json::Value| {
        let mut other = document.clone();
        other[member] = value;
        json!({"ok": true, "result": other}).to_string()
    };
    let answers = [
        ("agent-differs", with("port", json!(1))),
        ("agent-differs", with("name", json!("another"))),
        ("agent-differs", with("created_at", json!("2026-02-11T08:15:31Z"))),
        ("agent-runs-it", with("running", json!(true))),
        ("agent-does-not-know", json!({"ok": false, "error": "session does not exist"}).to_string()),
        ("agent-refuses", json!({"ok": false, "error": "failed to parse session metadata"}).to_string()),
    ];
    for (code, answer) in answers {
        let before = [session_of(&hosts), Tree::of(&hosts.agent())];
        hosts.api().answers("get", &answer);
        let report = hosts.moves(5, &["--session", &uuid(0)]);
        assert_eq!(report.matches(&format!("[{code}]")).count(), 1, "{code}: {report}");
        before[0].assert_same(&session_of(&hosts), code);
        let again = hosts.expect(5, &["resume"]);
        assert!(again.contains(&format!("[{code}]")), "{code}: {again}");
        before[0].assert_same(&session_of(&hosts), code);
        hosts.api().answers_by_itself("get");
        hosts.expect(0, &["undo"]);
        before[1].assert_same(&Tree::of(&hosts.agent()), code);
    }
}

#[test]
fn a_source_that_stayed_is_moved_aside_by_resume_once_the_agent_tells_the_same() {
    session_user();
    let hosts = Hosts::with_api(2);
    let before = hosts.both();
    hosts.api().answers("get", &json!({"ok": false, "error": "session does not exist"}).to_string());
    hosts.moves(5, &["--all"]);
    assert!([0, 1].iter().all(|&n| hosts.shell().join(uuid(n)).exists()));
    hosts.api().answers_by_itself("get");
    hosts.expect(0, &["resume"]);
    assert!(![0, 1].iter().any(|&n| hosts.shell().join(uuid(n)).exists()));
    assert_eq!(arrived(&hosts, 2), [0, 1]);
    assert!(hosts.expect(0, &["resume"]).contains("nothing-to-resume"));
    hosts.expect(0, &["verify"]);
    hosts.expect(0, &["undo"]);
    before[0].assert_same(&Tree::of(&hosts.shell()), "here");
    before[1].assert_same(&Tree::of(&hosts.agent()), "there");
}

#[test]
fn an_agent_that_is_not_understood_is_read_back_instead() {
    session_user();
    let hosts = Hosts::with_api(1);
    for op in ["list", "get"] {
        hosts.api().answers(op, "Welcome to this host!\n");
    }
    let report = hosts.moves(0, &["--session", &uuid(0), "--verbose"]);
    assert!(report.contains("agent-not-asked"), "{report}");
    assert_eq!(arrived(&hosts, 1), [0]);
}

#[test]
fn a_session_that_the_agent_keeps_elsewhere_is_not_brought_a_second_time() {
    let hosts = Hosts::with_api(1);
    hosts.api().answers("list", &json!({"ok": true, "result": [{"uuid": uuid(0)}]}).to_string());
    let before = hosts.both();
    hosts.moves(4, &["--session", &uuid(0)]);
    before[1].assert_same(&Tree::of(&hosts.agent()), "nothing was brought");
}

#[test]
fn a_name_or_port_is_one_sessions_also_among_those_that_move_together() {
    session_user();
    let hosts = Hosts::with(6);
    hosts.says(1, "port", &json!(8000)); // as that of the first
    hosts.says(2, "port", &json!(8000));
    hosts.says(2, "protocol", &json!("UDP")); // and that is another
    hosts.says(3, "dns_name", &json!("billing"));
    hosts.says(4, "dns_name", &json!("Billing"));
    let report = hosts.moves(3, &["--all"]);
    assert!(report.contains("[port-taken]") && report.contains("[dns-taken]"), "{report}");
    assert_eq!(arrived(&hosts, 6), [0, 2, 3, 5], "{report}");
    hosts.moves(0, &["--all", "--on-port-conflict", "clear", "--on-dns-conflict", "clear"]);
    assert_eq!(arrived(&hosts, 6), [0, 1, 2, 3, 4, 5]);
    let document = fs::read_to_string(hosts.agent().join(uuid(4)).join("session.json")).unwrap();
    assert!(!document.contains("dns_name") && document.contains("8004"), "{document}");
}

#[test]
fn a_dns_name_is_one_sessions_in_the_whole_cluster() {
    session_user();
    let hosts = Hosts::with_api(3);
    let base = hosts.folder.path().join("other");
    fs::create_dir_all(base.join(uuid(70))).unwrap();
    let taken = json!({"uuid": uuid(70), "name": "there", "dns_name": "Billing"});
    fs::write(base.join(uuid(70)).join("session.json"), taken.to_string()).unwrap();
    let place = hosts.folder.path().join("other-host");
    let agent = Agent::new(&place, &base);
    let sshd = Sshd::start(&[&agent.subsystem()]);
    hosts.register(OTHER, &sshd);
    let known = [hosts.sshd.known_hosts(), sshd.known_hosts()].map(|file| fs::read_to_string(file).unwrap());
    let both = hosts.folder.path().join("known-both");
    fs::write(&both, known.concat()).unwrap();
    let known_hosts = ["--known-hosts", both.to_str().unwrap()];
    hosts.says(0, "dns_name", &json!("billing"));
    hosts.says(1, "dns_name", &json!("fresh"));

    let all = |more: &[&'static str]| [&["--all"][..], &known_hosts, more].concat();
    agent.answers("list", "silence, of a kind");
    let planned = hosts.moves(3, &all(&["--dry-run"]));
    assert!(planned.contains("[dns-unverified]") && planned.contains(OTHER), "{planned}");
    agent.answers_by_itself("list");
    let report = hosts.moves(3, &all(&[]));
    assert!(report.contains("[dns-taken]"), "{report}");
    assert_eq!(arrived(&hosts, 3), [1, 2], "{report}");

    drop(sshd);
    let refused = hosts.moves(3, &all(&[]));
    assert!(refused.contains("[dns-unverified]"), "{refused}");
    hosts.moves(0, &all(&["--allow-unverified-dns"]));
    assert_eq!(arrived(&hosts, 3), [0, 1, 2]);
}

#[test]
fn what_no_agent_would_let_be_said_is_moved_as_it_is_and_shown_harmless() {
    session_user();
    let hosts = Hosts::with(1);
    hosts.says(0, "name", &json!("\u{1b}[2J $(touch x)\n"));
    hosts.says(0, "port", &json!(70000));
    hosts.says(0, "protocol", &json!("sctp"));
    hosts.says(0, "dns_name", &json!("a..b"));
    let report = hosts.moves(0, &["--all"]);
    for code in ["odd-name", "odd-port", "odd-protocol", "odd-dns-name"] {
        assert!(report.contains(code), "{code}: {report}");
    }
    assert!(!report.contains('\u{1b}'), "{report:?}");
    let document = fs::read_to_string(hosts.agent().join(uuid(0)).join("session.json")).unwrap();
    assert!(document.contains("\\u001b[2J $(touch x)\\n") && document.contains("sctp"), "{document}");
}
