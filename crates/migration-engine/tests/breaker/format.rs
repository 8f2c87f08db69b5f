//! What a run looks like on disk, where a later version must be able to go on with it or take it back.

use migration_engine::{Changed, FORMAT, Wave};
use serde_json::Value;

use crate::place::{Events, Place};

/// Plan and journal of a run that took every kind of step and was taken back. If this snapshot changes, a run of the
/// version before can no longer be gone on with: raise `FORMAT`, so that it is refused by its number and left to the
/// version that made it.
#[test]
fn a_run_that_an_update_interrupts_is_read_as_it_was_written_or_refused_by_its_format() {
    let place = Place::new("abc");
    place.write("new/index", "before\n");
    place.write("new/history", "one\n");
    let first = Wave::publish(vec![
        place.install(0, "old/a", "new/x/a"),
        place.replace(0, "old/a", "new/index"),
        place.splice(1, "new/history", ["one", "two"]),
        place.tree_of(1, &["old/b"], "new/s"),
    ]);
    let run = place.begin(vec![vec![first, Wave::retire(vec![place.retire(2, "old/c")])]]);
    place.apply(&run, &Events::none()).unwrap();
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
    let lines = |name: &str| {
        let text = std::fs::read_to_string(run.dir().join(name)).unwrap();
        let shape = |line: &str| {
            let mut record = serde_json::from_str(&line[line.find('{').unwrap()..]).unwrap();
            reduce(&mut record);
            record.to_string()
        };
        text.lines().map(shape).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(format!("format {FORMAT}\n\n{}\n\n{}", lines("plan.jsonl"), lines("journal")));
}

/// Leaves names and kinds of values, and the words that the engine itself knows.
fn reduce(value: &mut Value) {
    match value {
        Value::Number(_) => *value = 0.into(),
        Value::String(text) => {
            let is_word = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte == b'_');
            if !is_word {
                "…".clone_into(text);
            }
        }
        Value::Array(values) => {
            values.iter_mut().for_each(reduce);
            values.dedup();
        }
        Value::Object(members) => members.values_mut().for_each(reduce),
        Value::Null | Value::Bool(_) => {}
    }
}
