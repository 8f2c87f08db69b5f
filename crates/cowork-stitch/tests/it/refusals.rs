//! What the tool does not do, and what it says then.

use testkit::holder::Holder;
use testkit::long_session::Shape;

use crate::folder::{Folder, SHORT, name};

/// The refusal must name this, leave everything as it is, and give a hint.
#[track_caller]
fn refuses(folder: &Folder, words: &[&str], named: &str) {
    let before = folder.tree();
    let ended = folder.expect(4, words);
    assert!(ended.stderr.contains(named), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
    assert_eq!(folder.tree(), before);
    assert!(!folder.state().join("runs").exists());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = Folder::with(SHORT);
    refuses(&folder, &[name(&folder.path().join("gone.jsonl"))], "there is no file");
    refuses(&folder, &["check", name(&folder.path().join("gone.jsonl"))], "there is no file");
}

#[test]
fn a_symlink_is_never_followed_into_somebody_elses_file() {
    let folder = Folder::with(SHORT);
    let link = folder.path().join("link.jsonl");
    std::os::unix::fs::symlink(folder.transcript(), &link).unwrap();
    refuses(&folder, &[name(&link)], "found a symlink");
}

#[test]
fn what_is_not_a_transcript_is_not_touched() {
    let folder = Folder::with(SHORT);
    let image = folder.path().join("image.png");
    std::fs::write(&image, b"\x89PNG\r\n\x1a\n\0\0\0").unwrap();
    refuses(&folder, &[name(&image)], "expected JSON objects");
}

#[test]
fn a_pipe_in_the_place_of_a_transcript_is_not_waited_for() {
    let folder = Folder::with(SHORT);
    let pipe = folder.path().join("pipe.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    refuses(&folder, &[name(&pipe)], "expected a regular file");
}

#[test]
fn without_a_file_the_usage_is_told() {
    let folder = Folder::with(SHORT);
    assert!(folder.expect(2, &[]).stderr.contains("expected the name of a transcript"));
}

#[test]
fn what_no_run_is_known_to_have_stitched_is_not_unstitched() {
    let folder = Folder::with(SHORT);
    refuses(&folder, &["unstitch", name(&folder.transcript())], "no run is known");
}

#[test]
fn a_transcript_that_was_rewritten_since_is_not_unstitched() {
    let folder = Folder::with(SHORT);
    folder.stitch(0, &[]);
    let text = String::from_utf8(folder.bytes()).unwrap().replace("go on, please", "stop");
    std::fs::write(folder.transcript(), &text).unwrap();
    let ended = folder.stitch(4, &["unstitch"]);
    assert!(ended.stderr.contains("does not begin with what was left"), "{}", ended.stderr);
    assert_eq!(folder.bytes(), text.as_bytes());
}

#[test]
fn a_file_that_grew_beyond_the_reach_of_its_last_compaction_is_refused_and_can_be_given_a_new_one() {
    let folder =
        Folder::with(Shape { compactions: 1, turns: 1, last_turns: 1, text: 12 << 20, branches: false });
    let ended = folder.stitch(4, &[]);
    assert!(ended.stderr.contains("loaders look no further"), "{}", ended.stderr);
    folder.stitch(3, &["--move-anchor"]); // what a resume had written twice is shown once from now on
    folder.stitch(3, &["check"]);
    folder.expect(0, &["undo"]);
}

#[test]
fn a_transcript_that_may_not_be_written_is_refused_before_anything_is_done() {
    let folder = Folder::with(SHORT);
    let read_only = tempfile::tempdir().unwrap();
    let mut bind = std::process::Command::new("mount");
    assert!(bind.arg("--bind").arg(folder.path()).arg(read_only.path()).status().unwrap().success());
    let mut remount = std::process::Command::new("mount");
    assert!(remount.args(["-o", "remount,ro,bind"]).arg(read_only.path()).status().unwrap().success());
    let transcript = read_only.path().join("3f6c2f5e.jsonl");
    let before = folder.tree();
    let ended = folder.tool(&[name(&transcript)]).run();
    let mut unmount = std::process::Command::new("umount");
    assert!(unmount.arg(read_only.path()).status().unwrap().success());
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(4), "{said}");
    assert!(said.contains("Read-only file system") && said.contains("hint: "), "{said}");
    assert_eq!(folder.tree(), before);
    assert!(!folder.state().join("runs").exists());
}

#[test]
fn while_somebody_has_the_transcript_open_nothing_is_written_to_it() {
    let folder = Folder::with(SHORT);
    for how in ["<", ">>"] {
        let holder = Holder::of(&folder.transcript(), how);
        let named = format!("is in use by sh (process {})", holder.process());
        refuses(&folder, &[name(&folder.transcript())], &named);
        refuses(&folder, &["--dry-run", name(&folder.transcript())], &named);
        folder.stitch(5, &["check"]);
    }
    folder.stitch(0, &[]);
    let stitched = folder.tree();
    let holder = Holder::of(&folder.transcript(), ">>");
    for words in [&["undo"] as &[&str], &["unstitch", name(&folder.transcript())]] {
        let ended = folder.expect(4, words);
        assert!(ended.stderr.contains(" is in use by sh"), "{}", ended.stderr);
        assert!(ended.stderr.contains("hint: quit the application"), "{}", ended.stderr);
    }
    assert_eq!(folder.tree(), stitched);
    drop(holder);
    folder.expect(0, &["undo"]);
}
