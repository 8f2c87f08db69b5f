//! What `check` says, held against what a person would see in the application.

use jsonl_stitch::check;
use jsonl_stitch::load::{Limits, Load, Loader, Strategy};

use crate::support::{
    BIG, SMALL, STEM, assistant, bookkeeping, boundary, boundary_with, fates, file, result, sidechain, size,
    summary, user, with_segment,
};

const V1: Loader = Loader::V1;
const V2: Loader = Loader::V2;

fn loads(file: &[u8], limits: Limits) -> [Load; 2] {
    check(file, STEM, limits).unwrap().loads.try_into().unwrap()
}

fn walk(lines: &[String]) -> String {
    loads(&file(lines), SMALL)[0].walk.as_ref().map(ToString::to_string).unwrap_or_default()
}

// --- what is read and shown of files small and big -------------------------------------------------------------------

#[test]
fn a_small_file_without_boundary_is_shown_whole_by_both() {
    let file = file(&[user("a", ""), assistant("b", "a"), bookkeeping()]);
    for load in loads(&file, SMALL) {
        assert_eq!((load.strategy, load.shown, load.of, load.log_suffix()), (Strategy::None, 2, 2, ""));
        assert!(load.is_whole());
    }
}

#[test]
fn a_small_file_with_a_boundary_loses_its_history_in_old_builds_and_their_log_does_not_say_so() {
    let file =
        file(&[user("a", ""), assistant("b", "a"), boundary("c", "b"), summary("d", "c"), user("e", "d")]);
    let [v1, v2] = loads(&file, SMALL);
    assert_eq!((v1.shown, v1.of, v1.log_suffix()), (1, 3, ""));
    assert_eq!((v2.shown, v2.of, v2.log_suffix()), (4, 4, ""));
    let expected = ["cut/no-segment", "cut/no-segment", "last-boundary", "summary", "loaded"];
    assert_eq!(fates(&file, V1, SMALL), expected);
    assert_eq!(fates(&file, V2, SMALL), ["loaded", "loaded", "loaded", "summary", "loaded"]);
}

#[test]
fn a_small_file_with_a_live_segment_is_shown_by_its_chain() {
    let file = file(&[
        user("a", ""),
        assistant("b", "a"),
        assistant("x", "a"),
        with_segment("c", "a", "b"),
        user("e", "c"),
    ]);
    let expected = ["loaded", "loaded", "off-chain/abandoned", "last-boundary", "loaded"];
    assert_eq!(fates(&file, V1, SMALL), expected);
    assert!(loads(&file, SMALL)[1].is_whole());
}

#[test]
fn a_big_file_is_read_from_its_last_boundary_on() {
    let file = file(&[user("a", ""), boundary("c", "a"), user("e", "c")]);
    for load in loads(&file, BIG) {
        assert_eq!((load.strategy, load.shown, load.of), (Strategy::Compaction, 1, 2));
        assert_eq!(load.log_suffix(), " (truncated via compaction)");
        assert!(load.may_drift());
    }
    assert_eq!(fates(&file, V2, BIG), ["unread-before-offset", "last-boundary", "loaded"]);
}

#[test]
fn a_big_file_with_a_live_segment_is_read_whole_and_shown_by_its_chain() {
    let file = file(&[user("z", ""), user("a", ""), with_segment("c", "a", "a"), user("e", "c")]);
    let [v1, v2] = loads(&file, BIG);
    assert_eq!((v1.strategy, v2.strategy), (Strategy::None, Strategy::Preserved));
    for loader in Loader::ALL {
        assert_eq!(fates(&file, loader, BIG), ["off-chain/other-root", "loaded", "last-boundary", "loaded"]);
    }
}

#[test]
fn a_big_file_whose_segment_is_broken_is_read_whole_and_hidden_all_the_same() {
    let file = file(&[user("a", ""), with_segment("c", "gone", "a"), user("e", "c")]);
    for loader in Loader::ALL {
        assert_eq!(fates(&file, loader, BIG), ["cut/walk-failed", "last-boundary", "loaded"]);
    }
    assert_eq!(loads(&file, BIG)[1].strategy, Strategy::Preserved);
}

