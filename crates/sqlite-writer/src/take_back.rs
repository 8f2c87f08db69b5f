//! Taking a row back: what came with it, the row itself, and the counters it moved.

use migration_engine::{Cause, Step, StepError};
use rusqlite::params_from_iter;

use crate::compare::Handle;
use crate::insert::Counter;
use crate::schema::quoted;
use crate::shape::delete_one;
use crate::{InsertRow, Inserted, Rows, SqliteError, Value};

impl Rows {
    /// Takes back a row that is as it was left. That the owner's foreign keys delete other rows along with it is an
    /// error: those were not looked at.
    pub(crate) fn take_back(
        &mut self,
        step: &InsertRow,
        handle: &Handle,
        evidence: &Inserted,
    ) -> Result<(), StepError> {
        let doing = || format!("take back: {}", step.describe());
        let table = self.shape_of(step).map_err(|error| error.while_doing(doing()))?.table.name.clone();
        let before = self.database.connection.total_changes();
        let asked = self.delete_all(&table, handle, evidence).map_err(|error| error.while_doing(doing()))?;
        if self.database.connection.total_changes() - before != asked {
            let told = format!("cannot {}: other rows would go with it", doing());
            return Err(Cause::new("drifted", told).world());
        }
        self.put_counters_back(&evidence.counters).map_err(|error| error.while_doing(doing()))
    }

    /// Deletes the row and what came with it; answers how many rows that were.
    fn delete_all(&mut self, table: &str, handle: &Handle, evidence: &Inserted) -> Result<u64, SqliteError> {
        self.begin_take_back()?;
        let mut deleted = 0;
        for brought in evidence.brought.iter().rev() {
            if let Some(handle) = self.handle_of(brought)? {
                deleted += self.delete(&brought.table, &handle)?;
            }
        }
        Ok(deleted + self.delete(table, handle)?)
    }

    pub(crate) fn delete(&mut self, table: &str, handle: &Handle) -> Result<u64, SqliteError> {
        let known = self.table(table)?;
        let mut statement = self.database.connection.prepare_cached(&delete_one(&known.table))?;
        Ok(statement.execute(params_from_iter(handle))? as u64)
    }

    /// Puts each counter back to where it stood, or to the highest row that remains if that is higher. A counter is
    /// never raised.
    pub(crate) fn put_counters_back(&mut self, counters: &[Counter]) -> Result<(), SqliteError> {
        for Counter { table, before } in counters {
            let highest = self.highest_rowid(table)?;
            let target = (*before).max(highest);
            let connection = &self.database.connection;
            match target {
                Some(target) => connection
                    .prepare_cached("UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1 AND seq > ?2")?
                    .execute((table, target))?,
                None => connection
                    .prepare_cached("DELETE FROM sqlite_sequence WHERE name = ?1")?
                    .execute([table])?,
            };
        }
        self.counters = None;
        Ok(())
    }

    fn highest_rowid(&mut self, table: &str) -> Result<Option<i64>, SqliteError> {
        let known = self.table(table)?;
        let rowid = known.table.handle.first().map_or("rowid", String::as_str);
        let sql = format!("SELECT max({}) FROM {}", quoted(rowid), quoted(table));
        Ok(self.database.select(&sql, &[])?.first().and_then(|row| row.first().and_then(Value::as_i64)))
    }
}
