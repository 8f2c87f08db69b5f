//! A long session, as it becomes after a dozen compactions, before and after a stitch.

use std::collections::BTreeSet;

use jsonl_stitch::load::{Limits, Load, Loader, Strategy};
use jsonl_stitch::{EditKind, NoStitch, Options, Why, check, unstitch};
use uuid::Uuid;

use crate::support::{
    BIG, PLAIN, SMALL, STEM, apply, assistant, bookkeeping, boundary, decided, fates, file, result,
    sidechain, stitched, summary, user,
};

/// Its lines, as they are written one after the other.
#[derive(Default)]
struct Session {
    lines: Vec<String>,
    ids: u128,
    last: String,
}

impl Session {
    fn id(&mut self) -> String {
        self.ids += 1;
        Uuid::new_v5(&Uuid::NAMESPACE_OID, &self.ids.to_be_bytes()).to_string()
    }

    fn say(&mut self, row: fn(&str, &str) -> String) -> String {
        let (id, parent) = (self.id(), self.last.clone());
        self.lines.push(row(&id, &parent));
        self.last.clone_from(&id);
        id
    }

    /// A prompt, three tool calls at once whose results hang beside each other, a subagent at work, and an answer.
    fn turn(&mut self) {
        self.say(user);
        let calls = [self.say(assistant), self.say(assistant), self.say(assistant)];
        for call in calls {
            let id = self.id();
            self.lines.push(result(&id, &call));
            self.last = id;
        }
        let id = self.id();
        let mut more = result(&id, &self.last);
        more = more.replace(r#""type":"user""#, r#""type":"tool_progress""#);
        self.lines.extend([more, bookkeeping()]);
        self.last = id;
        self.say(assistant);
    }

    /// A compaction as it is written: twice, the second with the uuid that the first of the next will have.
    fn compact(&mut self, pair: &[String], number: usize) {
        let logical = self.last.clone();
        self.lines.push(boundary(&pair[number], &logical));
        self.lines.push(boundary(&pair[number + 1], &logical));
        self.last.clone_from(&pair[number + 1]);
        self.say(summary);
    }

    fn of_twelve_compactions() -> Self {
        let mut session = Self::default();
        let pairs: Vec<String> = (0..=12).map(|_| session.id()).collect();
        for number in 0..12 {
            (0..3).for_each(|_| session.turn());
            session.compact(&pairs, number);
        }
        // A resume writes messages from before again, with their uuids.
        let from = session.lines.len() - 14;
        let again: Vec<String> = session.lines[from..from + 9].to_vec();
        session.lines.extend(again);
        session.turn();
        session
    }
}

fn is_boundary(line: &str) -> bool {
    line.contains("compact_boundary")
}

#[test]
fn a_session_of_twelve_compactions_comes_back_whole_under_both_loaders() {
    let session = Session::of_twelve_compactions();
    let before = file(&session.lines);
    let last = session.lines.iter().rposition(|line| is_boundary(line)).unwrap();

    for (limits, strategies) in [(SMALL, [Strategy::None; 2]), (BIG, [Strategy::Compaction; 2])] {
        let checked = check(&before[..], STEM, limits).unwrap();
        assert_eq!([checked.loads[0].strategy, checked.loads[1].strategy], strategies);
        let old = &checked.loads[0];
        let dropped: u64 = old.lost.values().map(|extent| extent.rows).sum();
        let lines = old.lost.values().map(|extent| (extent.first_line, extent.last_line)).collect::<Vec<_>>();
        assert_eq!(lines, [(1, last as u64)]);
        assert!(dropped > 300);

        let (decision, after) = stitched(&before, limits, PLAIN);
        assert!(decision.after.iter().all(Load::is_whole), "{:?}", decision.after);
        let kinds: Vec<EditKind> = decision.kinds().into_keys().collect();
        assert_eq!(
            kinds,
            [EditKind::Link, EditKind::Weave, EditKind::Fresh, EditKind::Repoint, EditKind::Segment]
        );
        untouched_but_for_edits(&before, &after, &decision.edits);
        all_ids_are_distinct(&after);

        let back = unstitch(&decision.edits, after.len() as u64, &after[..]).unwrap();
        assert_eq!(apply(&after, &back), before);
    }
}

#[test]
fn branches_that_were_left_are_named_and_an_earlier_root_comes_back_when_asked_for() {
    let mut session = Session::default();
    let root = [session.say(user), session.say(assistant)].len();
    session.last = String::new();
    session.turn();
    let fork = session.last.clone();
    let first = session.lines.len();
    (0..2).for_each(|_| drop(session.say(user)));
    let abandoned = first + 1..=session.lines.len();
    session.last = fork;
    session.turn();
    let id = session.id();
    session.compact(&[id, "second".into()], 0);
    session.turn();
    let subagent = session.id();
    session.lines.push(sidechain(&subagent, ""));

    let before = file(&session.lines);
    let (decision, after) = stitched(&before, BIG, PLAIN);
    assert_eq!(decision.why, Why::Better);
    assert!(decision.after.iter().all(Load::is_whole_but_for_branches));
    let expected = |line: usize| {
        if line <= root {
            "off-chain/other-root"
        } else if abandoned.contains(&line) {
            "off-chain/abandoned"
        } else {
            "loaded"
        }
    };
    for loader in Loader::ALL {
        let found = (1..).zip(fates(&after, loader, BIG));
        let lost: Vec<_> = found
            .filter(|(_, fate)| !["loaded", "type", "summary", "last-boundary"].contains(fate))
            .collect();
        let expected: Vec<_> = (1..=session.lines.len()).map(|line| (line, expected(line))).collect();
        let expected: Vec<_> = expected.into_iter().filter(|(_, fate)| *fate != "loaded").collect();
        assert_eq!(lost, expected);
    }

    let (decision, joined) = stitched(&after, BIG, Options { join_roots: true, ..PLAIN });
    assert_eq!(decision.kinds()[&EditKind::Join], 1);
    let lost: BTreeSet<&str> = decision.after[0].lost.keys().map(|loss| loss.code()).collect();
    assert_eq!(lost, ["off-chain/abandoned"].into());
    assert_eq!(fates(&joined, Loader::V2, BIG)[..root], ["loaded"; 2]);
}

#[test]
fn a_long_tail_behind_the_last_compaction_needs_an_appended_boundary() {
    let mut session = Session::of_twelve_compactions();
    let window = file(&session.lines).len() as u64 / 2;
    while file(&session.lines).len() as u64 <= 3 * window {
        session.turn();
    }
    let limits = Limits { big: window * 2, window };
    let bytes = file(&session.lines);
    let refused = decided(&bytes, limits, PLAIN);
    assert!(matches!(refused.why, Why::Impossible(NoStitch::OutOfReach { .. })));
    let (decision, _) = stitched(&bytes, limits, Options { move_anchor: true, ..PLAIN });
    for load in &decision.after {
        // Their originals are shown.
        let copies: Vec<_> = load.lost.iter().map(|(loss, extent)| (loss.code(), extent.rows)).collect();
        assert_eq!(copies, [("off-chain/duplicate-copy", 9)]);
    }
}

fn untouched_but_for_edits(before: &[u8], after: &[u8], edits: &[jsonl_stitch::Edit]) {
    let edited: BTreeSet<usize> = edits.iter().map(|edit| usize::try_from(edit.line).unwrap()).collect();
    assert_eq!(crate::support::changed_lines(before, after), edited.into_iter().collect::<Vec<_>>());
}

fn all_ids_are_distinct(file: &[u8]) {
    let rows: Vec<_> = crate::oracle::pieces(file, 0)
        .into_iter()
        .filter_map(|(_, line)| crate::oracle::parse(line))
        .collect();
    let ids: Vec<&str> = rows.iter().filter_map(|row| crate::oracle::id(row, "uuid")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}
