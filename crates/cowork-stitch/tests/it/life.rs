//! From a transcript that opens blank to one that shows everything, and back.

use testkit::long_session::Shape;

use crate::folder::{Folder, SHORT, name, shown};

/// 60 MB, over the size from which the application reads only a part.
const BIG: Shape = Shape { compactions: 12, turns: 15, last_turns: 15, text: 78_000, branches: false };

#[test]
fn a_session_of_sixty_megabytes_and_twelve_compactions_shows_all_of_it_and_goes_back_byte_for_byte() {
    let folder = Folder::with(BIG);
    let before = folder.bytes();
    assert!(before.len() > 55 << 20, "{}", before.len());

    let cut = folder.item(5, &["check"]);
    for build in ["v1", "v2"] {
        let (shown, of) = shown(&cut["loads"], build);
        assert!(shown * 5 < of, "{build} shows {shown} of {of}");
        assert_eq!(cut["loads"][build]["strategy"], "compaction");
        assert_eq!(cut["loads"][build]["lost"]["unread-before-offset"]["rows"], of - shown);
    }

    let said = folder.stitch(0, &[]).stdout;
    assert!(said.contains("messages instead of"), "what it was for is said: {said}");
    let whole = folder.item(0, &["check"]);
    for build in ["v1", "v2"] {
        let (shown, of) = shown(&whole["loads"], build);
        assert_eq!(shown, of, "{build}");
    }
    let after = folder.bytes();
    let changed = lines(&before).zip(lines(&after)).filter(|(old, new)| old != new).count();
    assert_eq!(lines(&before).count(), lines(&after).count());
    assert!(changed > 0 && changed < 1000, "{changed} lines changed");

    let written = folder.tree();
    let again = folder.item(0, &[]);
    assert_eq!(again["bucket"], "already_present");
    assert_eq!(folder.tree(), written, "a second run writes nothing");
    folder.expect(0, &["verify"]);
    folder.expect(0, &["undo"]);
    assert!(folder.bytes() == before, "undo brings back every byte");
    folder.stitch(5, &["check"]);
}

#[test]
fn branches_are_named_and_an_earlier_root_comes_back_when_asked_for() {
    let folder = Folder::with(Shape { branches: true, ..SHORT });
    folder.stitch(3, &[]);
    let item = folder.item(3, &["check", "--target", "v1"]);
    let lost = item["loads"]["v1"]["lost"].as_object().unwrap().clone();
    assert_eq!(lost.keys().collect::<Vec<_>>(), ["off-chain/abandoned", "off-chain/other-root"]);
    assert_eq!(lost["off-chain/abandoned"]["rows"], 2);
    assert_eq!(lost["off-chain/other-root"]["rows"], 2);
    folder.expect(0, &["undo"]);

    folder.stitch(3, &["--join-roots"]);
    let lost = folder.item(3, &["check"])["loads"]["v1"]["lost"].as_object().unwrap().clone();
    assert_eq!(lost.keys().collect::<Vec<_>>(), ["off-chain/abandoned"]);
}

