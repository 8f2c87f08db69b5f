//! The world of row steps: one connection, one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use migration_engine::{Cause, Slot, StepError, World};
use rusqlite::config::DbConfig;

use crate::compare::Handle;
use crate::recorder::Recorder;
use crate::references::References;
use crate::schema::Table;
use crate::shape::Shape;
use crate::{Database, InsertRow, Inserted, SqliteError};

/// A database whose rows are being inserted, looked at or taken back.
///
/// The transaction begins with the first change and ends with [`World::settle`], which commits only if every page,
/// index, constraint and foreign key is as it should be.
#[derive(Debug)]
pub struct Rows {
    pub(crate) database: Database,
    pub(crate) recorder: Recorder,
    listening: bool,
    shapes: Vec<Arc<Shape>>,
    pub(crate) tables: HashMap<String, Arc<Known>>,
    /// The counters of AUTOINCREMENT tables, as they stand in the transaction under way.
    pub(crate) counters: Option<BTreeMap<String, i64>>,
    /// The evidence of what was inserted and is not committed, by slot.
    uncommitted: HashMap<PathBuf, Inserted>,
    /// The rows known to be exactly as a run left them, by table.
    pub(crate) accounted: HashMap<String, HashSet<Handle>>,
    pub(crate) references: HashMap<String, Arc<References>>,
}

/// A table, and the column that is its row id, if one is.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) table: Table,
    pub(crate) rowid_column: Option<String>,
}

impl Rows {
    /// The world of a database: to insert and take back if it is held exclusively, to inspect in any case.
    pub fn new(database: Database) -> Self {
        Self {
            database,
            recorder: Recorder::default(),
            listening: false,
            shapes: Vec::new(),
            tables: HashMap::new(),
            counters: None,
            uncommitted: HashMap::new(),
            accounted: HashMap::new(),
            references: HashMap::new(),
        }
    }

    /// The database, for questions; it answers with what is not committed yet as well.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Closes it, giving the database back; what is not settled is rolled back.
    pub fn into_database(mut self) -> Database {
        self.abandon();
        self.database
    }

    pub(crate) fn shape_of(&mut self, step: &InsertRow) -> Result<Arc<Shape>, SqliteError> {
        if let Some(known) = self.shapes.iter().rev().find(|shape| shape.fits(step)) {
            return Ok(Arc::clone(known));
        }
        let shape = Arc::new(Shape::of(&self.database.connection, step)?);
        self.shapes.push(Arc::clone(&shape));
        Ok(shape)
    }

    pub(crate) fn table(&mut self, name: &str) -> Result<Arc<Known>, SqliteError> {
        if let Some(known) = self.tables.get(name) {
            return Ok(Arc::clone(known));
        }
        let connection = &self.database.connection;
        let table = Table::read(connection, name)?.ok_or_else(|| SqliteError::no_table(name))?;
        let rowid_column = table.rowid_column(connection)?.map(str::to_owned);
        let known = Arc::new(Known { table, rowid_column });
        self.tables.insert(name.to_owned(), Arc::clone(&known));
        Ok(known)
    }

    /// Begins the transaction if none is under way, with the owner's triggers running or not: inserts are the owner's
    /// business as well, taking back is exact and nobody's but ours.
    pub(crate) fn change(&mut self, triggers: bool) -> Result<(), SqliteError> {
        if !self.listening {
            self.recorder.listen(&mut self.database.connection)?;
            self.listening = true;
        }
        let connection = &self.database.connection;
        if connection.is_autocommit() {
            connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        let running = connection.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER)?;
        if running != triggers {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, triggers)?;
        }
        Ok(())
    }

    pub(crate) fn account_for(&mut self, table: &str, handle: Handle) {
        if let Some(rows) = self.accounted.get_mut(table) {
            rows.insert(handle);
        } else {
            self.accounted.insert(table.to_owned(), HashSet::from([handle]));
        }
    }

    pub(crate) fn remember_uncommitted(&mut self, slot: &Slot, inserted: &Inserted) {
        self.uncommitted.insert(slot.private("row"), inserted.clone());
    }

    pub(crate) fn forget_uncommitted(&mut self, slot: &Slot) -> Option<Inserted> {
        self.uncommitted.remove(&slot.private("row"))
    }

    fn is_idle(&self) -> bool {
        self.database.connection.is_autocommit()
    }

    fn check_and_commit(&mut self) -> Result<(), StepError> {
        let path = self.database.path().display().to_string();
        let damage = self
            .database
            .first_damage()
            .map_err(|e| e.while_doing(format_args!("check {path} before the COMMIT")))?;
        if let Some(found) = damage {
            let message = format!("the database {path} would not be whole, nothing was committed: {found}");
            return Err(Cause::new("database-not-whole", message).world());
        }
        let committed = self.database.connection.execute_batch("COMMIT").map_err(SqliteError::from);
        // Whatever a COMMIT meets concerns the whole transaction.
        committed.map_err(|error| Cause::new("commit", format!("cannot commit to {path}: {error}")).world())
    }

    fn end(&mut self) {
        self.counters = None;
        self.uncommitted.clear();
        let running = DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER;
        // It can only fail for an unknown setting, and `change` asks before it relies on it.
        let _ = self.database.connection.set_db_config(running, true);
    }
}

impl World for Rows {
    fn settle(&mut self) -> Result<(), StepError> {
        if self.is_idle() {
            return Ok(());
        }
        self.check_and_commit()?;
        self.end();
        Ok(())
    }

    fn abandon(&mut self) {
        if !self.is_idle() {
            // A rollback that fails is one that SQLite has already made, or makes when the file is next opened.
            let _ = self.database.connection.execute_batch("ROLLBACK");
        }
        self.end();
        self.accounted.clear();
        self.references.clear();
    }
}
