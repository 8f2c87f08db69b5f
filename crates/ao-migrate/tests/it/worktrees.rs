//! `--restorable` and `--move-worktrees`: what the daemon needs to resume a session (formats/ao.md §8.3, §8.4).

use std::path::Path;
use std::process::Command;

use crate::home::Home;

fn git(at: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(at).args(arguments).env("GIT_OPTIONAL_LOCKS", "0"); // looking must not touch the index
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_worktree_with_uncommitted_files_stands_at_the_managed_path_and_comes_back() {
    let home = Home::new("everything");
    let legacy = home.path().join(".agent-orchestrator/projects/billing-api/worktrees/ba-1");
    let managed = home.data_dir().join("worktrees/billing-api/ba-1");
    let repository = home.path().join("src/billing-api");
    let status = git(&legacy, &["status", "--porcelain", "--branch"]);
    assert!(status.contains("uncommitted.txt"), "{status}");
    let index = git(&legacy, &["ls-files", "--stage"]);
    let (files, dump) = (home.files(), home.dump());

    home.expect(3, &["--move-worktrees"]);
    assert!(!legacy.exists());
    assert_eq!(git(&managed, &["status", "--porcelain", "--branch"]), status);
    assert_eq!(git(&managed, &["ls-files", "--stage"]), index);
    let listed = git(&repository, &["worktree", "list", "--porcelain"]);
    assert!(
        listed.contains(managed.to_str().unwrap()) && !listed.contains(legacy.to_str().unwrap()),
        "{listed}"
    );
    home.expect(0, &["verify"]);

    home.expect(0, &["undo"]);
    assert_eq!(git(&legacy, &["status", "--porcelain", "--branch"]), status);
    files.assert_same(&home.files(), "after the undo");
    assert_eq!(dump, home.dump());
}

/// Every condition of formats/ao.md §8.3, asked of the database and of git, not of our own report.
#[test]
fn the_daemon_can_resume_what_was_moved() {
    let home = Home::new("everything");
    home.expect(3, &["--move-worktrees"]);
    let row = home.query(
        "SELECT is_terminated || '|' || activity_state || '|' || runtime_handle_id || '|' || branch || '|' ||
         agent_session_id || '|' || harness || '|' || workspace_path FROM sessions WHERE id = 'ba-1'",
    );
    let managed = home.data_dir().join("worktrees/billing-api/ba-1");
    let expected = "1|exited||feat/tax|0b1f5a3e-9d36-4a53-8d54-6f3d6f2f7a01|claude-code|@HOME@/.ao/data/worktrees/billing-api/ba-1";
    assert_eq!(home.redacted(&row), expected);
    let worktree = home.query(
        "SELECT repo_name || '|' || branch || '|' || state FROM session_worktrees WHERE session_id = 'ba-1'",
    );
    assert_eq!(worktree, "__root__|feat/tax|active");
    assert_eq!(git(&managed, &["branch", "--show-current"]).trim(), "feat/tax");

    let report = home.report(3, &["--dry-run", "--restorable"]);
    assert_eq!(report["summary"]["migrated"], 0, "a run with --restorable alone plans the same rows");
}

#[test]
fn a_worktree_that_must_stay_is_named_and_its_session_migrates_all_the_same() {
    let home = Home::new("everything");
    let legacy = home.path().join(".agent-orchestrator/projects/billing-api/worktrees/ba-1");
    git(&home.path().join("src/billing-api"), &["worktree", "lock", legacy.to_str().unwrap()]);
    let report = home.report(3, &["--move-worktrees"]);
    let item = report["items"].as_array().unwrap().iter().find(|item| item["id"] == "ba-1").unwrap();
    assert_eq!(item["bucket"], "migrated");
    let codes: Vec<&str> =
        item["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"worktree-locked") && codes.contains(&"daemon-cannot-resume"), "{codes:?}");
    assert!(legacy.exists());
}
