//! What holds of every transcript, however broken.

use std::collections::BTreeSet;
use std::io::Read as _;

use jsonl_stitch::load::{Fate, Limits, Loader, Simulation};
use jsonl_stitch::{Decision, Edit, EditKind, Index, Options, Splice, Spliced, Why, check, decide, unstitch};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::oracle::{self, Shown};
use crate::transcript::{Transcript, transcript};

pub(crate) fn shown(file: &[u8], loader: Loader, limits: Limits) -> Shown {
    let index = Index::read(file).unwrap();
    let simulation = Simulation::new(&index, "t", loader, limits);
    let shown = index.rows().filter(|&row| simulation.fate(row) == Fate::Shown);
    let offsets: BTreeSet<usize> = shown.map(|row| usize::try_from(index.offset(row)).unwrap()).collect();
    Shown { strategy: simulation.strategy(), offsets }
}

proptest! {
    #![proptest_config(crate::times(4))]

    #[test]
    fn what_is_predicted_is_what_the_loaders_do(Transcript { bytes, limits } in transcript()) {
        for loader in Loader::ALL {
            let expected = oracle::load(&bytes, loader, limits);
            prop_assert_eq!(shown(&bytes, loader, limits), expected, "{:?}\n{}", loader, String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn every_row_has_one_fate(Transcript { bytes, limits } in transcript()) {
        let checked = check(&bytes[..], "t", limits).unwrap();
        for load in &checked.loads {
            let hidden: u64 = load.hidden.values().sum();
            prop_assert_eq!(u64::from(checked.index.len()), load.of + hidden);
            prop_assert_eq!(load.of, load.shown + load.rows_lost());
        }
    }
}

fn options() -> impl Strategy<Value = Options> {
    any::<[bool; 4]>().prop_map(|[anchor, join_roots, no_weave, move_anchor]| Options {
        anchor,
        join_roots,
        no_weave,
        move_anchor,
    })
}

fn targets() -> impl Strategy<Value = &'static [Loader]> {
    prop_oneof![
        3 => Just(&Loader::ALL[..]),
        1 => Just(&Loader::ALL[..1]),
        1 => Just(&Loader::ALL[1..]),
    ]
}

fn apply(file: &[u8], splices: &[Splice]) -> Vec<u8> {
    let mut out = Vec::new();
    Spliced::new(file, splices).unwrap().read_to_end(&mut out).unwrap();
    out
}

fn decided(file: &[u8], limits: Limits, targets: &[Loader], options: Options) -> Decision {
    decide(check(file, "t", limits).unwrap(), targets, options, || Ok(file)).unwrap()
}

proptest! {
    #![proptest_config(crate::times(4))]

    #[test]
    fn a_stitch_brings_back_what_it_says_and_a_second_one_changes_nothing(
        Transcript { bytes, limits } in transcript(), options in options(), targets in targets(),
    ) {
        let decision = decided(&bytes, limits, targets, options);
        let stitched = apply(&bytes, &decision.splices());
        prop_assert_eq!(decision.why == Why::Better, !decision.edits.is_empty());
        prop_assert_eq!(&check(&stitched[..], "t", limits).unwrap().loads, &decision.after);
        for (before, after) in decision.before.iter().zip(&decision.after) {
            prop_assert!(after.rows_lost() <= before.rows_lost());
            let expected = oracle::load(&stitched, after.loader, limits);
            prop_assert_eq!(after.shown, expected.offsets.len() as u64);
        }
        let again = decided(&stitched, limits, targets, options);
        prop_assert_eq!(again.edits, vec![], "{}", String::from_utf8_lossy(&stitched));
    }

    #[test]
    fn a_stitch_changes_no_more_than_it_says_and_can_be_taken_back(
        Transcript { bytes, limits } in transcript(), options in options(), more in transcript(),
    ) {
        let decision = decided(&bytes, limits, &Loader::ALL, options);
        let stitched = apply(&bytes, &decision.splices());
        only_ids_change(&bytes, &stitched, &decision.edits)?;
        new_parents_come_before(&stitched, &decision.edits)?;

        let size = stitched.len() as u64;
        let back = unstitch(&decision.edits, size, &stitched[..]).unwrap();
        prop_assert_eq!(apply(&stitched, &back), &bytes[..]);

        let grown = [&stitched[..], &more.bytes].concat();
        let back = unstitch(&decision.edits, size, &grown[..]).unwrap();
        let ungrown = apply(&grown, &back);
        prop_assert!(ungrown.starts_with(&bytes));
        prop_assert!(decision.edits.is_empty() || ungrown.len() - bytes.len() >= more.bytes.len());
    }
}

/// Line by line: what has no edit is as it was, and what has one differs in ids and segments only.
fn only_ids_change(before: &[u8], after: &[u8], edits: &[Edit]) -> Result<(), TestCaseError> {
    let edited: BTreeSet<u64> = edits.iter().map(|edit| edit.line).collect();
    let (old, new) = (lines(before), lines(after));
    let appended = edits.iter().filter(|edit| edit.kind == EditKind::Anchor).count();
    prop_assert_eq!(old.len() + appended, new.len());
    for (number, (old, new)) in (1..).zip(old.into_iter().zip(new)) {
        if !edited.contains(&number) {
            prop_assert_eq!(old, new);
        } else if let Some(old) = oracle::parse(old) {
            let new = oracle::parse(new);
            prop_assert!(new.is_some());
            prop_assert_eq!(without_ids(old), without_ids(new.unwrap_or_default()));
        }
    }
    Ok(())
}

fn new_parents_come_before(after: &[u8], edits: &[Edit]) -> Result<(), TestCaseError> {
    use EditKind::{Gap, Join, Link, Repoint, Weave};
    let rows: Vec<Value> =
        lines(after).into_iter().map(|line| oracle::parse(line).unwrap_or_default()).collect();
    for edit in edits.iter().filter(|edit| [Link, Gap, Join, Weave, Repoint].contains(&edit.kind)) {
        let at = usize::try_from(edit.line).unwrap() - 1;
        let parent = oracle::id(&rows[at], "parentUuid");
        prop_assert!(parent.is_some());
        let found: Vec<usize> =
            (0..rows.len()).filter(|&row| oracle::id(&rows[row], "uuid") == parent).collect();
        prop_assert!(matches!(found[..], [parent] if parent < at), "line {}: {:?}", edit.line, found);
    }
    Ok(())
}

fn lines(file: &[u8]) -> Vec<&[u8]> {
    file.split_inclusive(|&byte| byte == b'\n').collect()
}

fn without_ids(mut row: Value) -> Value {
    if let Some(members) = row.as_object_mut() {
        members.retain(|name, _| !["uuid", "parentUuid", "subtype"].contains(&name.as_str()));
        let metadata = members.entry("compactMetadata").or_insert(json!({}));
        if !metadata.is_object() {
            *metadata = json!({});
        }
        if let Some(segment) = metadata.get_mut("preservedSegment").and_then(Value::as_object_mut) {
            segment.retain(|name, _| !["headUuid", "tailUuid", "anchorUuid"].contains(&name.as_str()));
        }
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.retain(|name, value| {
                name != "preservedSegment" || value.as_object().is_some_and(|it| !it.is_empty())
            });
        }
    }
    row
}
