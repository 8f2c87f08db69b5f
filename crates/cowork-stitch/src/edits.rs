//! How an item of a plan says which lines change, and why: in the order of the file, neighbours of one kind together.
//! There may be tens of thousands; what stands there before and afterwards is in the step's splices, once.

use jsonl_stitch::{Edit, EditKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_model::Splice;

/// Neighbouring edits of one kind.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Neighbours {
    kind: EditKind,
    /// The line of each, counted from 1.
    lines: Vec<u64>,
}

/// The lines and kinds of edits.
pub(crate) fn said(edits: &[Edit]) -> Value {
    let neighbours = edits.chunk_by(|a, b| a.kind == b.kind);
    neighbours
        .map(|these| {
            json!(Neighbours { kind: these[0].kind, lines: these.iter().map(|edit| edit.line).collect() })
        })
        .collect()
}

/// The edits of which this was said; `None` if these are not their splices.
pub(crate) fn of(said: Value, splices: &[Splice]) -> Option<Vec<Edit>> {
    let said: Vec<Neighbours> = serde_json::from_value(said).ok()?;
    let said = said.iter().flat_map(|Neighbours { kind, lines }| lines.iter().map(|&line| (line, *kind)));
    let (mut splices, mut edits) = (splices.iter(), Vec::with_capacity(splices.len()));
    for (line, kind) in said {
        edits.push(Edit { splice: splices.next()?.clone(), line, kind });
    }
    splices.next().is_none().then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_of_edits_gives_them_back_with_their_splices_and_no_others() {
        let edit = |line, kind| Edit {
            splice: Splice { offset: line * 10, old: b"a".to_vec(), new: b"b".to_vec() },
            line,
            kind,
        };
        let edits = [
            edit(1, EditKind::Weave),
            edit(2, EditKind::Weave),
            edit(2, EditKind::Fresh),
            edit(9, EditKind::Weave),
        ];
        let splices: Vec<Splice> = edits.iter().map(|edit| edit.splice.clone()).collect();
        let text =
            r#"[{"kind":"weave","lines":[1,2]},{"kind":"fresh","lines":[2]},{"kind":"weave","lines":[9]}]"#;
        assert_eq!(said(&edits).to_string(), text);
        assert_eq!(of(said(&edits), &splices).as_deref(), Some(&edits[..]));
        assert_eq!(of(said(&edits), &splices[..3]), None);
        assert_eq!(of(said(&edits[..3]), &splices), None);
    }
}
