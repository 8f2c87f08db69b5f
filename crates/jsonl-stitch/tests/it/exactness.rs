//! What has no reason to change stays byte for byte.

use jsonl_stitch::{EditKind, Options, unstitch};
use sha2::Digest as _;

use crate::support::{
    BIG, PLAIN, SMALL, apply, boundary, boundary_with, changed_lines, file, stitched, summary, user,
};

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// What becomes of a boundary that is written like this, in `[user, it, user]`.
fn boundary_becomes(line: &str) -> String {
    let (decision, after) = stitched(&file(&[user("a", ""), line.to_owned(), user("d", "")]), SMALL, PLAIN);
    assert!(decision.after[0].is_whole());
    text(after).lines().nth(1).unwrap().to_owned()
}

const SEGMENT: &str = r#"{"headUuid":"a","tailUuid":"a"}"#;

#[test]
fn a_segment_is_put_where_there_was_none_or_none_that_could_hold_it() {
    let line = |metadata: &str| boundary_with("c", "a", metadata);
    for (before, after) in [
        ("{}", format!(r#"{{"preservedSegment":{SEGMENT}}}"#)),
        ("{ }", format!(r#"{{ "preservedSegment":{SEGMENT}}}"#)),
        (r#"{"x":{"y":[]} }"#, format!(r#"{{"x":{{"y":[]}} ,"preservedSegment":{SEGMENT}}}"#)),
        ("null", format!(r#"{{"preservedSegment":{SEGMENT}}}"#)),
        ("[1]", format!(r#"{{"preservedSegment":{SEGMENT}}}"#)),
        (r#"{"preservedSegment":null,"x":1}"#, format!(r#"{{"preservedSegment":{SEGMENT},"x":1}}"#)),
        (r#"{"preservedSegment":[7]}"#, format!(r#"{{"preservedSegment":{SEGMENT}}}"#)),
        (r#"{"preservedSegment":{ }}"#, format!(r#"{{"preservedSegment":{SEGMENT}}}"#)),
        (
            r#"{"preservedSegment":{"x":1}}"#,
            r#"{"preservedSegment":{"x":1,"headUuid":"a","tailUuid":"a"}}"#.to_owned(),
        ),
        (
            r#"{"preservedSegment":{"headUuid":"x","headUuid":7,"anchorUuid":null}}"#,
            r#"{"preservedSegment":{"headUuid":"x","headUuid":"a","anchorUuid":null,"tailUuid":"a"}}"#.to_owned(),
        ),
        (
            r#"{"preservedSegment":{"headUuid":"x"},"preserved\u0053egment":{"tail\u0055uid":0}}"#,
            r#"{"preservedSegment":{"headUuid":"x"},"preserved\u0053egment":{"tail\u0055uid":"a","headUuid":"a"}}"#
                .to_owned(),
        ),
    ] {
        assert_eq!(boundary_becomes(&line(before)), line(&after), "{before}");
    }
    let absent = r#"{"type":"system","subtype":"compact_boundary","uuid":"c" }  "#;
    let expected = format!(
        r#"{{"type":"system","subtype":"compact_boundary","uuid":"c" ,"compactMetadata":{{"preservedSegment":{SEGMENT}}}}}  "#
    );
    assert_eq!(boundary_becomes(absent), expected);
    let twice = line("{}").replacen('{', r#"{"compactMetadata":{"x":1},"#, 1);
    assert_eq!(
        boundary_becomes(&twice),
        twice.replace("{}", &format!(r#"{{"preservedSegment":{SEGMENT}}}"#))
    );
}

#[test]
fn numbers_escapes_spaces_and_doubled_members_of_an_edited_line_stay() {
    let odd = concat!(
        r#"{ "parentUuid":"first", "n":1.50e+07,"big":123456789012345678901234567890,"\u0041":"\udc00 \/ \u00e9","#,
        r#""p\u0061rentUuid" : null , "deep":{"parentUuid":null},"uuid":"x","uuid" :"b","type":"user" }"#
    );
    let lines = [user("a", ""), boundary("c", "a"), odd.to_owned(), boundary("d", "b"), user("e", "d")];
    let (decision, after) = stitched(&file(&lines), SMALL, PLAIN);
    assert!(decision.after[0].is_whole());
    let expected = odd.replace(r#""p\u0061rentUuid" : null"#, r#""p\u0061rentUuid" : "c""#);
    assert_eq!(text(after).lines().nth(2), Some(&*expected));
}

#[test]
fn a_parent_that_was_not_there_becomes_the_first_member() {
    let rootless = r#"{  "type":"user","uuid":"b"}"#;
    let lines = [user("a", ""), boundary("c", "a"), rootless.to_owned(), boundary("d", "b"), user("e", "d")];
    let (_, after) = stitched(&file(&lines), SMALL, PLAIN);
    assert_eq!(text(after).lines().nth(2), Some(r#"{  "parentUuid":"c","type":"user","uuid":"b"}"#));
}

#[test]
fn every_line_keeps_its_own_ending_and_lines_that_are_no_rows_stay() {
    let others = "{\"torn\":\r\n\n  \r\n[1]\r\nnull\n\u{FEFF}{}\n";
    let file = format!("{}\r\n{others}{}\r\n{}", user("a", ""), boundary("c", "a"), user("d", "c"));
    let (decision, after) = stitched(file.as_bytes(), SMALL, PLAIN);
    let after = text(after);
    let segment = format!(r#","preservedSegment":{SEGMENT}}}"#);
    let expected = file.replacen("\"preTokens\":150000}", &format!("\"preTokens\":150000{segment}"), 1);
    assert_eq!(after, expected + "\r\n", "the last line gets the ending of the one before it");
    assert_eq!(decision.edits.last().map(|edit| edit.kind), Some(EditKind::Ending));
}

#[test]
fn a_torn_last_line_gets_an_ending_too_so_that_the_next_line_is_its_own() {
    let file = [&file(&[user("a", ""), boundary("c", "a"), user("d", "c")])[..], b"{\"type\":\"us"].concat();
    let (_, after) = stitched(&file, SMALL, PLAIN);
    assert!(after.ends_with(b"\n{\"type\":\"us\n"));
}

#[test]
fn ids_that_are_no_text_or_half_a_character_are_ids() {
    let odd = |uuid: &[u8]| {
        let line = user("ID", "").into_bytes();
        let at = line.windows(2).position(|bytes| bytes == b"ID").unwrap();
        [&line[..at], uuid, &line[at + 2..]].concat()
    };
    for (spelled, written) in [
        (&b"\\udc00"[..], &b"\\udc00"[..]),
        (b"\xFF", "\u{FFFD}".as_bytes()),
        (b"a\\\"\\u0001\\\\", b"a\\\"\\u0001\\\\"),
        (b"\\u65e5", "日".as_bytes()),
    ] {
        let first = odd(spelled);
        let file = [&first[..], b"\n", &file(&[boundary("c", "gone"), user("d", "c")])].concat();
        let (decision, after) = stitched(&file, SMALL, PLAIN);
        assert!(decision.after[0].is_whole());
        let segment = [b"{\"headUuid\":\"", written, b"\",\"tailUuid\":\"", written, b"\"}"].concat();
        assert!(
            after.windows(segment.len()).any(|bytes| bytes == segment),
            "{}",
            String::from_utf8_lossy(&after)
        );
        assert!(after.starts_with(&first));
    }
}

#[test]
fn a_uuid_made_of_the_digest_of_another_id_is_an_id_of_its_own() {
    let digest = sha2::Sha256::digest(b"a");
    let forged = uuid::Uuid::from_slice(&digest[..16]).unwrap().to_string();
    let (decision, after) = stitched(
        &file(&[user("a", ""), user(&forged, "a"), boundary("c", "a"), user("d", "c")]),
        SMALL,
        PLAIN,
    );
    assert_eq!(decision.kinds().into_keys().collect::<Vec<_>>(), [EditKind::Segment]);
    assert!(text(after).contains(&format!(r#""tailUuid":"{forged}""#)));
}

#[test]
fn lines_longer_than_what_is_read_at_a_time_and_files_of_many_such_pieces_are_edited_in_place() {
    let long = |uuid: &str, parent: &str| user(uuid, parent).replace("go on", &"\\\"x\\n".repeat(900_000));
    let lines = [
        user("a", ""),
        long("b", "a"),
        boundary("c", "b"),
        long("d", "c"),
        boundary("c", "d"),
        long("b", "c"),
        user("e", "b"),
        boundary("f", "e"),
        long("a", "f"),
    ];
    let (decision, after) = stitched(&file(&lines), SMALL, PLAIN);
    assert!(decision.after[0].is_whole());
    assert_eq!(changed_lines(&file(&lines), &after), [3, 5, 6, 7, 8, 9]);
    let back = unstitch(&decision.edits, after.len() as u64, &after[..]).unwrap();
    assert!(apply(&after, &back) == file(&lines));
}

#[test]
fn a_reader_that_gives_little_at_a_time_gives_the_same() {
    struct Slow<'a>(&'a [u8], bool);
    impl std::io::Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(std::io::ErrorKind::Interrupted.into());
            }
            let length = out.len().min(3);
            std::io::Read::read(&mut self.0, &mut out[..length])
        }
    }
    let file = file(&[user("a", ""), boundary("c", "a"), user("d", "c")]);
    let slow = jsonl_stitch::Index::read(Slow(&file, false)).unwrap();
    assert_eq!(
        (slow.len(), slow.size(), slow.offset(2)),
        (3, file.len() as u64, (file.len() - user("d", "c").len() - 1) as u64)
    );
}

// --- taking it back -------------------------------------------------------------------------------------------------

#[test]
fn a_stitch_taken_back_leaves_the_very_bytes_that_were_there() {
    let mut file =
        file(&[user("a", ""), boundary("c", "a"), user("a", "c"), boundary("c", "a"), user("d", "c")]);
    file.pop();
    for (limits, options) in [(SMALL, PLAIN), (BIG, Options { anchor: true, ..PLAIN })] {
        let (decision, after) = stitched(&file, limits, options);
        let back = unstitch(&decision.edits, after.len() as u64, &after[..]).unwrap();
        assert_eq!(apply(&after, &back), file);
    }
}

#[test]
fn lines_written_since_are_kept_and_follow_the_old_ids_again() {
    let lines = [user("a", ""), boundary("c", "a"), user("b", "c"), boundary("c", "b"), user("b", "c")];
    let mut file = file(&lines);
    file.pop();
    let (decision, after) = stitched(&file, SMALL, PLAIN);
    let fresh: Vec<_> = decision.edits.iter().filter(|edit| edit.kind == EditKind::Fresh).collect();
    let id = |at: usize| text(fresh[at].splice.new.to_vec()).trim_matches('"').to_owned();
    let new = [
        summary("s", &id(1)),
        user("t", "s").replace(r#""s""#, &format!(r#""{}""#, id(0))),
        boundary("u", &id(1)),
        "{torn".into(),
    ];
    let grown = [&after[..], &crate::support::file(&new)].concat();
    let back = unstitch(&decision.edits, after.len() as u64, &grown[..]).unwrap();
    let expected = [summary("s", "b"), user("t", "c"), boundary("u", "b"), "{torn".into()];
    assert_eq!(text(apply(&grown, &back)), text(crate::support::file(&[&lines[..], &expected].concat())));
}

#[test]
fn lines_written_behind_an_appended_boundary_follow_the_row_before_it() {
    let lines = [user("a", ""), user("b", "a"), user("a", "b")];
    let file = file(&lines);
    let limits = jsonl_stitch::load::Limits { big: file.len() as u64 - 1, window: 900 };
    let (decision, after) = stitched(&file, limits, Options { move_anchor: true, ..PLAIN });
    let anchor = decision.edits.last().unwrap();
    assert_eq!(anchor.kind, EditKind::Anchor);
    let anchor = crate::oracle::parse(&anchor.splice.new).unwrap();
    let grown = [&after[..], &crate::support::file(&[user("n", anchor["uuid"].as_str().unwrap())])].concat();
    let back = unstitch(&decision.edits, after.len() as u64, &grown[..]).unwrap();
    let expected = [&lines[..], &[user("n", "a")]].concat();
    assert_eq!(text(apply(&grown, &back)), text(crate::support::file(&expected)));
}
