//! A SQLite database that belongs to someone else, as the target of a migration.
//!
//! Its owner is another program: its schema, triggers and habits are given. The model has three parts.
//! - [`Database`] is the file: held so that nobody else can open it meanwhile ([`Database::open_exclusive`]), or looked
//!   at without leaving a byte ([`Database::peek`]). It answers questions, is checked, copied and brought back.
//! - [`InsertRow`] is one row as a step of [`migration_engine`]: plain data, with an undo that also takes back what the
//!   owner's triggers added and the counters they moved, and that notices when the owner has been at work since.
//! - [`Rows`] is the world of such steps: one transaction, committed only if the whole database is sound.
//!
//! ```
//! use migration_engine::{Cx, Look, NoProgress, RunId, Slot, State, Step, World};
//! use session_model::Timestamp;
//! use sqlite_writer::{Database, InsertRow, Rows, TableContract};
//! # use std::sync::atomic::AtomicBool;
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("library.db");
//! // Somebody's database: every new book is logged by a trigger.
//! rusqlite::Connection::open(&path)?.execute_batch(
//!     "CREATE TABLE book (id TEXT PRIMARY KEY, title TEXT NOT NULL, lent INTEGER NOT NULL DEFAULT 0);
//!      CREATE TABLE log (seq INTEGER PRIMARY KEY AUTOINCREMENT, book TEXT REFERENCES book (id));
//!      CREATE TRIGGER added AFTER INSERT ON book BEGIN INSERT INTO log (book) VALUES (NEW.id); END;",
//! )?;
//! let cx = Cx { stop: &AtomicBool::new(false), progress: &NoProgress, now: Timestamp::now };
//! let slot = Slot::new(RunId::new((cx.now)(), 0), 0, folder.path().to_path_buf());
//!
//! let step = InsertRow::new("book", ["id"], [("id", "v1".into()), ("title", "Typee".into())]);
//! let database = Database::open_exclusive(&path)?; // an error if anybody has it open
//! database.fits(&[TableContract::new("book", ["id", "title"])])?;
//! let mut rows = Rows::new(database);
//! let evidence = step.stage(&mut rows, &slot, &cx)?;
//! rows.settle()?; // checked, then committed
//! assert_eq!(step.inspect(&mut rows, Some(&evidence), Look::Full, &cx)?, State::Done);
//!
//! step.revert(&mut rows, &slot, Some(&evidence), &cx)?; // the book, its line in the log, and the log's counter
//! rows.settle()?;
//! assert!(rows.database().query("SELECT * FROM sqlite_sequence", &[])?.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! - Rows are inserted, never changed or merged. A trigger that changes or deletes rows that were there before, or adds
//!   some to a table without row ids, makes the insert fail: it could not be taken back.
//! - Who refers to a row is known from declared foreign keys only. The first full look at a table reads every table that
//!   refers to it once and keeps what it found, some hundred bytes a referring row.
//! - Every COMMIT is preceded by a check of the whole database: time proportional to its size, 50 ms for 10,000 rows
//!   with a log. Damage from before cannot be told from new damage: ask [`Database::check`] first.
//! - A process killed while it looks at a database with a `-wal` leaves its private copy in the temporary folder.
//! - Closing folds in what a killed owner left in `-wal`: the content stays, the bytes of the main file change, and his
//!   `-shm` stays where it is.

mod affinity;
mod backup_step;
mod compare;
mod database;
mod failure;
mod insert;
mod peek;
mod probe;
mod recorder;
mod references;
mod row;
mod rows;
mod schema;
mod set_aside;
mod shape;
mod snapshot;
mod stage;
mod take_back;
mod value;

pub use backup_step::{Snapshot, TakeSnapshot};
pub use database::{CheckError, Database, OpenError, QueryError};
pub use failure::{Failure, SqliteError};
pub use insert::{Brought, Counter, InsertRow, Inserted};
pub use probe::{MisfitError, TableContract};
pub use row::{Name, Row};
pub use rows::Rows;
pub use snapshot::SnapshotError;
pub use value::Value;
