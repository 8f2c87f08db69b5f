//! How an item of a plan says which lines change, and why: in the order of the file, neighbours of one kind together.
//! There may be hundreds of thousands; what stands there before and afterwards is in the step's splices, once.

use std::fmt::Write as _;

use jsonl_stitch::{Edit, EditKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_model::Splice;

/// Neighbouring edits of one kind.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Neighbours {
    kind: EditKind,
    /// The line of each, counted from 1: `5-7,9` for 5, 6, 7 and 9.
    lines: String,
}

/// The lines and kinds of edits.
pub(crate) fn said(edits: &[Edit]) -> Value {
    let neighbours = edits.chunk_by(|a, b| a.kind == b.kind);
    neighbours.map(|these| json!(Neighbours { kind: these[0].kind, lines: lines_of(these) })).collect()
}

/// The edits of which this was said; `None` if these are not their splices.
pub(crate) fn of(said: &Value, splices: &[Splice]) -> Option<Vec<Edit>> {
    let said = Vec::<Neighbours>::deserialize(said).ok()?;
    let (mut splices, mut edits) = (splices.iter(), Vec::with_capacity(splices.len()));
    for Neighbours { kind, lines } in said {
        for range in lines.split(',') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            for line in first.parse::<u64>().ok()?..=last.parse().ok()? {
                edits.push(Edit { splice: splices.next()?.clone(), line, kind });
            }
        }
    }
    splices.next().is_none().then_some(edits)
}

fn lines_of(edits: &[Edit]) -> String {
    let mut lines = String::new();
    for range in edits.chunk_by(|a, b| a.line + 1 == b.line) {
        let (first, last) = (range[0].line, range[range.len() - 1].line);
        let comma = if lines.is_empty() { "" } else { "," };
        let _ = if first == last {
            write!(lines, "{comma}{first}")
        } else {
            write!(lines, "{comma}{first}-{last}")
        };
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_of_edits_gives_them_back_with_their_splices_and_no_others() {
        let edit = |line, kind| Edit {
            splice: Splice { offset: line * 10, old: (*b"a").into(), new: (*b"b").into() },
            line,
            kind,
        };
        let edits: Vec<Edit> = [1, 2, 3, 3, 9, 11, 12]
            .map(|line| edit(line, EditKind::Weave))
            .into_iter()
            .chain([edit(12, EditKind::Fresh), edit(13, EditKind::Weave)])
            .collect();
        let splices: Vec<Splice> = edits.iter().map(|edit| edit.splice.clone()).collect();
        let said = said(&edits);
        let weave = |lines| json!({ "kind": "weave", "lines": lines });
        let expected = [weave("1-3,3,9,11-12"), json!({ "kind": "fresh", "lines": "12" }), weave("13")];
        assert_eq!(said, json!(expected));
        assert_eq!(of(&said, &splices).as_deref(), Some(&edits[..]));
        assert_eq!(of(&said, &splices[1..]), None, "one less");
        assert_eq!(of(&said, &[&splices[..], &splices[..1]].concat()), None, "one more");
    }
}
