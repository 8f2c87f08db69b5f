//! What a stitch brings back, and what it leaves alone.

use jsonl_stitch::load::Loader;
use jsonl_stitch::{EditError, EditKind, NoStitch, Options, Why, check, decide};

use crate::support::{
    BIG, PLAIN, SMALL, STEM, assistant, bookkeeping, boundary, boundary_with, changed_lines, decided, fates,
    file, result, shown, sidechain, stitched, summary, user, with_segment,
};

const V1: Loader = Loader::V1;

/// After a stitch every row is shown by both loaders, whether the file is small or big, but for the last boundary and
/// these lines.
fn everything_loads_but(lines: &[String], options: Options, lost: &[(u64, &str)]) -> Vec<u8> {
    let file = file(lines);
    let (_, after) = stitched(&file, BIG, options);
    let (_, of_small) = stitched(&file, SMALL, options);
    assert_eq!(of_small, after, "what is edited does not depend on the size");
    for (loader, limits) in [(V1, SMALL), (V1, BIG), (Loader::V2, BIG)] {
        let fates = fates(&after, loader, limits);
        let found: Vec<(u64, &str)> =
            (1..).zip(fates).filter(|(_, fate)| *fate != "loaded" && *fate != "summary").collect();
        let is_last = |(_, fate): &&(u64, &str)| *fate == "last-boundary";
        assert_eq!(found.iter().filter(is_last).count(), 1);
        assert_eq!(found.iter().filter(|row| !is_last(row)).copied().collect::<Vec<_>>(), lost);
    }
    after
}

fn everything_loads(lines: &[String]) -> Vec<u8> {
    everything_loads_but(lines, PLAIN, &[])
}

/// The parents of all rows.
fn parents(file: &[u8]) -> Vec<Option<String>> {
    let rows =
        crate::oracle::pieces(file, 0).into_iter().map(|(_, line)| crate::oracle::parse(line).unwrap());
    rows.map(|row| row["parentUuid"].as_str().map(str::to_owned)).collect()
}

fn uuids(file: &[u8]) -> Vec<String> {
    let rows =
        crate::oracle::pieces(file, 0).into_iter().map(|(_, line)| crate::oracle::parse(line).unwrap());
    rows.map(|row| row["uuid"].as_str().unwrap_or_default().to_owned()).collect()
}

// --- what is asked for and what is not ------------------------------------------------------------------------------

#[test]
fn nothing_is_done_where_nothing_is_lost() {
    let whole = [
        vec![user("a", ""), assistant("b", "a")],
        vec![user("a", ""), with_segment("c", "a", "a"), user("d", "c")],
        vec![bookkeeping()],
        vec![],
    ];
    for lines in whole {
        assert_eq!(decided(&file(&lines), SMALL, PLAIN).why, Why::Whole);
    }
}

#[test]
fn who_asks_for_new_builds_only_gets_no_edit_for_old_ones() {
    let file = file(&[user("a", ""), boundary("c", "a"), user("e", "c")]);
    let decide_for = |targets: &[Loader]| {
        decide(check(&file[..], STEM, SMALL).unwrap(), targets, PLAIN, || Ok(&file[..])).unwrap().why
    };
    assert_eq!(decide_for(&[Loader::V2]), Why::Whole);
    assert_eq!(decide_for(&[Loader::V1]), Why::Better);
}

#[test]
fn a_boundary_with_nothing_before_it_gets_no_null_ids() {
    for before in [bookkeeping(), String::new(), "{torn".into()] {
        let file = file(&[before, boundary("c", "a"), user("e", "c")]);
        let decision = decided(&file, BIG, PLAIN);
        assert!(decision.edits.is_empty(), "{:?}", decision.edits);
        assert_ne!(decision.why, Why::Better);
    }
}

#[test]
fn a_chain_without_message_is_refused_with_its_reason() {
    let lines = [boundary("0", ""), boundary("c", "0"), user("e", "c")];
    let decision = decided(&file(&lines), SMALL, PLAIN);
    assert_eq!(decision.why, Why::Impossible(NoStitch::NoMessage));
    assert!(decision.edits.is_empty());
}

