//! Inserting a row, and noting everything that its insertion brought about.

use std::collections::BTreeMap;

use migration_engine::{Cause, Slot, StepError};
use rusqlite::hooks::Action;
use rusqlite::params_from_iter;

use crate::compare::Found;
use crate::insert::{Brought, Counter};
use crate::shape::Shape;
use crate::{InsertRow, Inserted, Row, Rows, SqliteError, Value};

/// What a statement did, as far as it can be taken back.
#[derive(Debug, Default)]
struct Effect {
    /// Tables and row ids of inserted rows, the step's own among them.
    inserted: Vec<(String, i64)>,
    /// Whether a trigger changed the step's own row.
    own_changed: bool,
    /// The table of a row that was there before and was changed or deleted, or that the hook does not report.
    beyond: Option<String>,
}

impl Rows {
    pub(crate) fn insert(&mut self, step: &InsertRow, slot: &Slot) -> Result<Inserted, StepError> {
        self.begin_insert()?;
        let inserted = self.insert_traced(step).map_err(|error| match error {
            InsertError::Sqlite(error) => error.while_doing(migration_engine::Step::describe(step)),
            InsertError::Beyond(table) => {
                let told = format!(
                    "inserting into {} makes a trigger change other rows ({table}), which could not be taken back",
                    step.table
                );
                Cause::new("irreversible-trigger", told).world()
            }
        })?;
        self.remember_uncommitted(slot, &inserted);
        Ok(inserted)
    }

    pub(crate) fn insert_traced(&mut self, step: &InsertRow) -> Result<Inserted, InsertError> {
        let shape = self.shape_of(step)?;
        self.load_counters()?;
        let before = self.database.connection.total_changes();
        let recorder = &self.recorder;
        let connection = &self.database.connection;
        recorder
            .during(|| connection.prepare_cached(&shape.insert)?.execute(params_from_iter(step.row.values())))
            .map_err(SqliteError::from)?;
        let changed = self.database.connection.total_changes() - before;
        let own = shape.table.has_rowid.then(|| self.database.connection.last_insert_rowid());
        let effect = self.effect(&shape.table.name, own, changed);
        if let Some(table) = effect.beyond {
            return Err(InsertError::Beyond(table));
        }
        Ok(self.evidence(&shape, step, own, effect)?)
    }

    /// Reads the recorder. Every change must be an insertion, or a change of something inserted along with it.
    fn effect(&self, table: &str, own: Option<i64>, changed: u64) -> Effect {
        self.recorder.with(|changes| {
            let mut effect = Effect::default();
            let mut unseen = changed - u64::from(own.is_none());
            for change in &changes.rows {
                unseen = unseen.saturating_sub(1);
                let name = &changes.tables[change.table];
                let known = effect.inserted.iter().position(|(t, id)| t == name && *id == change.rowid);
                match (change.action, known) {
                    (Action::SQLITE_INSERT, _) => effect.inserted.push((name.clone(), change.rowid)),
                    (Action::SQLITE_UPDATE, Some(_)) => {
                        effect.own_changed |= name == table && own == Some(change.rowid);
                    }
                    (Action::SQLITE_DELETE, Some(at)) => drop(effect.inserted.remove(at)),
                    _ => effect.beyond = Some(name.clone()),
                }
            }
            if unseen > 0 && effect.beyond.is_none() {
                effect.beyond = Some("of a table without row ids".into());
            }
            effect
        })
    }

    fn evidence(
        &mut self,
        shape: &Shape,
        step: &InsertRow,
        own: Option<i64>,
        effect: Effect,
    ) -> Result<Inserted, SqliteError> {
        let mut inserted = Inserted { brought: Vec::new(), counters: Vec::new(), defaults: Row::default() };
        for (table, rowid) in effect.inserted {
            self.note_counter(&mut inserted.counters, &table, rowid)?;
            self.account_for(&table, vec![Value::Integer(rowid)]);
            if own != Some(rowid) || table != shape.table.name {
                let row = self.stable_row(&table, rowid)?;
                inserted.brought.push(Brought { table, row });
            }
        }
        if effect.own_changed || own.is_none() || !shape.unwritten.is_empty() {
            let Found::One(standing) = self.find(step, None)? else {
                return Err(SqliteError::lost(&step.table));
            };
            if own.is_none() {
                self.account_for(&shape.table.name, standing.handle);
            }
            inserted.defaults = standing.differing.and(standing.unwritten);
        }
        Ok(inserted)
    }

    /// What finds a row for good: its primary key, or all of it where that is missing or NULL, which many rows may be.
    fn stable_row(&mut self, table: &str, rowid: i64) -> Result<Row, SqliteError> {
        let known = self.table(table)?;
        if let Some(column) = &known.rowid_column {
            return Ok(Row::from_iter([(column.clone(), rowid)]));
        }
        let handle = [Value::Integer(rowid)];
        let by_key = self.columns(&known.table, &known.table.stable, &handle)?;
        if by_key.values().any(Value::is_null) {
            let all: Vec<String> = known.table.columns.iter().map(|column| column.name.clone()).collect();
            return self.columns(&known.table, &all, &handle);
        }
        Ok(by_key)
    }

    fn load_counters(&mut self) -> Result<(), SqliteError> {
        if self.counters.is_some() {
            return Ok(());
        }
        let mut counters = BTreeMap::new();
        let exists = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'";
        if !self.database.select(exists, &[])?.is_empty() {
            for row in self.database.select("SELECT name, seq FROM sqlite_sequence", &[])? {
                if let [Value::Text(table), Value::Integer(at)] = row.as_slice() {
                    counters.insert(table.clone(), *at);
                }
            }
        }
        self.counters = Some(counters);
        Ok(())
    }

    /// Notes where the counter of a table stood, if it has one and a row with this id moved it.
    fn note_counter(&mut self, noted: &mut Vec<Counter>, table: &str, rowid: i64) -> Result<(), SqliteError> {
        let before = self.counters.as_ref().and_then(|counters| counters.get(table).copied());
        if before.is_some_and(|before| before >= rowid) || (before.is_none() && !self.counts(table)?) {
            return Ok(());
        }
        if noted.iter().all(|counter| counter.table != table) {
            noted.push(Counter { table: table.to_owned(), before });
        }
        self.counters.get_or_insert_default().insert(table.to_owned(), rowid);
        Ok(())
    }

    /// Whether a table that has just got a row has a counter.
    fn counts(&self, table: &str) -> Result<bool, SqliteError> {
        if self.counters.as_ref().is_some_and(|counters| counters.contains_key(table)) {
            return Ok(true);
        }
        let exists = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'";
        if self.database.select(exists, &[])?.is_empty() {
            return Ok(false);
        }
        Ok(!self
            .database
            .select("SELECT 1 FROM sqlite_sequence WHERE name = ?1", &[table.into()])?
            .is_empty())
    }
}

/// Why a row was not inserted.
#[derive(Debug)]
pub(crate) enum InsertError {
    Sqlite(SqliteError),
    Beyond(String),
}

impl From<SqliteError> for InsertError {
    fn from(error: SqliteError) -> Self {
        Self::Sqlite(error)
    }
}
