//! What the user may not read is counted, and keeps nothing else from moving. Permissions do not bind root, so the tool
//! is run as somebody else.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::home::Home;

/// The case with these places closed, and the report of the tool run by their owner.
fn report_of(case: &str, closed: &[&str]) -> (Home, Value) {
    report_with(case, closed, 0o000)
}

fn report_with(case: &str, closed: &[&str], mode: u32) -> (Home, Value) {
    let home = Home::new(case);
    let paths: Vec<PathBuf> = closed.iter().map(|path| home.path().join(expanded(&home, path))).collect();
    for path in paths.iter().rev() {
        set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let ended = home.run_unprivileged(&["--json"]);
    for path in &paths {
        set_permissions(path, Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(ended.code, Some(3), "{closed:?}\n{}{}", ended.stdout, ended.stderr);
    (home, serde_json::from_str(&ended.stdout).unwrap())
}

/// `@SHOP@` is the slug folder of the only transcript of the case `small`.
fn expanded(home: &Home, path: &str) -> String {
    let worktree = home.path().join(".agent-orchestrator/projects/shop/worktrees/sh-1");
    let slug = transcript_relocate::project_slug(worktree.to_str().unwrap());
    path.replace("@SHOP@", &format!(".claude/projects/{slug}")).replace("@ID@", ID)
}

const ID: &str = "5e551011-0000-4000-8000-000000000001";

/// The quarantined items, by name: each because it is unreadable, and said once.
fn unreadable(report: &Value) -> Vec<&str> {
    let items = report["items"].as_array().unwrap().iter();
    let unreadable: Vec<&Value> = items.filter(|item| item["bucket"] == "quarantined").collect();
    for item in &unreadable {
        assert_eq!(item["reason"], "unreadable", "{item}");
        assert!(item["detail"].as_str().unwrap().to_lowercase().contains("permission denied"), "{item}");
    }
    unreadable.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

fn item<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["items"].as_array().unwrap().iter().find(|item| item["id"] == id).unwrap()
}

fn codes(item: &Value) -> Vec<&str> {
    item["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[test]
fn sessions_in_a_folder_that_cannot_be_listed_are_not_passed_over() {
    for (closed, mode, expected, sessions) in [
        (".agent-orchestrator/projects/billing-api/sessions", 0o000, "sessions", 9),
        (".agent-orchestrator/projects/billing-api", 0o000, "billing-api", 9),
        (".agent-orchestrator/projects", 0o000, "projects", 8),
        (".agent-orchestrator/29931f5a1c76-web-shop/sessions", 0o000, "sessions", 7),
        (".agent-orchestrator/29931f5a1c76-web-shop", 0o000, "29931f5a1c76-web-shop", 7),
        (".agent-orchestrator/081234567890", 0o000, "081234567890", 10),
    ] {
        let (_home, report) = report_with("everything", &[closed], mode);
        let items = report["items"].as_array().unwrap();
        let is_closed = |item: &&Value| item["id"] == expected && item["kind"] == "session";
        let closed_item = items.iter().find(is_closed).unwrap();
        assert_eq!(closed_item["bucket"], "quarantined", "{closed}");
        assert_eq!(closed_item["reason"], "unreadable", "{closed}");
        let migrated = report["sums"]["session files"]["migrated"].as_u64().unwrap();
        assert_eq!(migrated, sessions, "{closed}: the others go on");
    }
}

#[test]
fn folders_that_can_be_listed_but_not_entered_are_not_passed_over() {
    let (_home, report) = report_with("small", &[".agent-orchestrator/projects"], 0o400);
    assert_eq!(unreadable(&report), ["shop"]);
    let (_home, report) =
        report_with("standalone-orchestrator", &[".agent-orchestrator/projects/ledger"], 0o400);
    let standalone = item(&report, "books-orchestrator");
    let session = (&standalone["bucket"], &standalone["reason"]);
    assert_eq!(session, (&"quarantined".into(), &"unreadable".into()));
}

#[test]
fn archives_that_cannot_be_listed_are_counted_as_archived() {
    let closed = ".agent-orchestrator/projects/billing-api/sessions/archive";
    let (_home, report) = report_of("everything", &[closed]);
    let archive = item(&report, "archive");
    assert_eq!((&archive["bucket"], &archive["reason"]), (&"skipped".into(), &"archived".into()));
}

#[test]
fn an_old_home_that_cannot_be_read_is_said_once() {
    let (_home, report) = report_of("small", &[".agent-orchestrator"]);
    assert_eq!(report["summary"]["inputs"], 1);
    assert_eq!(unreadable(&report), ["@HOME@/.agent-orchestrator"]);
    assert_eq!(report["findings"], Value::Array(Vec::new()));
}

#[test]
fn a_transcript_that_cannot_be_read_is_counted_and_not_called_missing() {
    for (closed, expected) in [
        ("@SHOP@/@ID@.jsonl", format!("{ID}.jsonl")),
        ("@SHOP@", "@SLUG@--agent-orchestrator-projects-shop-worktrees-sh-1".into()),
        (".claude/projects", "projects".into()),
    ] {
        let (_home, report) = report_of("small", &[closed]);
        assert_eq!(unreadable(&report), [expected], "{closed}");
        let session = item(&report, "sh-1");
        assert_eq!(session["bucket"], "migrated", "{closed}");
        assert!(codes(session).contains(&"transcript-unreadable"), "{closed}: {session}");
        assert!(!codes(session).contains(&"transcript-missing"), "{closed}: {session}");
        assert!(session["resume"].is_null(), "{closed}: {session}");
    }
}

#[test]
fn a_companion_that_cannot_be_read_is_counted_and_its_transcript_comes_along() {
    for (closed, expected) in [
        ("@SHOP@/@ID@", ID),
        ("@SHOP@/@ID@/subagents", "subagents"),
        ("@SHOP@/@ID@/subagents/agent-1.jsonl", "agent-1.jsonl"),
    ] {
        let (home, report) = report_of("small", &[closed]);
        assert_eq!(unreadable(&report), [expected], "{closed}");
        let transcript = item(&report, &format!("{ID}.jsonl"));
        assert_eq!(transcript["bucket"], "migrated", "{closed}");
        let target = transcript["targets"][0].as_str().unwrap();
        let target = target.replace("@HOME@", home.path().to_str().unwrap());
        let slug = transcript_relocate::project_slug(home.path().to_str().unwrap());
        assert!(PathBuf::from(target.replace("@SLUG@", &slug)).exists(), "{closed}");
        assert!(item(&report, "sh-1")["resume"].is_string(), "{closed}");
        assert_eq!(home.run_unprivileged(&["undo"]).code, Some(0));
    }
}