#[test]
fn what_cannot_be_brought_back_is_no_reason_to_write() {
    let lines =
        [user("a", ""), assistant("b", "a"), user("x", "a"), with_segment("c", "a", "b"), user("e", "c")];
    assert_eq!(decided(&file(&lines), SMALL, PLAIN).why, Why::NoBetter);
    let torn = [user("a", ""), "{torn".into()];
    assert_eq!(decided(&file(&torn), SMALL, PLAIN).why, Why::NoBetter);
}

#[test]
fn check_says_whether_a_stitch_could_help_before_anybody_reads_the_file_again() {
    let wants = |file: &[u8]| check(file, STEM, BIG).unwrap().wants_stitch(&Loader::ALL);
    let lines = [user("a", ""), user("b", "a"), user("x", "a"), with_segment("c", "b", "b"), user("e", "c")];
    assert!(wants(&file(&lines)), "the segment keeps too little");
    let (_, after) = stitched(&file(&lines), BIG, PLAIN);
    assert_eq!(fates(&after, V1, BIG)[1], "off-chain/abandoned");
    assert!(!wants(&after), "a branch stays one");
    assert!(wants(&file(&[user("a", ""), boundary("c", "a")])));
    assert!(!wants(&file(&[user("a", "").as_str(), "{torn", &with_segment("c", "a", "a")])));
    assert!(
        !wants(&file(&[boundary("p", ""), user("a", "p"), with_segment("c", "a", "a")])),
        "above the first message"
    );
}

#[test]
fn a_file_that_changed_since_it_was_looked_at_is_not_edited() {
    let lines = [user("a", ""), boundary("c", "a"), user("e", "c")];
    let file = file(&lines);
    let on = |other: Vec<u8>| {
        let checked = check(&file[..], STEM, SMALL).unwrap();
        decide(checked, &Loader::ALL, PLAIN, || Ok(std::io::Cursor::new(other.clone())))
    };
    let torn = [&crate::support::file(&lines[..1])[..], &b"not what it was"[..]].concat();
    assert!(matches!(on(torn), Err(EditError::Changed { line: 2 })));
    assert!(matches!(on([&file[..], b"{}\n"].concat()), Err(EditError::Changed { .. })));
    assert!(matches!(on(Vec::new()), Err(EditError::Changed { .. })));
    assert_eq!(on(file.clone()).unwrap().why, Why::Better);
}

#[test]
fn a_missing_ending_is_given_although_no_stitch_is_needed() {
    for (ending, last) in [("\n", user("b", "a")), ("\r\n", user("b", "a")), ("\n", "{\"torn".to_owned())] {
        let file = format!("{}{ending}{last}", user("a", "")).into_bytes();
        let (decision, after) = stitched(&file, SMALL, PLAIN);
        assert_eq!(decision.edits.iter().map(|edit| edit.kind).collect::<Vec<_>>(), [EditKind::Ending]);
        assert_eq!(after, [&file[..], ending.as_bytes()].concat());
    }
}

// --- the classes of input -------------------------------------------------------------------------------------------