#[test]
fn check_names_the_exact_reason_for_which_old_builds_hide_the_history() {
    let row = |uuid: &str, parent: &str, kind: &str| {
        format!(r#"{{"parentUuid":{parent},{kind},"uuid":"{uuid}","message":{{"content":"x"}}}}"#) + "\n"
    };
    let user = |uuid: &str, parent: &str| row(uuid, parent, r#""type":"user""#);
    let boundary = |uuid: &str, segment: &str| {
        let kind = r#""type":"system","subtype":"compact_boundary","compactMetadata":"#;
        row(uuid, "null", &format!("{kind}{{{segment}}}"))
    };
    let kept =
        |head: &str, tail: &str| format!(r#""preservedSegment":{{"headUuid":"{head}","tailUuid":"{tail}"}}"#);
    let begin = [user("a", "null"), user("b", r#""a""#)].concat();
    let classes = [
        ("", "cut/no-segment", None),
        (r#""preservedSegment":null"#, "cut/no-segment", None),
        (&kept("a", "gone"), "cut/walk-failed", Some("missing uuid gone, the segment's tail")),
        (&kept("c", "b"), "cut/walk-failed", Some("null parent at a, on line 1")),
        (&kept("a", "e"), "cut/walk-failed", Some("uuid e at or after last boundary, on line 4")),
        (r#""preservedSegment":{}"#, "cut/walk-failed", Some("no tail")),
    ];
    let folder = Folder::with(SHORT);
    let assert_is = |file: String, code: &str, walk: Option<&str>| {
        std::fs::write(folder.transcript(), file).unwrap();
        let load = folder.item(5, &["check", "--target", "v1"])["loads"]["v1"].clone();
        assert_eq!(load["lost"].as_object().unwrap().keys().collect::<Vec<_>>(), [code]);
        assert_eq!(load["walk"].as_str(), walk);
    };
    for (segment, code, walk) in classes {
        assert_is([&*begin, &boundary("c", segment), &user("e", r#""c""#)].concat(), code, walk);
    }
    let older = [&*begin, &boundary("c", &kept("a", "b")), &boundary("d", ""), &user("e", r#""d""#)];
    assert_is(older.concat(), "cut/stale-segment", None);
}

#[test]
fn a_dry_run_changes_no_byte_anywhere() {
    let folder = Folder::with(SHORT);
    let before = folder.tree();
    let item = folder.item(0, &["--dry-run"]);
    assert_eq!(item["bucket"], "migrated");
    let (shown, of) = shown(&item["loads"], "v1");
    assert_eq!(shown, of, "the dry run says what would be shown");
    assert_eq!(folder.tree(), before);
    assert!(!folder.state().exists());
}

#[test]
fn a_session_that_went_on_is_unstitched_and_keeps_its_new_lines() {
    let folder = Folder::with(SHORT);
    let before = folder.bytes();
    folder.stitch(0, &[]);
    let new = r#"{"parentUuid":null,"type":"user","message":{"content":"more"},"uuid":"0b7e2c1a-5d7f-4c30-9f51-22d1f3a9c001"}"#;
    folder.grow(new);
    folder.expect(4, &["undo"]);
    folder.stitch(0, &["unstitch"]);
    assert_eq!(folder.bytes(), [before.as_slice(), new.as_bytes(), b"\n"].concat());
}

#[test]
fn a_stitched_session_that_was_compacted_again_is_stitched_again() {
    let folder = Folder::with(SHORT);
    folder.stitch(0, &[]);
    let once = folder.bytes();
    folder.grow(r#"{"parentUuid":null,"type":"system","subtype":"compact_boundary","compactMetadata":{},"uuid":"b0000000-0000-4000-8000-000000000001"}"#);
    folder.grow(r#"{"parentUuid":"b0000000-0000-4000-8000-000000000001","type":"user","message":{"content":"more"},"uuid":"b0000000-0000-4000-8000-000000000002"}"#);
    folder.stitch(5, &["check", "--target", "v1"]);
    folder.stitch(3, &[]); // what a resume had written twice is shown once
    let lost = folder.item(3, &["check"])["loads"]["v1"]["lost"].as_object().unwrap().clone();
    assert_eq!(lost.keys().collect::<Vec<_>>(), ["off-chain/duplicate-copy"]);
    folder.expect(0, &["undo"]);
    assert!(folder.bytes().starts_with(&once));
}

#[test]
fn builds_that_show_everything_already_are_left_alone_when_only_they_are_asked_for() {
    let folder = Folder::with(SHORT);
    let before = folder.tree();
    assert_eq!(folder.item(0, &["--target", "v2"])["reason"], "no-stitch-needed");
    assert_eq!(folder.tree(), before);
}

#[test]
fn a_backup_is_the_file_as_it_was_and_goes_with_undo() {
    let folder = Folder::with(SHORT);
    let before = folder.bytes();
    let backup = folder.state().with_file_name("backup");
    folder.stitch(0, &["--backup", name(&backup)]);
    assert_eq!(std::fs::read(backup.join("3f6c2f5e.jsonl")).unwrap(), before);
    folder.expect(0, &["undo"]);
    assert!(!backup.exists());
}

#[test]
fn a_backup_never_lands_on_another_file_or_on_the_transcript_itself() {
    let folder = Folder::with(SHORT);
    let before = folder.bytes();
    let backup = folder.path().join("backup");
    std::fs::create_dir(&backup).unwrap();
    std::fs::write(backup.join("3f6c2f5e.jsonl"), "another's\n").unwrap();
    for place in [&folder.path(), &backup] {
        let refused = folder.stitch(4, &["--backup", name(place)]).stderr;
        assert!(refused.contains("something else is there"), "{refused}");
    }
    let twin = backup.join("other/3f6c2f5e.jsonl");
    std::fs::create_dir(twin.parent().unwrap()).unwrap();
    std::fs::write(&twin, &before).unwrap();
    let away = folder.state().with_file_name("away");
    folder.expect(3, &[name(&folder.transcript()), name(&twin), "--backup", name(&away)]);
    assert_eq!(std::fs::read(&twin).unwrap(), before, "no copy of it could be kept");
}

#[test]
fn a_stitch_that_an_undo_had_to_leave_is_still_unstitched() {
    let folder = Folder::with(SHORT);
    let before = folder.bytes();
    folder.stitch(0, &[]);
    folder.grow("{}");
    folder.expect(3, &["undo", "--keep-changed"]);
    folder.stitch(0, &["unstitch"]);
    assert_eq!(folder.bytes(), [before.as_slice(), b"{}\n"].concat());
}

#[test]
fn of_two_transcripts_in_one_folder_either_can_be_taken_back_first() {
    let folder = Folder::with(SHORT);
    let before = folder.bytes();
    let twin = folder.path().join("twin.jsonl");
    std::fs::write(&twin, &before).unwrap();
    let said = folder.stitch(0, &["--json"]).stdout;
    let first: serde_json::Value = serde_json::from_str(&said).unwrap();
    folder.expect(0, &[name(&twin)]);
    let stitched = std::fs::read(&twin).unwrap();
    folder.expect(0, &["undo", first["run"].as_str().unwrap()]);
    assert_eq!(folder.bytes(), before);
    assert_eq!(std::fs::read(&twin).unwrap(), stitched);
    folder.expect(0, &["undo"]);
    assert_eq!(std::fs::read(&twin).unwrap(), before);
}

#[test]
fn two_stitches_are_unstitched_one_after_the_other_by_whatever_name_the_file_goes() {
    let folder = Folder::with(SHORT);
    let before = folder.bytes();
    folder.stitch(0, &[]);
    let lines = [
        r#"{"type":"system","subtype":"compact_boundary","uuid":"late","parentUuid":null}"#,
        r#"{"type":"user","uuid":"later","parentUuid":"late","message":{"content":"go on"}}"#,
    ];
    for line in lines {
        folder.grow(line);
    }
    folder.stitch(3, &[]);
    let link = folder.state().with_file_name("link");
    std::os::unix::fs::symlink(folder.path(), &link).unwrap();
    let by_link = link.join("3f6c2f5e.jsonl");
    for _ in 0..2 {
        folder.expect(0, &["unstitch", name(&by_link)]);
    }
    assert_eq!(folder.bytes(), [before, format!("{}\n", lines.join("\n")).into_bytes()].concat());
    let said = folder.stitch(4, &["unstitch"]).stderr;
    assert!(said.contains("does not begin with what was left there"), "{said}");
}

#[test]
fn a_newer_run_that_changed_the_copy_of_a_backup_goes_first() {
    let folder = Folder::with(SHORT);
    let [backup, transcript] = [folder.state().with_file_name("backup"), folder.transcript()];
    let said = folder.stitch(0, &["--json", "--backup", name(&backup)]).stdout;
    let first: serde_json::Value = serde_json::from_str(&said).unwrap();
    folder.expect(0, &[name(&backup.join(transcript.file_name().unwrap()))]);
    let said = folder.expect(4, &["undo", first["run"].as_str().unwrap()]).stderr;
    assert!(said.contains("newer runs"), "{said}");
}

#[test]
fn a_transcript_of_one_line_without_an_ending_is_one_and_gets_its_ending() {
    let folder = Folder::with(SHORT);
    let line = r#"{"type":"user","uuid":"a","parentUuid":null,"message":{"content":"hello"}}"#;
    std::fs::write(folder.transcript(), line).unwrap();
    folder.stitch(5, &["check"]);
    folder.stitch(0, &[]);
    folder.stitch(0, &["check"]);
    assert_eq!(folder.bytes(), format!("{line}\n").into_bytes());
}

#[test]
fn nothing_is_left_beside_the_transcript() {
    let folder = Folder::with(SHORT);
    folder.stitch(0, &[]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn one_bad_file_does_not_keep_the_others_from_being_stitched() {
    let folder = Folder::with(SHORT);
    let bad = folder.path().join("bad.jsonl");
    std::fs::write(&bad, "no transcript\n").unwrap();
    let transcript = folder.transcript();
    let missing = folder.path().join("missing.jsonl");
    folder.expect(3, &[name(&bad), name(&transcript), name(&missing)]);
    folder.stitch(0, &["check"]);
    assert_eq!(std::fs::read(&bad).unwrap(), b"no transcript\n");
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == b'\n')
}
