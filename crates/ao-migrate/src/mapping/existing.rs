//! What stands in the database already, and how it compares with what would be written (formats/ao.md §6.3).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

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
pub(super) struct Held<'a> {
    /// The numbers that its sessions have.
    pub(super) numbers: BTreeSet<i64>,
    /// Its orchestrators that are not terminated: number and id.
    pub(super) orchestrators: Vec<(i64, &'a str)>,
}

/// Where the columns that are asked for stand.
const PATH: usize = position(ProjectRow::COLUMNS, "path");
const CONFIG: usize = position(ProjectRow::COLUMNS, "config");
const PROJECT_ID: usize = position(SessionRow::COLUMNS, "project_id");
const NUM: usize = position(SessionRow::COLUMNS, "num");
const KIND: usize = position(SessionRow::COLUMNS, "kind");
const IS_TERMINATED: usize = position(SessionRow::COLUMNS, "is_terminated");

impl Existing {
    /// The path of a project that is in the database.
    pub(crate) fn path_of(&self, project: &str) -> Option<&str> {
        self.projects.get(project)?.get(PATH)?.as_str()
    }

    /// The configuration of a project that is in the database; "" is NULL.
    pub(super) fn config_of(&self, project: &str) -> Option<&str> {
        Some(self.projects.get(project)?.get(CONFIG)?.as_str().unwrap_or_default())
    }

    /// The project of a session that is in the database.
    pub(super) fn project_of(&self, session: &str) -> Option<&str> {
        self.sessions.get(session)?.get(PROJECT_ID)?.as_str()
    }

    /// The number of a session that is in the database.
    pub(super) fn number_of(&self, session: &str) -> Option<i64> {
        self.sessions.get(session)?.get(NUM)?.as_i64()
    }

    /// The columns in which a project differs, or `None` when it is not there.
    pub(super) fn differing_project(&self, row: &ProjectRow) -> Option<Vec<&'static str>> {
        let theirs = self.projects.get(&row.id)?;
        let mut columns = row.differing(theirs);
        columns.retain(|column| {
            *column != "config" || !is_same_config(row.config.as_deref(), theirs.get(CONFIG))
        });
        Some(columns)
    }

    /// The columns in which a session differs, or `None` when it is not there.
    pub(super) fn differing_session(&self, row: &SessionRow) -> Option<Vec<&'static str>> {
        Some(row.differing(self.sessions.get(&row.id)?))
    }

    /// What each project holds.
    pub(super) fn held(&self) -> BTreeMap<&str, Held<'_>> {
        let mut held: BTreeMap<&str, Held<'_>> = BTreeMap::new();
        for (id, row) in &self.sessions {
            let project = row.get(PROJECT_ID).and_then(Value::as_str);
            let (Some(project), Some(num)) = (project, row.get(NUM).and_then(Value::as_i64)) else {
                continue;
            };
            let of_project = held.entry(project).or_default();
            of_project.numbers.insert(num);
            if is_live_orchestrator(row) {
                of_project.orchestrators.push((num, id));
            }
        }
        held
    }
}

fn is_live_orchestrator(row: &[Value]) -> bool {
    row.get(KIND).is_some_and(|kind| kind == "orchestrator")
        && row.get(IS_TERMINATED).is_some_and(|terminated| terminated == 0)
}

/// The position of a column, found while compiling.
const fn position(columns: &[&str], column: &str) -> usize {
    let mut at = 0;
    while !is_same(columns[at].as_bytes(), column.as_bytes()) {
        at += 1;
    }
    at
}

const fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([first, one_rest @ ..], [also, other_rest @ ..]) = (one, other) {
        if *first != *also {
            return false;
        }
        (one, other) = (one_rest, other_rest);
    }
    one.is_empty() && other.is_empty()
}

/// Configurations are compared by meaning: the daemon writes empty parts where we write none (formats/ao.md §5.1).
fn is_same_config(ours: Option<&str>, theirs: Option<&Value>) -> bool {
    let theirs = match theirs {
        Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.as_str()),
        _ => return false,
    };
    matches!((meaning(ours), meaning(theirs)), (Some(ours), Some(theirs)) if ours == theirs)
}

/// A configuration without its empty parts; `None` for text that is no JSON.
fn meaning(config: Option<&str>) -> Option<Value> {
    serde_json::from_str(config.unwrap_or("{}")).ok().map(without_empty_parts)
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
