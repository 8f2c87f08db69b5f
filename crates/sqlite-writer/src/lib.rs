//! A SQLite database that belongs to someone else, as the target of a migration.

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
