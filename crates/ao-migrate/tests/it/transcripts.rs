//! Where transcripts go, and what a resume command promises.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;
use transcript_relocate::project_slug;

use crate::home::Home;

const ID: &str = "5e551011-0000-4000-8000-000000000001";

/// The folder in which the client keeps the transcripts of sessions in this folder of the home.
fn slug_dir(home: &Home, folder: &str) -> PathBuf {
    home.path().join(".claude/projects").join(project_slug(home.path().join(folder).to_str().unwrap()))
}

fn legacy(home: &Home) -> PathBuf {
    slug_dir(home, ".agent-orchestrator/projects/shop/worktrees/sh-1")
}

fn managed(home: &Home, session: &str) -> PathBuf {
    slug_dir(home, &format!(".ao/data/worktrees/shop/{session}"))
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn item<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["items"].as_array().unwrap().iter().find(|item| item["id"] == id).unwrap()
}

fn transcript(report: &Value) -> &Value {
    item(report, &format!("{ID}.jsonl"))
}

/// Bucket and reason.
fn fate(item: &Value) -> String {
    format!("{} {}", item["bucket"].as_str().unwrap(), item["reason"].as_str().unwrap_or("-"))
}

#[test]
fn a_resume_command_is_printed_only_where_the_transcript_will_stand() {
    type Prepare = fn(&Path, &Path);
    let cases: [(i32, Option<&str>, Prepare); 5] = [
        (0, Some("migrated -"), |_, _| {}),
        (0, Some("already_present -"), |from, to| put(to, &fs::read_to_string(from).unwrap())),
        (0, Some("superseded resumed-since"), |from, to| {
            put(to, &format!("{}{{}}\n", fs::read_to_string(from).unwrap()));
        }),
        (3, Some("conflict destination-differs"), |_, to| put(to, "another")),
        (0, None, |from, _| fs::remove_file(from).unwrap()),
    ];
    for (code, expected, prepare) in cases {
        let home = Home::new("small");
        let name = format!("{ID}.jsonl");
        prepare(&legacy(&home).join(&name), &managed(&home, "sh-1").join(&name));
        for arguments in [&["--dry-run"][..], &[]] {
            let report = home.report(code, arguments);
            let stands = expected.is_some() && code == 0;
            assert_eq!(item(&report, "sh-1")["resume"].is_string(), stands, "{expected:?} {arguments:?}");
            assert!(item(&report, "sh-orchestrator")["resume"].is_string(), "Codex needs no transcript");
            if let Some(expected) = expected {
                assert_eq!(fate(transcript(&report)), expected);
            }
        }
    }
}

/// A second session in the same legacy worktree, with the same conversation.
fn home_with_a_shared_transcript() -> Home {
    let home = Home::new("small");
    let sessions = home.path().join(".agent-orchestrator/projects/shop/sessions");
    fs::copy(sessions.join("sh-1.json"), sessions.join("sh-2.json")).unwrap();
    home
}

#[test]
fn a_conflict_of_one_session_does_not_keep_the_transcript_from_another() {
    let home = home_with_a_shared_transcript();
    let name = format!("{ID}.jsonl");
    let (free, taken) = (managed(&home, "sh-2").join(&name), managed(&home, "sh-1").join(&name));
    put(&taken, "another\n");
    let before = home.files();
    let report = home.report(3, &[]);
    assert_eq!(fate(transcript(&report)), "conflict destination-differs");
    assert_eq!(fs::read(&free).unwrap(), fs::read(legacy(&home).join(&name)).unwrap());
    assert_eq!(fs::read_to_string(&taken).unwrap(), "another\n");
    assert!(item(&report, "sh-1")["resume"].is_null());
    assert!(item(&report, "sh-2")["resume"].is_string());

    fs::write(&free, "changed\n").unwrap();
    home.expect(5, &["verify"]);
    home.expect(4, &["undo"]);
    fs::copy(legacy(&home).join(&name), &free).unwrap();
    home.expect(0, &["undo"]);
    before.assert_same(&home.files(), "after the undo");
}

#[test]
fn nothing_is_written_through_a_symlink_inside_the_destination() {
    let main = format!("{ID}.jsonl");
    let companion = format!("{ID}/subagents/agent-1.jsonl");
    for (link, blocked, through) in [
        (PathBuf::new(), vec![&main, &companion], true),
        (PathBuf::from(ID), vec![&companion], true),
        (PathBuf::from(ID).join("subagents"), vec![&companion], true),
        (PathBuf::new(), vec![&main, &companion], false),
    ] {
        let home = Home::new("small");
        let elsewhere = home.path().join("elsewhere");
        let link: PathBuf = managed(&home, "sh-1").join(link).components().collect(); // no final slash
        if through {
            fs::create_dir(&elsewhere).unwrap();
        }
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&elsewhere, &link).unwrap();
        let report = home.report(3, &[]);
        for name in [&main, &companion] {
            let is_blocked = blocked.contains(&name);
            let expected = if is_blocked { "conflict destination-symlink" } else { "migrated -" };
            assert_eq!(fate(item(&report, name)), expected, "{name} beside {}", link.display());
        }
        assert!(fs::read_dir(&elsewhere).map_or(true, |mut found| found.next().is_none()));
        home.expect(0, &["undo"]);
    }
}

#[test]
fn a_claude_folder_that_is_itself_a_link_of_the_users_is_written_to() {
    for linked in [".claude", ".claude/projects"] {
        let home = Home::new("small");
        let (link, real) = (home.path().join(linked), home.path().join("dotfiles"));
        fs::rename(&link, &real).unwrap();
        symlink(&real, &link).unwrap();
        let before = home.files();
        let report = home.report(0, &[]);
        assert_eq!(fate(transcript(&report)), "migrated -", "{linked}");
        assert!(managed(&home, "sh-1").join(format!("{ID}.jsonl")).is_file(), "{linked}");
        assert_eq!(home.report(0, &[])["summary"]["migrated"], 0);
        home.expect(0, &["verify"]);
        home.expect(0, &["undo"]);
        before.assert_same(&home.files(), "after the undo");
    }
}

#[test]
fn a_resume_command_into_a_folder_that_is_not_there_says_so() {
    let home = Home::new("everything");
    let says = |report: &Value, id: &str| {
        let findings = item(report, id)["findings"].as_array().unwrap();
        findings.iter().any(|finding| finding["code"] == "resume-folder-missing")
    };
    let plain = home.report(3, &["--dry-run"]);
    assert!(says(&plain, "ba-1") && says(&plain, "ba-2"));
    assert!(!says(&plain, "shop-5"), "it has no transcript, so no command");
    let moved = home.report(3, &["--move-worktrees"]);
    assert!(!says(&moved, "ba-1"), "its worktree is moved there");
    assert!(says(&moved, "ba-2"));
}
