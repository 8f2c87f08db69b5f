//! Whether rows of ours fit into tables of theirs, before anything is written.

use migration_engine::World;

use crate::rows::Mode;
use crate::schema::Table;
use crate::stage::InsertError;
use crate::{Database, InsertRow, Name, Rows, SqliteError};

/// What a program relies on: the columns it writes to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableContract {
    /// The table.
    pub table: Name,
    /// The columns that every row is given.
    pub columns: Vec<Name>,
}

impl TableContract {
    /// A contract for these columns.
    pub fn new<N: Into<Name>>(table: impl Into<Name>, columns: impl IntoIterator<Item = N>) -> Self {
        Self { table: table.into(), columns: columns.into_iter().map(Into::into).collect() }
    }
}

/// Why rows of ours do not fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MisfitError {
    /// A table is missing.
    #[error("expected a table {table}, found none")]
    NoTable {
        /// The table.
        table: String,
    },
    /// A column is missing.
    #[error("expected a column {column} in the table {table}, found none")]
    NoColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A column must be given and is not known to the program.
    #[error("expected to know every column that the table {table} demands, found {column}")]
    Demanded {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A row was tried and refused.
    #[error("expected a trial row to be accepted by the table {table}, found: {source}")]
    Refused {
        /// The table.
        table: String,
        /// What SQLite said.
        source: SqliteError,
    },
    /// A row was tried and a trigger did what could not be taken back.
    #[error(
        "expected the triggers of the table {table} to insert rows at most, found one that changes others ({other})"
    )]
    IrreversibleTrigger {
        /// The table.
        table: String,
        /// The table of the rows that were changed.
        other: String,
    },
    /// The database could not be asked.
    #[error("cannot ask for the tables: {0}")]
    Sqlite(#[from] SqliteError),
}

impl Database {
    /// Whether every table has the columns, and demands no other. Works on a peek as well.
    pub fn fits(&self, contracts: &[TableContract]) -> Result<(), MisfitError> {
        contracts.iter().try_for_each(|contract| self.fits_one(contract))
    }

    fn fits_one(&self, contract: &TableContract) -> Result<(), MisfitError> {
        let table = || contract.table.to_string();
        let found = Table::read(&self.connection, &contract.table).map_err(SqliteError::from)?;
        let found = found.ok_or_else(|| MisfitError::NoTable { table: table() })?;
        for column in &contract.columns {
            if !found.columns.iter().any(|there| there.name.eq_ignore_ascii_case(column)) {
                return Err(MisfitError::NoColumn { table: table(), column: column.to_string() });
            }
        }
        let given = |name: &str| contract.columns.iter().any(|column| column.eq_ignore_ascii_case(name));
        match found.columns.iter().find(|column| column.mandatory && !given(&column.name)) {
            Some(column) => Err(MisfitError::Demanded { table: table(), column: column.name.clone() }),
            None => Ok(()),
        }
    }
}

impl Rows {
    /// Inserts the rows in a transaction that is rolled back: whether the owner's constraints and triggers accept
    /// them, and whether what they do could be taken back. Nothing of a run may be unsettled: it would go with them.
    pub fn try_out(&mut self, rows: &[InsertRow]) -> Result<(), MisfitError> {
        self.begin(Mode::Inserting)?;
        let tried = rows.iter().try_for_each(|row| {
            let table = row.table.to_string();
            self.insert_traced(row).map(drop).map_err(|error| match error {
                InsertError::Sqlite(source) => MisfitError::Refused { table, source },
                InsertError::Beyond(other) => MisfitError::IrreversibleTrigger { table, other },
            })
        });
        self.abandon();
        tried
    }
}