#[test]
fn a_big_file_without_boundary_in_reach_is_shown_from_a_fixed_distance_and_cut_at_boundaries_there() {
    let end = [boundary("c", "a"), user("e", "c"), user("f", "e")];
    let lines = [&[user("y", ""), user("z", ""), user("a", "")][..], &end].concat();
    let limits = Limits { big: size(&lines[2..]) - 1, window: size(&end[1..]) };
    for load in loads(&file(&lines), limits) {
        assert_eq!((load.strategy, load.log_suffix()), (Strategy::Tail, " (truncated via tail)"));
    }
    let expected = [
        "unread-before-tail",
        "unread-before-tail",
        "partial-first-line",
        "last-boundary",
        "loaded",
        "loaded",
    ];
    assert_eq!(fates(&file(&lines), V2, limits), expected);

    let before = Limits { big: size(&lines[1..]), ..limits };
    let expected =
        ["unread-before-tail", "partial-first-line", "cut/no-segment", "last-boundary", "loaded", "loaded"];
    assert_eq!(fates(&file(&lines), V1, before), expected, "a first line is dropped even if it is whole");
}

#[test]
fn a_file_of_just_the_limit_is_small() {
    let file = file(&[user("a", ""), boundary("c", "a"), user("e", "c")]);
    let limit = file.len() as u64;
    assert_eq!(loads(&file, Limits { big: limit, window: 10 })[1].strategy, Strategy::None);
    assert_eq!(loads(&file, Limits { big: limit - 1, window: 10 })[1].strategy, Strategy::Tail);
}

#[test]
fn a_boundary_that_the_window_cuts_is_not_seen() {
    let end = [boundary("c", "a"), user("e", "c")];
    let file = file(&[&[user("a", "")][..], &end].concat());
    let seen = |window| loads(&file, Limits { big: size(&end), window })[0].strategy;
    assert_eq!(seen(size(&end)), Strategy::Compaction);
    assert_eq!(seen(size(&end) - 1), Strategy::Tail);
}

#[test]
fn a_boundary_spelled_with_an_escape_is_invisible_to_those_who_look_for_its_letters() {
    let spelled = boundary("c", "a").replace("compact_boundary", "compact\\u005fboundary");
    let file = file(&[user("a", ""), spelled, user("e", "c")]);
    assert_eq!(loads(&file, Limits { big: file.len() as u64 - 1, window: 1000 })[0].strategy, Strategy::Tail);
    assert_eq!(fates(&file, V1, SMALL), ["cut/no-segment", "last-boundary", "loaded"]);
}

// --- why a row is not shown ------------------------------------------------------------------------------------------

