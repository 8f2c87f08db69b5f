//! Who refers to a row: one pass over each referring table, kept for all rows of the table referred to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use migration_engine::State;

use crate::compare::Handle;
use crate::insert::Brought;
use crate::schema::{ForeignKey, Table, foreign_keys_to, matching, quoted};
use crate::{Database, InsertRow, Inserted, Rows, SqliteError, Value};

/// The rows that refer to each row of one table.
#[derive(Debug, Default)]
pub(crate) struct References {
    referring: HashMap<Handle, Vec<(Arc<str>, Handle)>>,
}

impl References {
    fn to(database: &Database, parent: &Table) -> Result<Self, SqliteError> {
        let mut references = Self::default();
        for key in foreign_keys_to(&database.connection, parent)? {
            let Some(child) = Table::read(&database.connection, &key.child)? else { continue };
            references.read(database, parent, &child, &key)?;
        }
        Ok(references)
    }

    /// Scans the child and looks each parent up, by affinity and collation as the constraint itself does.
    fn read(
        &mut self,
        database: &Database,
        parent: &Table,
        child: &Table,
        key: &ForeignKey,
    ) -> Result<(), SqliteError> {
        let qualified = |of: &str, names: &[String]| {
            names.iter().map(|name| format!("{of}.{}", quoted(name))).collect::<Vec<_>>().join(", ")
        };
        let joined: Vec<String> = key
            .columns
            .iter()
            .map(|(from, to)| format!("parent.{} = child.{}", quoted(to), quoted(from)))
            .collect();
        let sql = format!(
            "SELECT {}, {} FROM {} AS child CROSS JOIN {} AS parent ON {}",
            qualified("parent", &parent.handle),
            qualified("child", &child.handle),
            quoted(&child.name),
            quoted(&parent.name),
            joined.join(" AND ")
        );
        let name: Arc<str> = child.name.as_str().into();
        for mut row in database.select(&sql, &[])? {
            let referring = row.split_off(parent.handle.len());
            if child.name != parent.name || referring != row {
                self.referring.entry(row).or_default().push((Arc::clone(&name), referring));
            }
        }
        Ok(())
    }
}

impl Rows {
    /// Whether all that came with a row is still there and nobody else refers to it. If so, it is accounted for: rows
    /// are looked at newest first, so what it refers to will find it among those known.
    pub(crate) fn surroundings(
        &mut self,
        step: &InsertRow,
        handle: Handle,
        evidence: &Inserted,
    ) -> Result<State, SqliteError> {
        let shape = self.shape_of(step)?;
        let table = shape.table.name.as_str();
        let mut brought = Vec::with_capacity(evidence.brought.len());
        for row in &evidence.brought {
            match self.handle_of(row)? {
                Some(handle) => brought.push((row.table.clone(), handle)),
                None => {
                    return Ok(State::Superseded(format!(
                        "a row of {} that came with it is gone",
                        row.table
                    )));
                }
            }
        }
        for (table, handle) in brought {
            self.account_for(&table, handle);
        }
        let strangers = self.strangers(table, &handle)?;
        if !strangers.is_empty() {
            let tables = strangers.into_iter().collect::<Vec<_>>().join(", ");
            return Ok(State::Superseded(format!(
                "rows that are not as this run left them refer to it: {tables}"
            )));
        }
        self.account_for(table, handle);
        Ok(State::Done)
    }

    /// The tables with rows that refer to this one and are not accounted for.
    fn strangers(&mut self, table: &str, handle: &Handle) -> Result<BTreeSet<String>, SqliteError> {
        let references = self.references_to(table)?;
        let referring = references.referring.get(handle).map(Vec::as_slice).unwrap_or_default();
        let accounted =
            |table: &str, row: &Handle| self.accounted.get(table).is_some_and(|rows| rows.contains(row));
        Ok(referring
            .iter()
            .filter(|(table, row)| !accounted(table, row))
            .map(|(table, _)| table.to_string())
            .collect())
    }

    fn references_to(&mut self, table: &str) -> Result<Arc<References>, SqliteError> {
        if let Some(known) = self.references.get(table) {
            return Ok(Arc::clone(known));
        }
        let known = self.table(table)?;
        let references = Arc::new(References::to(&self.database, &known.table)?);
        self.references.insert(table.to_owned(), Arc::clone(&references));
        Ok(references)
    }

    /// The rows that refer to this one now, the cache left aside.
    pub(crate) fn referring(
        &mut self,
        table: &str,
        handle: &Handle,
    ) -> Result<Vec<(String, Handle)>, SqliteError> {
        let parent = self.table(table)?;
        let mut found = Vec::new();
        for key in foreign_keys_to(&self.database.connection, &parent.table)? {
            let child = self.table(&key.child)?;
            let rows = rows_by_key(&self.database, &parent.table, &child.table, &key, handle)?;
            found.extend(rows.into_iter().map(|row| (key.child.clone(), row)));
        }
        found.retain(|(child, row)| child != table || row != handle);
        Ok(found)
    }

    /// What finds a brought row within this session, if it is still there.
    pub(crate) fn handle_of(&mut self, brought: &Brought) -> Result<Option<Handle>, SqliteError> {
        let known = self.table(&brought.table)?;
        let sql = format!(
            "SELECT {} FROM {} WHERE {} LIMIT 1",
            crate::schema::quoted_list(known.table.handle.iter().map(String::as_str)),
            quoted(&known.table.name),
            matching(brought.row.columns(), 1)
        );
        let values: Vec<Value> = brought.row.values().cloned().collect();
        Ok(self.database.select(&sql, &values)?.pop())
    }
}

fn rows_by_key(
    database: &Database,
    parent: &Table,
    child: &Table,
    key: &ForeignKey,
    handle: &Handle,
) -> Result<Vec<Handle>, SqliteError> {
    let joined: Vec<String> = key
        .columns
        .iter()
        .map(|(from, to)| format!("parent.{} = child.{}", quoted(to), quoted(from)))
        .collect();
    let found: Vec<String> =
        (1..).zip(&parent.handle).map(|(at, name)| format!("parent.{} IS ?{at}", quoted(name))).collect();
    let read: Vec<String> = child.handle.iter().map(|name| format!("child.{}", quoted(name))).collect();
    let sql = format!(
        "SELECT {} FROM {} AS parent JOIN {} AS child ON {} WHERE {}",
        read.join(", "),
        quoted(&parent.name),
        quoted(&child.name),
        joined.join(" AND "),
        found.join(" AND ")
    );
    database.select(&sql, handle)
}
