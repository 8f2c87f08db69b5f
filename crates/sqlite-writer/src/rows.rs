//! The world of row steps: one connection, one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use migration_engine::{Cause, Slot, StepError, World};
use rusqlite::config::DbConfig;

use crate::affinity::Sample;
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
    pub(crate) sample: Sample,
    mode: Mode,
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

/// What the transaction under way is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Idle,
    Inserting,
    TakingBack,
}

/// A table, and the column that is its row id, if one is.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) table: Table,
    pub(crate) rowid_column: Option<String>,
}

impl Rows {
    /// The world of a database: to insert and take back if it is held exclusively, to inspect in any case.
    pub fn new(mut database: Database) -> Self {
        let recorder = Recorder::listening_to(&mut database.connection);
        Self {
            database,
            recorder,
            sample: Sample::new().expect("because a table in memory depends on nothing"),
            mode: Mode::Idle,
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

    /// Gives the database back; what is not settled is rolled back.
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

    /// Begins a transaction for inserts, unless one is under way: the owner's triggers run and its keys hold.
    pub(crate) fn begin_insert(&mut self) -> Result<(), StepError> {
        if self.mode == Mode::TakingBack {
            // What was taken back stands for itself; keys cannot be switched on inside its transaction.
            self.settle()?;
        }
        self.begin(Mode::Inserting).map_err(|error| error.while_doing(self.doing("begin a transaction on")))
    }

    /// Begins a transaction for taking back, unless one of either kind is under way. Triggers do not run in it: taking
    /// back is exact, and nobody's business but ours. In one of its own the keys do not hold either, because SQLite
    /// would search every referring table without an index once for every row; [`World::settle`] looks at all of them.
    pub(crate) fn begin_take_back(&mut self) -> Result<(), SqliteError> {
        self.begin(Mode::TakingBack)
    }

    pub(crate) fn begin(&mut self, wanted: Mode) -> Result<(), SqliteError> {
        if self.mode == Mode::Idle {
            let keys = if wanted == Mode::Inserting { "ON" } else { "OFF" };
            let connection = &self.database.connection;
            connection.execute_batch(&format!("PRAGMA foreign_keys = {keys}; BEGIN IMMEDIATE"))?;
            self.mode = wanted;
        }
        self.run_triggers(wanted == Mode::Inserting)
    }

    fn run_triggers(&self, run: bool) -> Result<(), SqliteError> {
        let connection = &self.database.connection;
        if connection.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER)? != run {
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, run)?;
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

    fn doing(&self, verb: &str) -> String {
        format!("{verb} the database {}", self.database.path().display())
    }

    fn check_and_commit(&mut self) -> Result<(), StepError> {
        let damage = self.database.first_damage().map_err(|error| error.while_doing(self.doing("check")))?;
        if let Some(found) = damage {
            let message = format!(
                "{}: nothing was committed, it would not be whole: {found}",
                self.doing("cannot change")
            );
            return Err(Cause::new("database-not-whole", message).world());
        }
        let committed = self.database.connection.execute_batch("COMMIT").map_err(SqliteError::from);
        committed.map_err(|error| error.of_the_run(self.doing("commit to")))
    }

    fn end(&mut self) {
        self.mode = Mode::Idle;
        self.counters = None;
        self.uncommitted.clear();
    }
}

impl World for Rows {
    /// Nothing: rows are staged in a transaction, which only its COMMIT makes durable.
    fn persist(&mut self) -> Result<(), StepError> {
        Ok(())
    }

    fn settle(&mut self) -> Result<(), StepError> {
        if self.mode != Mode::Idle {
            self.check_and_commit()?;
            self.end();
        }
        Ok(())
    }

    fn abandon(&mut self) {
        if !self.database.connection.is_autocommit() {
            // A rollback that fails is one that SQLite has made already, or makes when the file is next opened.
            let _ = self.database.connection.execute_batch("ROLLBACK");
        }
        self.end();
        self.accounted.clear();
        self.references.clear();
    }
}
