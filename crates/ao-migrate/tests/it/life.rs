//! Dry run, run, run again, verify, undo: on a home with three projects and sessions of every kind.

use crate::home::Home;

#[test]
fn a_dry_run_changes_no_byte_anywhere() {
    let home = Home::new("everything");
    let before = home.tree();
    let ended = home.expect(3, &["--dry-run"]);
    before.assert_same(&home.tree(), "after a dry run");
    assert!(!home.state_dir().exists(), "not even a state directory");
    println!("{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn what_was_migrated_is_there_is_found_again_and_is_taken_back() {
    let home = Home::new("everything");
    let (files, dump) = (home.files(), home.dump());
    let ended = home.expect(3, &["--verbose"]);
    println!("{}\n{}", ended.stdout, ended.stderr);
    println!("{}", home.dump());

    let (migrated_files, migrated) = (home.files(), home.dump());
    let again = home.expect(3, &[]);
    println!("{}\n{}", again.stdout, again.stderr);
    migrated_files.assert_same(&home.files(), "after a second run");
    assert_eq!(migrated, home.dump());

    home.expect(0, &["verify"]);
    home.expect(0, &["undo"]);
    files.assert_same(&home.files(), "after the undo");
    assert_eq!(dump, home.dump());
}

/// A pipe has no end until somebody writes to it: whoever opens one waits, deaf to signals.
#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    for place in [
        ".agent-orchestrator/config.yaml",
        ".agent-orchestrator/portfolio/preferences.json",
        "src/WebShop/agent-orchestrator.yml",
        ".ao/running.json",
        ".claude/settings.json",
    ] {
        let home = Home::new("everything");
        let path = home.path().join(place);
        let _ = std::fs::remove_file(&path);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let mut tool = std::process::Command::new("timeout");
        tool.args(["60", env!("CARGO_BIN_EXE_ao-migrate"), "--dry-run"]).env("HOME", home.path());
        let ended = home.ended(&tool.output().unwrap());
        assert!(matches!(ended.code, Some(3 | 4)), "{place}: {:?} {}", ended.code, ended.stderr);
    }
}
