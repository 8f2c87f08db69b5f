//! The statements for all rows that have the same table and columns: made once.

use crate::schema::{Table, matching, quoted, quoted_list};
use crate::{InsertRow, SqliteError};
use rusqlite::Connection;

/// A table, the columns that steps write there, and the statements for them.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) table: Table,
    /// The table's name as the steps spell it.
    named: String,
    written: Vec<String>,
    key: Vec<String>,
    /// The columns that the steps leave to the table's defaults.
    pub(crate) unwritten: Vec<String>,
    pub(crate) insert: String,
    /// The handle, the written columns and the unwritten ones, by key.
    pub(crate) find: String,
}

impl Shape {
    pub(crate) fn of(connection: &Connection, step: &InsertRow) -> Result<Self, SqliteError> {
        let table =
            Table::read(connection, &step.table)?.ok_or_else(|| SqliteError::no_table(&step.table))?;
        let written: Vec<String> = step.row.columns().map(str::to_owned).collect();
        let is_written = |name: &str| written.iter().any(|column| column.eq_ignore_ascii_case(name));
        let unwritten: Vec<String> =
            table.columns.iter().map(|column| column.name.clone()).filter(|name| !is_written(name)).collect();
        let places: Vec<String> = (1..=written.len()).map(|at| format!("?{at}")).collect();
        let name = quoted(&table.name);
        let written_names = || written.iter().map(String::as_str);
        let read = table.handle.iter().map(String::as_str).chain(written_names());
        Ok(Self {
            // ABORT, whatever the table itself wants done on conflict: REPLACE would delete somebody's row.
            insert: format!(
                "INSERT OR ABORT INTO {name} ({}) VALUES ({})",
                quoted_list(written_names()),
                places.join(", ")
            ),
            find: format!(
                "SELECT {} FROM {name} WHERE {} LIMIT 2",
                quoted_list(read.chain(unwritten.iter().map(String::as_str))),
                matching(step.key.iter().map(AsRef::as_ref), 1)
            ),
            key: step.key.iter().map(|name| name.clone().into_owned()).collect(),
            named: step.table.clone().into_owned(),
            table,
            written,
            unwritten,
        })
    }

    pub(crate) fn fits(&self, step: &InsertRow) -> bool {
        self.named == step.table
            && self.written.len() == step.row.columns().len()
            && self.written.iter().zip(step.row.columns()).all(|(ours, theirs)| ours == theirs)
            && self.key.iter().map(String::as_str).eq(step.key.iter().map(AsRef::as_ref))
    }
}

/// The statement that deletes one row by its handle.
pub(crate) fn delete_one(table: &Table) -> String {
    let by_handle = matching(table.handle.iter().map(String::as_str), 1);
    format!("DELETE FROM {} WHERE {by_handle}", quoted(&table.name))
}
