//! Files that are too big to be read whole, and what makes them so.

use jsonl_stitch::load::{Limits, Load, Loader, Strategy};
use jsonl_stitch::{EditKind, NoStitch, Options, Why};

use crate::support::{
    PLAIN, SMALL, assistant, bookkeeping, boundary, boundary_with, decided, file, shown, size, stitched, user,
};

fn far_from_its_end() -> (Vec<String>, Limits) {
    let end: Vec<String> =
        (0..9).map(|n| user(&format!("n{n}"), &format!("n{}", n - 1)).replace("n-1", "c")).collect();
    let lines = [&[user("a", ""), assistant("b", "a"), boundary("c", "b")][..], &end].concat();
    let limits = Limits { big: size(&lines) - 1, window: size(&end) };
    (lines, limits)
}

#[test]
fn a_boundary_out_of_reach_is_refused_with_its_distance_and_nothing_written() {
    let (lines, limits) = far_from_its_end();
    let decision = decided(&file(&lines), limits, PLAIN);
    let distance = Some(size(&lines[2..]));
    assert_eq!(decision.why, Why::Impossible(NoStitch::OutOfReach { distance, reach: limits.window }));
    assert!(decision.edits.is_empty());
    let without = [user("a", ""), user("b", "a")];
    let decision = decided(&file(&without), Limits { big: 100, window: 100 }, PLAIN);
    assert_eq!(decision.why, Why::Impossible(NoStitch::OutOfReach { distance: None, reach: 100 }));
}

#[test]
fn a_boundary_is_appended_when_asked_for_and_everything_loads() {
    let (far, limits) = far_from_its_end();
    let without: Vec<String> =
        (1..12).map(|n| user(&format!("n{n}"), &format!("n{}", n - 1)).replace("n0", "")).collect();
    let without = [
        &without[..],
        &[user("last", "n11").replace(r#""message""#, r#""cwd":"C:\\x","sessionId":"s","message""#)],
    ]
    .concat();
    for (lines, limits) in [(far, limits), (without.clone(), Limits { big: size(&without) - 1, window: 900 })]
    {
        let file = file(&[&lines[..], &[bookkeeping()]].concat());
        let (decision, after) = stitched(&file, limits, Options { move_anchor: true, ..PLAIN });
        assert_eq!(decision.before[1].strategy, Strategy::Tail);
        assert!(decision.after.iter().all(Load::is_whole), "{:?}", decision.after);
        assert_eq!(shown(&after, Loader::V2, limits).len(), lines.len());
        let last = crate::oracle::parse(after.split(|&byte| byte == b'\n').rev().nth(1).unwrap()).unwrap();
        assert!(crate::oracle::is_boundary(&last));
        assert_eq!(last["parentUuid"], serde_json::Value::Null);
        assert_eq!(last["logicalParentUuid"], last["compactMetadata"]["preservedSegment"]["tailUuid"]);
        assert_eq!(last["compactMetadata"]["trigger"], "manual");
        assert_eq!(
            (&last["isSidechain"], &last["timestamp"]),
            (&false.into(), &"2026-02-03T04:05:06.789Z".into())
        );
        let has_place = last["cwd"] == "C:\\x" && last["sessionId"] == "s";
        assert_eq!(has_place, lines == without);
    }
}

#[test]
fn boundaries_that_were_disabled_are_boundaries_again_in_a_big_file_only() {
    let disabled =
        |uuid, logical| boundary(uuid, logical).replace("compact_boundary", "compact_boundary_disabled");
    let lines = [user("a", ""), disabled("c", "a"), user("b", "c"), disabled("d", "b"), user("e", "d")];
    assert_eq!(decided(&file(&lines), SMALL, PLAIN).why, Why::Whole);
    let big = Limits { big: size(&lines) - 1, window: size(&lines[3..]) + 200 };
    let (decision, after) = stitched(&file(&lines), big, PLAIN);
    assert_eq!(decision.kinds()[&EditKind::Revert], 2);
    assert!(!String::from_utf8(after).unwrap().contains("disabled"));
    assert!(decision.after.iter().all(Load::is_whole));

    let mixed = [user("a", ""), disabled("c", "a"), user("b", ""), boundary("d", "b"), user("e", "d")];
    let (decision, after) = stitched(&file(&mixed), SMALL, PLAIN);
    assert!(String::from_utf8(after).unwrap().contains("disabled"), "harmless in a small file");
    assert_eq!(decision.kinds()[&EditKind::Link], 2);
}

#[test]
fn a_boundary_that_its_own_segment_would_put_out_of_reach_is_out_of_reach() {
    let lines = [user("a", ""), boundary("c", "a"), user("d", "c")];
    let limits = Limits { big: size(&lines) - 1, window: size(&lines[1..]) };
    let decision = decided(&file(&lines), limits, PLAIN);
    assert!(matches!(decision.why, Why::Impossible(NoStitch::OutOfReach { .. })));
    let roomy = Limits { window: limits.window + 200, ..limits };
    assert_eq!(decided(&file(&lines), roomy, PLAIN).why, Why::Better);
}

#[test]
fn what_new_builds_show_is_not_given_up_for_what_old_ones_do_not() {
    let nameless = user("n", "a").replace(r#","uuid":"n""#, "");
    let mut file = file(&[user("a", "").as_str(), &nameless, &boundary("c", "a"), "{torn"]);
    file.pop();
    // One byte more and it is read by its segment, which does not pass the row without uuid.
    let size = file.len() as u64;
    let decision = decided(&file, Limits { big: size, window: size }, PLAIN);
    assert_eq!((decision.why, decision.edits.len()), (Why::NoBetter, 0));
}

#[test]
fn a_file_that_a_stitch_would_make_too_big_to_be_read_whole_is_left_alone() {
    let (lines, limits) = far_from_its_end();
    let just_small = Limits { big: size(&lines), ..limits };
    let decision = decided(&file(&lines), just_small, PLAIN);
    assert!(matches!(decision.why, Why::Impossible(NoStitch::OutOfReach { .. })));
    assert!(decision.edits.is_empty());
    let (decision, _) = stitched(&file(&lines), just_small, Options { move_anchor: true, ..PLAIN });
    assert!(decision.after.iter().all(Load::is_whole));
}

#[test]
fn a_file_whose_size_is_about_the_limit_comes_to_rest_after_one_stitch() {
    let disabled =
        |uuid, logical| boundary(uuid, logical).replace("compact_boundary", "compact_boundary_disabled");
    // A stitch gives it an ending and makes it big, and if then the disabled boundary were one again it would be small.
    let nameless = disabled("b", "a").replace(r#""uuid":"b","#, "");
    let segment = r#"{"preservedSegment":{"headUuid":"c","tailUuid":"c"}}"#;
    let torn = [user("a", ""), nameless, boundary("c", "a"), boundary_with("d", "c", segment)];
    let last = [user("a", ""), boundary("b", "a"), user("c", "b"), user("x", "b"), disabled("d", "c")];
    for (lines, unended) in [(&torn[..], 1), (&last, 0)] {
        let (whole, end) = (size(lines), size(&lines[lines.len() - 1..]));
        let file = &file(lines)[..file(lines).len() - unended];
        for big in whole - 50..whole + 350 {
            for window in [big, big / 2, end + 60] {
                for options in
                    [PLAIN, Options { anchor: true, ..PLAIN }, Options { move_anchor: true, ..PLAIN }]
                {
                    stitched(file, Limits { big, window }, options);
                }
            }
        }
    }
}
