//! A row of somebody else's table, as a step.

use std::path::Path;
use std::sync::Arc;

use migration_engine::{Cause, Cost, Cx, Look, Slot, State, Step, StepError};
use serde::{Deserialize, Serialize};

use crate::compare::Found;
use crate::{Name, Row, Rows, Value};

/// Inserts one row, and can take it back exactly.
///
/// The row is told from others by `key`; nothing else must have the same key. The insert is a plain one: whatever it
/// collides with is an error of this item. What triggers of the owner insert along with it is part of the effect: it is
/// noted, looked at and taken back. A trigger that changes other rows is refused, because that could not be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsertRow {
    /// The table.
    pub table: Name,
    /// The columns that tell the row from all others; `row` has them all.
    pub key: Vec<Name>,
    /// What is inserted. Columns that are not named get the table's defaults.
    pub row: Row,
    /// The columns that the owner may change in the normal course of things, such as times and states.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_move_on: Vec<Name>,
    /// Where room for it is needed; asked before the first write only, so plans do not carry it.
    #[serde(skip)]
    pub folder: Option<Arc<Path>>,
}

/// What came of an insert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inserted {
    /// The rows that triggers inserted along with it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brought: Vec<Brought>,
    /// The counters of AUTOINCREMENT tables that it moved, as they stood before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counters: Vec<Counter>,
    /// The columns that hold something else than the step says: defaults, and what a trigger of the owner put there.
    #[serde(default, skip_serializing_if = "Row::is_empty")]
    pub defaults: Row,
}

/// A row that a trigger inserted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brought {
    /// Its table.
    pub table: String,
    /// What it is found by: its primary key, or all of it where there is none.
    pub row: Row,
}

/// The counter of an AUTOINCREMENT table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// The table.
    pub table: String,
    /// Where it stood; `None` if the table had never had a row.
    pub before: Option<i64>,
}

impl InsertRow {
    /// The step for a row of `table` that is told from others by the columns `key`.
    pub fn new<N: Into<Name>>(
        table: impl Into<Name>,
        key: impl IntoIterator<Item = N>,
        row: impl Into<Row>,
    ) -> Self {
        Self {
            table: table.into(),
            key: key.into_iter().map(Into::into).collect(),
            row: row.into(),
            may_move_on: Vec::new(),
            folder: None,
        }
    }

    /// The same step, knowing which columns the owner may change without the row counting as another one.
    #[must_use]
    pub fn may_move_on<N: Into<Name>>(mut self, columns: impl IntoIterator<Item = N>) -> Self {
        self.may_move_on = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The same step, knowing the folder of the database.
    #[must_use]
    pub fn needing_room_in(mut self, folder: Arc<Path>) -> Self {
        self.folder = Some(folder);
        self
    }

    /// The values of the key, in its order; NULL for a key column that the row does not have.
    pub(crate) fn key_values(&self) -> impl Iterator<Item = &Value> {
        self.key.iter().map(|name| self.row.get(name).unwrap_or(&Value::Null))
    }

    /// Where a row stands that has the key and differs in these columns from how it was left.
    fn judge(&self, differing: &Row, left_by_us: bool) -> State {
        if differing.is_empty() {
            return State::Done;
        }
        let columns = differing.columns().collect::<Vec<_>>().join(", ");
        let mine = |name: &str| self.row.get(name).is_some();
        let moved_on = |name: &str| self.may_move_on.iter().any(|column| column == name);
        if left_by_us && differing.columns().all(|name| moved_on(name) || !mine(name)) {
            State::Superseded(format!("changed since: {columns}"))
        } else if left_by_us {
            State::Conflict(format!("changed since: {columns}"))
        } else {
            State::Conflict(format!("a row with this key is there and differs in {columns}"))
        }
    }
}

impl Step for InsertRow {
    type World = Rows;
    type Evidence = Inserted;

    fn describe(&self) -> String {
        let key: Vec<String> = self.key_values().map(spelled).collect();
        format!("insert {} into {}", key.join(" "), self.table)
    }

    /// Three times the bytes of its values: the row, its indexes and what triggers add; each of it in the WAL as well.
    fn cost(&self) -> Cost {
        let bytes: usize = self.row.values().map(size).sum();
        let at = self.folder.as_deref().map(Path::to_path_buf);
        Cost { bytes: 6 * (bytes as u64), at, inodes: 0, passing: 0 }
    }

    fn inspect(
        &self,
        world: &mut Rows,
        evidence: Option<&Inserted>,
        look: Look,
        _cx: &Cx<'_>,
    ) -> Result<State, StepError> {
        let found = world.find(self, evidence).map_err(|error| error.while_doing(self.describe()))?;
        let standing = match found {
            Found::Nothing => return Ok(State::Pending),
            Found::Several if evidence.is_some() && look == Look::Full => {
                return Err(Cause::lost("several rows have this key").item());
            }
            Found::Several => return Ok(State::Conflict("several rows have this key".into())),
            Found::One(standing) => standing,
        };
        let state = self.judge(&standing.differing, evidence.is_some());
        match (evidence, state) {
            (Some(evidence), State::Done) if look == Look::Full => world
                .surroundings(self, standing.handle, evidence)
                .map_err(|error| error.while_doing(self.describe())),
            (_, state) => Ok(state),
        }
    }

    fn stage(&self, world: &mut Rows, slot: &Slot, cx: &Cx<'_>) -> Result<Inserted, StepError> {
        cx.check()?;
        world.insert(self, slot)
    }

    /// Nothing: the COMMIT of [`migration_engine::World::settle`] makes it visible.
    fn publish(&self, _world: &mut Rows, _slot: &Slot, _evidence: &Inserted) -> Result<(), StepError> {
        Ok(())
    }

    fn revert(
        &self,
        world: &mut Rows,
        slot: &Slot,
        evidence: Option<&Inserted>,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        let uncommitted = world.forget_uncommitted(slot);
        let Some(evidence) = evidence.or(uncommitted.as_ref()) else { return Ok(()) };
        let found = world.find(self, Some(evidence)).map_err(|error| error.while_doing(self.describe()))?;
        match found {
            Found::Nothing => Ok(()),
            Found::One(standing) if standing.differing.is_empty() => {
                world.take_back(self, &standing.handle, evidence)
            }
            Found::One(_) | Found::Several => {
                Err(Cause::new("drifted", format!("changed since: {}", self.describe())).item())
            }
        }
    }

    fn aside(&self, _slot: &Slot, folder: &Path) -> Option<String> {
        Some(folder.display().to_string())
    }

    fn set_aside(
        &self,
        world: &mut Rows,
        slot: &Slot,
        evidence: &Inserted,
        folder: &Path,
        _cx: &Cx<'_>,
    ) -> Result<(), StepError> {
        world.set_aside(self, slot, evidence, folder)
    }
}

/// A value of a key, for people.
fn spelled(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        Value::Null | Value::Integer(_) | Value::Real(_) => 8,
    }
}
