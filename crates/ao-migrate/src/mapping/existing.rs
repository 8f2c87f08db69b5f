//! What stands in the database already, and how it compares with what would be written (formats/ao.md §6.3).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::rows::{ProjectRow, SessionRow};

/// The rows that the database holds, each as its values in the order of the row's `COLUMNS`: integers as numbers, text
/// as strings, NULL as null.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Existing {
    /// `projects`, by id.
    pub projects: BTreeMap<String, Vec<Value>>,
    /// `sessions`, by id: all of them, because numbers are given beside those that are there.
    pub sessions: BTreeMap<String, Vec<Value>>,
}

/// What one project has in the database.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The numbers that its sessions have.
    pub(super) numbers: BTreeSet<i64>,
    /// Its orchestrators that are not terminated: number and id.
    pub(super) orchestrators: Vec<(i64, String)>,
}

impl Existing {
    /// A value of a project's row.
    pub(super) fn of_project(&self, id: &str, column: &str) -> Option<&Value> {
        value(self.projects.get(id)?, ProjectRow::COLUMNS, column)
    }

    /// A value of a session's row.
    pub(super) fn of_session(&self, id: &str, column: &str) -> Option<&Value> {
        value(self.sessions.get(id)?, SessionRow::COLUMNS, column)
    }

    /// The project of a session that is in the database.
    pub(super) fn project_of(&self, session: &str) -> Option<&str> {
        self.of_session(session, "project_id")?.as_str()
    }

    /// The columns in which a project differs, or `None` when it is not there.
    pub(super) fn differing_project(&self, row: &ProjectRow) -> Option<Vec<&'static str>> {
        Some(differing(ProjectRow::COLUMNS, &row.values(), self.projects.get(&row.id)?))
    }

    /// The columns in which a session differs, or `None` when it is not there.
    pub(super) fn differing_session(&self, row: &SessionRow) -> Option<Vec<&'static str>> {
        Some(differing(SessionRow::COLUMNS, &row.values(), self.sessions.get(&row.id)?))
    }

    /// What each project holds.
    pub(super) fn held(&self) -> BTreeMap<&str, Held> {
        let mut held: BTreeMap<&str, Held> = BTreeMap::new();
        for id in self.sessions.keys() {
            let (Some(project), Some(num)) = (self.project_of(id), self.number_of(id)) else { continue };
            let of_project = held.entry(project).or_default();
            of_project.numbers.insert(num);
            if self.is_live_orchestrator(id) {
                of_project.orchestrators.push((num, id.clone()));
            }
        }
        held
    }

    /// The number of a session that is in the database.
    pub(super) fn number_of(&self, session: &str) -> Option<i64> {
        self.of_session(session, "num")?.as_i64()
    }

    fn is_live_orchestrator(&self, id: &str) -> bool {
        self.of_session(id, "kind").is_some_and(|kind| kind == "orchestrator")
            && self.of_session(id, "is_terminated").is_some_and(|terminated| terminated == 0)
    }
}

fn value<'a>(row: &'a [Value], columns: &[&str], column: &str) -> Option<&'a Value> {
    row.get(columns.iter().position(|name| *name == column)?)
}

fn differing(columns: &'static [&'static str], ours: &[Value], theirs: &[Value]) -> Vec<&'static str> {
    let same = |at: usize| match (columns[at], theirs.get(at)) {
        ("config", Some(theirs)) => is_same_config(&ours[at], theirs),
        (_, theirs) => theirs == Some(&ours[at]),
    };
    (0..columns.len()).filter(|at| !same(*at)).map(|at| columns[at]).collect()
}

/// Configurations are compared by meaning: the daemon writes empty parts where we write none (formats/ao.md §5.1).
fn is_same_config(ours: &Value, theirs: &Value) -> bool {
    match (meaning(ours), meaning(theirs)) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => false,
    }
}

/// A configuration without its empty parts; `None` for text that is no JSON.
fn meaning(config: &Value) -> Option<Value> {
    match config {
        Value::Null => Some(Value::Object(Map::new())),
        Value::String(text) => serde_json::from_str(text).ok().map(without_empty_parts),
        _ => None,
    }
}

fn without_empty_parts(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    let kept = map.into_iter().filter_map(|(key, value)| {
        // An empty variable is not an absent one.
        let value = if key == "env" { value } else { without_empty_parts(value) };
        (!is_empty(&value)).then_some((key, value))
    });
    Value::Object(kept.collect())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