#[test]
fn rows_that_no_loader_shows_are_no_loss() {
    let only = |member: &str| user("a", "").replacen('{', &format!("{{{member},"), 1);
    let rows = [
        only(r#""isCompactSummary":true"#),
        only(r#""isVisibleInTranscriptOnly":1"#),
        only(r#""isVisibleInTranscriptOnly":"","isCompactSummary":0"#),
        bookkeeping(),
        "[1]".into(),
        "null".into(),
        r#"{"type":"attachment","attachment":{"type":"queued_command","source_uuid":"q"}}"#.into(),
    ];
    for load in loads(&file(&rows), SMALL) {
        assert_eq!((load.shown, load.of, load.queued_commands), (1, 1, 1));
    }
    let expected = ["summary", "transcript-only", "loaded", "type", "type", "type", "type"];
    assert_eq!(fates(&file(&rows), V2, SMALL), expected);
}

#[test]
fn a_last_line_without_ending_is_lost_in_a_small_file_only() {
    let mut file = file(&[user("a", ""), with_segment("c", "a", "a"), user("e", "c")]);
    file.pop();
    assert_eq!(fates(&file, V2, SMALL), ["loaded", "loaded", "unterminated-last-line"]);
    assert_eq!(fates(&file, V2, BIG), ["loaded", "last-boundary", "loaded"]);
}

#[test]
fn a_boundary_on_an_unread_last_line_hides_nothing() {
    let mut file = file(&[user("a", ""), boundary("b", "a"), user("c", "b"), boundary("d", "c")]);
    file.pop();
    let expected = ["cut/no-segment", "last-boundary", "loaded", "unterminated-last-line"];
    assert_eq!(fates(&file, V1, SMALL), expected);
}

#[test]
fn a_torn_line_is_named_and_hides_no_other() {
    let file =
        file(&[user("a", ""), r#"{"type":"user","uuid":"b"#.into(), "\u{FEFF}{}".into(), user("c", "a")]);
    assert_eq!(fates(&file, V1, SMALL), ["loaded", "bad-json", "bad-json", "loaded"]);
}

#[test]
fn a_segment_that_is_not_on_the_last_boundary_keeps_nothing() {
    let file = file(&[user("a", ""), with_segment("b", "a", "a"), user("c", "b"), boundary("d", "c")]);
    assert_eq!(
        fates(&file, V1, SMALL),
        ["cut/stale-segment", "cut/stale-segment", "cut/stale-segment", "last-boundary"]
    );
}

#[test]
fn what_javascript_takes_for_nothing_is_no_segment() {
    for (segment, expected) in [
        ("null", "cut/no-segment"),
        ("0", "cut/no-segment"),
        (r#""""#, "cut/no-segment"),
        ("false", "cut/no-segment"),
        ("{}", "cut/walk-failed"),
        ("[]", "cut/walk-failed"),
        ("7", "cut/walk-failed"),
    ] {
        let metadata = format!(r#"{{"preservedSegment":{segment}}}"#);
        let file = file(&[user("a", ""), boundary_with("b", "a", &metadata)]);
        assert_eq!(fates(&file, V1, SMALL)[0], expected, "{segment}");
    }
}

#[test]
fn why_a_walk_fails_is_said_exactly() {
    let start = [user("a", ""), user("b", "a")];
    let segment = |head, tail| [&start[..], &[with_segment("c", head, tail)]].concat();
    assert_eq!(walk(&segment("a", "")), "no tail");
    assert_eq!(walk(&segment("a", "gone")), "missing uuid gone, the segment's tail");
    assert_eq!(walk(&segment("gone", "b")), "null parent at a, on line 1");
    assert_eq!(walk(&segment("a", "c")), "uuid c at or after last boundary, on line 3");
    assert_eq!(
        walk(&[user("a", "gone"), with_segment("c", "x", "a")]),
        "missing uuid gone, the parent of line 1"
    );
    assert_eq!(walk(&[user("a", "b"), user("b", "a"), with_segment("c", "x", "b")]), "cycle at b, on line 2");
    let reused = [&segment("a", "b")[..], &[user("a", "c")]].concat();
    assert_eq!(walk(&reused), "uuid a at or after last boundary, on line 4");
    assert_eq!(walk(&segment("a", "b")), "");
}

#[test]
fn every_row_that_the_chain_passes_by_is_said_to_be_what_it_is() {
    let no_uuid = user("n", "a").replace(r#""uuid":"n","#, "");
    let rows = [
        ("off-chain/above-head", user("0", "")),
        ("loaded", user("a", "0")),
        ("loaded", assistant("b", "a")),
        ("off-chain/parallel", result("r", "b")),
        ("off-chain/parallel", result("s", "r")),
        ("loaded", result("c", "b")),
        ("off-chain/abandoned", user("x", "b")),
        ("off-chain/abandoned", result("y", "x")),
        ("off-chain/duplicate-copy", user("x", "b")),
        ("off-chain/other-root", user("o", "")),
        ("off-chain/other-root", user("p", "o")),
        ("off-chain/sidechain", sidechain("q", "b")),
        ("off-chain/no-uuid", no_uuid),
        ("loaded", user("d", "c")),
        ("off-chain/abandoned", result("late", "b")),
        ("last-boundary", with_segment("e", "a", "d")),
    ];
    let (expected, lines): (Vec<&str>, Vec<String>) = rows.into_iter().unzip();
    assert_eq!(fates(&file(&lines), V1, SMALL), expected);
}

#[test]
fn a_result_from_which_another_branch_goes_on_is_not_parallel() {
    let lines = [
        user("a", ""),
        assistant("b", "a"),
        result("r", "b"),
        result("s", "r"),
        assistant("t", "s"),
        result("c", "b"),
        with_segment("e", "a", "c"),
    ];
    assert_eq!(fates(&file(&lines), V1, SMALL)[2..5], ["off-chain/abandoned"; 3]);
}

#[test]
fn a_result_with_something_said_beside_it_is_not_parallel() {
    let said =
        result("r", "b").replace(r#""content":"ok"}]"#, r#""content":"ok"},{"type":"text","text":"stop"}]"#);
    let lines = [user("a", ""), assistant("b", "a"), said, result("c", "b"), with_segment("e", "a", "c")];
    assert_eq!(fates(&file(&lines), V1, SMALL)[2], "off-chain/abandoned");
}

#[test]
fn losses_are_counted_between_their_lines_blank_ones_counted() {
    let mut file = file(&[user("a", ""), String::new(), "\r".into(), user("b", "a"), boundary("c", "b")]);
    file.extend(b"  ");
    let [v1, _] = loads(&file, SMALL);
    let lost: Vec<_> =
        v1.lost.values().map(|extent| (extent.rows, extent.first_line, extent.last_line)).collect();
    assert_eq!(lost, [(2, 1, 4)]);
}
