//! The same rows into an empty database, in three ways. Each way gives the seconds of its one transaction.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use migration_engine::{Cx, NoProgress, RunId, Slot, Step, World};
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior, params_from_iter};
use session_model::Timestamp;
use sqlite_writer::{Database, InsertRow, Row, Rows};

use super::measure::{self, Taken};
use crate::shell::Outcome;

const TABLES: [&str; 2] = ["projects", "sessions"];

/// The rows of one table, and the names of its columns.
pub(super) struct Table {
    name: &'static str,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// The projects and sessions of a database.
pub(super) fn of(database: &Path) -> Outcome<Vec<Table>> {
    let database = Connection::open(database)?;
    TABLES.into_iter().map(|name| Table::read(&database, name)).collect()
}

impl Table {
    fn read(database: &Connection, name: &'static str) -> Outcome<Self> {
        let mut select = database.prepare(&format!("SELECT * FROM {name}"))?;
        let columns: Vec<String> = select.column_names().map(str::to_owned).collect();
        let rows = select.query_map([], |row| (0..columns.len()).map(|column| row.get(column)).collect())?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        if rows.is_empty() {
            Err(format!("nothing arrived in {name}").into())
        } else {
            Ok(Self { name, columns, rows })
        }
    }

    fn statement(&self) -> String {
        let places = vec!["?"; self.columns.len()].join(", ");
        format!("INSERT INTO {} VALUES ({places})", self.name)
    }

    fn steps(&self) -> impl Iterator<Item = InsertRow> {
        let row = |values: &Vec<Value>| -> Row {
            self.columns.iter().cloned().zip(values.iter().map(own)).collect()
        };
        self.rows.iter().map(move |values| InsertRow::new(self.name, ["id"], row(values)))
    }
}

fn own(value: &Value) -> sqlite_writer::Value {
    match value.clone() {
        Value::Null => sqlite_writer::Value::Null,
        Value::Integer(number) => sqlite_writer::Value::Integer(number),
        Value::Real(number) => sqlite_writer::Value::Real(number),
        Value::Text(text) => sqlite_writer::Value::Text(text),
        Value::Blob(bytes) => sqlite_writer::Value::Blob(bytes),
    }
}

/// The least there is to do: one prepared statement a table.
pub(super) fn insert_bare(tables: &[Table], target: &Path) -> Outcome<Taken> {
    let mut target = Connection::open(target)?;
    target.pragma_update(None, "foreign_keys", true)?;
    let begun = Instant::now();
    let transaction = target.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for table in tables {
        let mut insert = transaction.prepare(&table.statement())?;
        for row in &table.rows {
            insert.execute(params_from_iter(row))?;
        }
    }
    transaction.commit()?;
    Ok(Taken::of(begun.elapsed().as_secs_f64()))
}

/// The steps of `sqlite-writer`, with the evidence that undo needs and the checks before the commit; no journal.
pub(super) fn insert_by_steps(tables: &[Table], target: &Path) -> Outcome<Taken> {
    let steps: Vec<InsertRow> = tables.iter().flat_map(Table::steps).collect();
    let mut world = Rows::new(Database::open_exclusive(target)?);
    let cx = Cx { stop: &AtomicBool::new(false), progress: &NoProgress, now: Timestamp::now };
    let (run, folder) = (RunId::new((cx.now)(), 0), target.parent().unwrap_or(target));
    let begun = Instant::now();
    for (step, number) in steps.iter().zip(0..) {
        let slot = Slot::new(run.clone(), number, folder.to_owned());
        let evidence = step.stage(&mut world, &slot, &cx)?;
        step.publish(&mut world, &slot, &evidence)?;
    }
    world.settle()?;
    Ok(Taken::of(begun.elapsed().as_secs_f64()))
}

/// What most people would write.
pub(super) fn insert_in_python(source: &Path, target: &Path) -> Outcome<Taken> {
    let seconds = measure::said(measure::python("executemany.py").arg(source).arg(target))?;
    Ok(Taken::of(seconds.parse()?))
}
