//! What a user gets to see, as golden snapshots, and what a program gets, against the schema.

use std::fs;
use std::os::unix::net::UnixListener;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::hosts::{AGENT, Hosts, said, session_user, uuid};

/// Two that move, one of them with an odd name, and some that do not.
fn hosts() -> Hosts {
    session_user();
    let hosts = Hosts::with(6);
    hosts.says(1, "name", &json!("\u{1b}[2J; rm $(touch x)"));
    fs::write(hosts.shell().join(uuid(2)).join("session.json"), "{\"uuid\":").unwrap();
    hosts.says(3, "uuid", &json!(uuid(33)));
    hosts.says(4, "port", &json!(8000));
    fs::write(hosts.shell().join(format!("{}.lock", uuid(4))), "4194303").unwrap();
    fs::create_dir(hosts.agent().join(uuid(5))).unwrap();
    drop(UnixListener::bind(hosts.shell().join(uuid(0)).join("socket")).unwrap());
    hosts
}

/// Without what is another every time.
fn redacted(hosts: &Hosts, text: &str) -> String {
    let text = text.replace(hosts.folder.path().to_str().unwrap(), "@HERE@");
    let text = text.replace(hosts.sshd.folder().to_str().unwrap(), "@SSHD@");
    let text = text.replace(&hosts.sshd.port().to_string(), "@PORT@");
    testkit::redact::without_run_ids(&text)
}

fn shown(hosts: &Hosts, code: i32, words: &[&str]) -> String {
    redacted(hosts, &hosts.expect(code, words))
}

#[test]
fn what_a_person_reads() {
    let hosts = hosts();
    let all = ["--agent", AGENT, "--all"];
    assert_snapshot!("text-list", shown(&hosts, 0, &["list"]));
    assert_snapshot!("text-plan", shown(&hosts, 3, &[&all[..], &["--dry-run"]].concat()));
    assert_snapshot!("text-apply", shown(&hosts, 3, &[&all[..], &["--verbose"]].concat()));
    assert_snapshot!("text-verify", shown(&hosts, 0, &["verify"]));
    assert_snapshot!("text-undo", shown(&hosts, 0, &["undo"]));
}

#[test]
fn what_help_says() {
    assert_snapshot!("help", Hosts::with(0).expect(0, &["--help"]));
}

#[test]
fn what_a_program_reads_is_what_the_schema_says() {
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/report.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let hosts = hosts();
    let all = ["--agent", AGENT, "--all"];
    let dry = [&all[..], &["--dry-run"]].concat();
    let nobody = ["--agent", "nobody", "--all"];
    let asked: [(&str, i32, &[&str]); 7] = [
        ("list", 0, &["list"]),
        ("plan", 3, &dry),
        ("apply", 4, &nobody),
        ("apply", 3, &all),
        ("verify", 0, &["verify"]),
        ("undo", 0, &["undo"]),
        ("runs", 0, &["runs"]),
    ];
    for (mode, code, words) in asked {
        let output = hosts.tool(&[words, &["--json"]].concat()).run();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", said(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let offences: Vec<_> =
            schema.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(offences.is_empty(), "{words:?}: {offences:?}");
        assert_eq!(report["mode"], mode, "{words:?}");
        if mode == "list" {
            let text = serde_json::to_string_pretty(&report).unwrap();
            assert_snapshot!("json-list", redacted(&hosts, &text));
        }
    }
}