#[test]
fn look_alikes_of_boundaries_stay_as_they_are() {
    let as_other = |from: &str, to: &str| boundary("m", "a").replace(from, to);
    let look_alikes = [
        as_other("compact_boundary", "microcompact_boundary").replace(":null", r#":"a""#),
        as_other("\"system\"", "\"user\"").replace(r#""m""#, r#""n""#).replace(":null", r#":"m""#),
        user("p", "n").replace("go on", r#"a \"compact_boundary\" is {\"type\":\"system\"}"#),
        as_other("compact_boundary", "compact_boundary_disabled")
            .replace(r#""m""#, r#""q""#)
            .replace(":null", r#":"p""#),
    ];
    let without = [&[user("a", "")][..], &look_alikes].concat();
    assert_eq!(decided(&file(&without), SMALL, PLAIN).why, Why::Whole);
    let with = [&without[..], &[boundary("c", "q"), user("e", "c")]].concat();
    let (_, after) = stitched(&file(&with), SMALL, PLAIN);
    assert_eq!(changed_lines(&file(&with), &after), [6]);
    assert_eq!(fates(&after, V1, SMALL).iter().filter(|fate| **fate == "loaded").count(), 6);
}

#[test]
fn boundaries_that_share_a_uuid_lose_nothing_between_them() {
    // The second of each pair has the uuid of the first of the next; children follow right before the next copy.
    let lines = [
        user("a", ""),
        boundary("p0", "a"),
        boundary("p1", "a"),
        summary("s1", "p1"),
        assistant("b", "s1"),
        boundary("p1", "b"),
        boundary("p2", "b"),
        summary("s2", "p2"),
        assistant("c", "s2"),
        user("d", "p2"),
        boundary("p2", "d"),
        boundary("p2", "d"),
        assistant("e", "p2"),
        boundary("p2", "e"),
        user("f", "p2"),
    ];
    let after = everything_loads_but(&lines, PLAIN, &[(9, "off-chain/abandoned")]);
    let uuids = uuids(&after);
    let distinct: std::collections::BTreeSet<_> = uuids.iter().collect();
    assert_eq!(distinct.len(), uuids.len());
    assert_eq!([&uuids[2], &uuids[6]], ["p1", "p2"], "the first of each keeps its uuid");
    let parents = parents(&after);
    assert_eq!(parents[12].as_deref(), Some(&*uuids[11]), "a child follows the copy before it");
    assert_eq!(parents[14].as_deref(), Some(&*uuids[13]));
}

#[test]
fn a_message_whose_uuid_is_used_again_after_the_last_boundary_is_there_twice() {
    let lines = [
        user("a", ""),
        assistant("b", "a"),
        boundary("c", "b"),
        summary("d", "c"),
        user("a", "d"),
        assistant("b", "a"),
        user("e", "b"),
    ];
    let after = everything_loads(&lines);
    let (uuids, parents) = (uuids(&after), parents(&after));
    assert_eq!(&uuids[..2], ["a", "b"]);
    assert_eq!(parents[5].as_deref(), Some(&*uuids[4]));
    assert_eq!(parents[6].as_deref(), Some(&*uuids[5]));
    assert_eq!(parents[1].as_deref(), Some("a"));
}

#[test]
fn a_first_prompt_that_was_abandoned_is_named_and_not_the_head() {
    let lines = [
        user("x", ""),
        user("y", ""),
        user("a", ""),
        assistant("b", "a"),
        boundary("c", "b"),
        user("d", "c"),
    ];
    let lost = [(1, "off-chain/other-root"), (2, "off-chain/other-root")];
    let after = everything_loads_but(&lines, PLAIN, &lost);
    assert!(String::from_utf8(after).unwrap().contains(r#""headUuid":"a","tailUuid":"b""#));
    let joined = Options { join_roots: true, ..PLAIN };
    let after = everything_loads_but(&lines, joined, &[]);
    assert_eq!(parents(&after)[..3], [None, Some("x".into()), Some("y".into())]);
}

#[test]
fn roots_are_joined_after_a_stitch_that_had_left_them_too() {
    let lines = [user("x", ""), user("a", ""), boundary("c", "a"), user("d", "c")];
    let (_, once) = stitched(&file(&lines), BIG, PLAIN);
    let (decision, after) = stitched(&once, BIG, Options { join_roots: true, ..PLAIN });
    assert_eq!(decision.kinds().into_keys().collect::<Vec<_>>(), [EditKind::Join, EditKind::Segment]);
    assert!(decision.after[0].is_whole());
    assert_eq!(changed_lines(&once, &after), [2, 3]);
}

#[test]
fn parallel_tool_results_are_woven_in_and_other_siblings_named() {
    let lines = [
        user("a", ""),
        assistant("b", "a"),
        assistant("c", "b"),
        result("r", "b"),
        result("s", "c"),
        result("t", "b"),
        assistant("d", "s"),
        user("x", "d"),
        user("e", "d"),
        boundary("f", "e"),
        user("g", "f"),
    ];
    let lost = [(8, "off-chain/abandoned")];
    let after = everything_loads_but(&lines, PLAIN, &lost);
    let expected = ["a", "b", "c", "r", "s", "t"].map(|parent| Some(parent.to_owned()));
    assert_eq!(parents(&after)[1..7], expected);
    let unwoven = [(4, "off-chain/parallel"), (6, "off-chain/parallel"), lost[0]];
    everything_loads_but(&lines, Options { no_weave: true, ..PLAIN }, &unwoven);
}

#[test]
fn calls_that_the_chain_passes_by_since_the_first_result_came_last_are_woven_in() {
    let lines = [
        user("a", ""),
        assistant("b", "a"),
        assistant("c", "b"),
        assistant("d", "c"),
        result("s", "c"),
        result("t", "d"),
        result("r", "b"),
        assistant("e", "r"),
        assistant("x", "e"),
        user("y", "x"),
        user("f", "e"),
        boundary("g", "f"),
        user("h", "g"),
    ];
    everything_loads_but(&lines, PLAIN, &[(9, "off-chain/abandoned"), (10, "off-chain/abandoned")]);
}

#[test]
fn parallel_results_after_the_tail_are_woven_in_behind_it() {
    let lines = [
        user("a", ""),
        assistant("b", "a"),
        result("r", "b"),
        sidechain("q", "r"),
        boundary("c", "b"),
        user("d", "c"),
    ];
    everything_loads_but(&lines, PLAIN, &[(4, "off-chain/sidechain")]);
    let lines = [
        user("a", ""),
        assistant("b", "a"),
        result("r", "b"),
        result("s", "b"),
        boundary("c", "r"),
        user("d", "c"),
    ];
    everything_loads(&lines);
}

#[test]
fn a_copy_of_a_tool_result_is_not_woven_in() {
    let lines = [
        user("a", ""),
        assistant("b", "a"),
        result("r", "b"),
        result("r", "b"),
        result("s", "b"),
        boundary("c", "s"),
        user("d", "c"),
    ];
    everything_loads_but(&lines, PLAIN, &[(4, "off-chain/duplicate-copy")]);
}

#[test]
fn boundaries_first_without_uuid_and_before_a_null_parent_are_linked_over() {
    let nameless = |logical| boundary("", logical).replace(r#","uuid":"""#, "");
    let lines = [
        user("a", ""),
        nameless("gone"),
        user("b", ""),
        bookkeeping(),
        boundary("c", "b"),
        sidechain("q", ""),
        user("d", ""),
        nameless("d"),
        user("e", ""),
    ];
    let file = file(&lines);
    let (decision, after) = stitched(&file, SMALL, PLAIN);
    assert_eq!(decision.kinds()[&EditKind::Link], 3);
    assert_eq!(parents(&after)[2].as_deref(), Some("a"));
    assert_eq!(parents(&after)[4].as_deref(), Some("b"));
    assert_eq!(parents(&after)[6].as_deref(), Some("c"));
    let lost = ["loaded", "last-boundary"];
    let fates: Vec<_> = fates(&after, V1, SMALL).into_iter().filter(|fate| !lost.contains(fate)).collect();
    assert_eq!(fates, ["off-chain/no-uuid", "type", "off-chain/sidechain"]);
    assert!(!String::from_utf8(after).unwrap().contains("Uuid\":null,\"tail"));
}

#[test]
fn a_segment_that_keeps_too_little_is_replaced_and_all_else_of_it_survives() {
    let metadata = concat!(
        r#"{ "trigger":"auto", "preservedSegment" : { "x": 1e2, "tailUuid" : "b", "anchorUuid":"kept","#,
        r#""headUuid":"b" , "y":"\udc00"}, "preservedMessages":{"anchorUuid":"kept","uuids":["b"]}}"#
    );
    let lines = [user("a", ""), user("b", "a"), boundary_with("c", "b", metadata), user("d", "c")];
    let after = everything_loads_but(&lines, Options { anchor: true, ..PLAIN }, &[]);
    let expected = metadata.replace(r#""headUuid":"b""#, r#""headUuid":"a""#);
    assert!(String::from_utf8(after).unwrap().contains(&expected));
}

#[test]
fn the_parent_of_the_last_boundary_stays_whatever_it_names() {
    let last = boundary("d", "b").replace("null", r#""c""#);
    let lines = [
        user("a", ""),
        boundary("c", "a"),
        user("b", "c"),
        boundary("c", "b"),
        user("x", "c"),
        last,
        user("e", "d"),
    ];
    let (decision, after) = stitched(&file(&lines), BIG, PLAIN);
    assert!(decision.after.iter().all(jsonl_stitch::load::Load::is_whole));
    assert_eq!(parents(&after)[5].as_deref(), Some("c"));
    assert_ne!(parents(&after)[4].as_deref(), Some("c"));
}

#[test]
fn segments_of_older_boundaries_stay() {
    let lines =
        [user("a", ""), with_segment("b", "gone", "a"), user("c", "b"), boundary("d", "c"), user("e", "d")];
    let after = everything_loads(&lines);
    assert!(String::from_utf8(after).unwrap().contains(r#""headUuid":"gone""#));
}

#[test]
fn an_anchor_is_written_only_when_asked_for_and_only_where_there_is_none() {
    let anchor = Options { anchor: true, ..PLAIN };
    let lines = [user("a", ""), boundary("c", "a"), summary("s", "c"), user("d", "s")];
    let text =
        |lines: &[String], options| String::from_utf8(stitched(&file(lines), SMALL, options).1).unwrap();
    assert!(!text(&lines, PLAIN).contains("anchorUuid"));
    assert!(text(&lines, anchor).contains(r#""anchorUuid":"c""#));
    let nameless = lines[1].replace(r#","uuid":"c""#, "");
    let lines = [lines[0].clone(), nameless, lines[2].clone(), lines[3].clone()];
    assert!(text(&lines, anchor).contains(r#""anchorUuid":"s""#));
}

#[test]
fn an_anchor_names_a_boundary_by_its_fresh_id() {
    let lines = [user("a", ""), boundary("c", "a"), user("b", "c"), boundary("c", "b"), user("d", "c")];
    let (_, after) = stitched(&file(&lines), SMALL, Options { anchor: true, ..PLAIN });
    let id = &uuids(&after)[3];
    assert_ne!(id, "c");
    assert!(String::from_utf8(after).unwrap().contains(&format!(r#""anchorUuid":"{id}""#)));
}

// --- where the chain goes -------------------------------------------------------------------------------------------

#[test]
fn a_compaction_is_linked_to_its_logical_parent_when_the_row_before_it_is_an_abandoned_branch() {
    let lines = [
        user("a", ""),
        assistant("b", "a"),
        user("c", "b"),
        user("x", "a"),
        boundary("d", "c"),
        user("e", "d"),
        user("y", "d"),
        boundary("f", "e"),
        user("g", "f"),
    ];
    let lost = [(4, "off-chain/abandoned"), (7, "off-chain/abandoned")];
    let after = everything_loads_but(&lines, PLAIN, &lost);
    assert_eq!(parents(&after)[4].as_deref(), Some("c"));
}

#[test]
fn a_compaction_is_linked_to_the_row_before_it_when_that_comes_from_the_logical_parent() {
    let lines = [user("a", ""), assistant("b", "a"), assistant("c", "b"), boundary("d", "a"), user("e", "d")];
    everything_loads(&lines);
    let twice = [
        user("a", ""),
        boundary("p", "a"),
        assistant("b", "p"),
        boundary("d", "a"),
        user("e", "d"),
        boundary("f", "a"),
        user("g", "f"),
    ];
    everything_loads(&twice);
}

#[test]
fn a_gap_is_closed_with_the_row_before_it_as_a_guess() {
    for parent in ["gone", "d", "b"] {
        let lines = [user("a", ""), user("b", parent), boundary("c", "b"), user("d", "c")];
        let (decision, after) = stitched(&file(&lines), SMALL, PLAIN);
        assert_eq!(decision.kinds()[&EditKind::Gap], 1);
        assert_eq!(parents(&after)[1].as_deref(), Some("a"));
        assert!(decision.after[0].is_whole());
    }
}

#[test]
fn rows_above_the_first_message_are_named_and_not_edited() {
    let progress = user("0", "gone").replace(r#""type":"user""#, r#""type":"system""#);
    let lines = [user("q", ""), progress, user("a", "0"), boundary("c", "a"), user("d", "c")];
    let lines = [&lines[1..], &[]].concat();
    let after = everything_loads_but(&lines, PLAIN, &[(1, "off-chain/above-head")]);
    assert_eq!(changed_lines(&file(&lines), &after), [3]);
}

#[test]
fn a_subagent_is_never_a_neighbour() {
    let lines = [
        user("a", ""),
        sidechain("q", "a"),
        boundary("c", "gone"),
        sidechain("r", ""),
        user("d", ""),
        boundary("e", ""),
    ];
    let lost = [(2, "off-chain/sidechain"), (4, "off-chain/sidechain")];
    let after = everything_loads_but(&lines, PLAIN, &lost);
    assert_eq!(parents(&after)[2].as_deref(), Some("a"));
    assert_eq!(parents(&after)[4].as_deref(), Some("c"));
}

#[test]
fn ids_beside_the_chain_are_left_alone_and_counted() {
    let lines = [
        user("x", ""),
        user("x", ""),
        user("a", ""),
        boundary("p", "a"),
        user("b", "p"),
        boundary("p", "b"),
        user("c", "p"),
        boundary("d", "p"),
        user("e", "d"),
    ];
    let (decision, after) = stitched(&file(&lines), BIG, PLAIN);
    assert_eq!(uuids(&after)[..2], ["x", "x"]);
    assert_eq!((decision.left_alone.shared_ids, decision.left_alone.logical_parents), (1, 1));
}

#[test]
fn the_same_transcript_gets_the_same_ids_and_another_gets_others() {
    let lines = [user("a", ""), boundary("c", "a"), user("a", "c")];
    let file = file(&lines);
    let id = |stem: &str| {
        let checked = check(&file[..], stem, SMALL).unwrap();
        let edits = decide(checked, &Loader::ALL, PLAIN, || Ok(&file[..])).unwrap().edits;
        edits.into_iter().find(|edit| edit.kind == EditKind::Fresh).unwrap().splice.new.to_vec()
    };
    assert_eq!(id("one"), id("one"));
    assert_ne!(id("one"), id("other"));
    assert_eq!(
        id("one"),
        b"\"3b70827f-2be5-56a6-b9dd-fd80ebe4ccae\"",
        "ids that were given once are never given otherwise"
    );
}

#[test]
fn a_fresh_id_that_exists_already_is_not_given_again() {
    let lines = [user("a", ""), boundary("c", "a"), user("a", "c")];
    let fresh = uuids(&stitched(&file(&lines), SMALL, PLAIN).1)[2].clone();
    let taken = [&[user(&fresh, "")][..], &lines[..1], &[user("b", &fresh)], &lines[1..]].concat();
    let (_, after) = stitched(&file(&taken), SMALL, PLAIN);
    let uuids = uuids(&after);
    assert_eq!(uuids.iter().filter(|uuid| **uuid == fresh).count(), 1);
    assert_ne!(uuids[4], "a");
}

#[test]
fn a_session_that_went_on_is_stitched_again_and_old_edits_are_kept() {
    let lines = [user("a", ""), boundary("c", "a"), user("b", "c"), boundary("c", "b"), user("d", "c")];
    let (_, once) = stitched(&file(&lines), BIG, PLAIN);
    let last = uuids(&once)[4].clone();
    let grown = [&once[..], &file(&[boundary("e", &last), user("f", "e"), user("a", "f")])].concat();
    let (decision, after) = stitched(&grown, BIG, PLAIN);
    assert_eq!(uuids(&after)[..5], uuids(&once));
    assert_eq!(changed_lines(&grown, &after), [4, 6, 8], "a link, a segment, and the id that was used again");
    assert!(decision.after.iter().all(jsonl_stitch::load::Load::is_whole));
    assert_eq!(shown(&after, V1, BIG).len(), 7);
}
