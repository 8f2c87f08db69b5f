//! What stands where a row goes, compared as the columns would compare.

use rusqlite::params_from_iter;

use crate::schema::{Table, matching, quoted, quoted_list};
use crate::shape::Shape;
use crate::{InsertRow, Inserted, Row, Rows, SqliteError, Value};

/// What finds a row again within this session: the values of [`Table::handle`].
pub(crate) type Handle = Vec<Value>;

/// What has a key.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    Several,
    One(Standing),
}

/// The one row that has a key.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) handle: Handle,
    /// The columns that differ from what was written, or, with evidence, from what was left; and what they hold.
    pub(crate) differing: Row,
    /// Without evidence: what the columns hold that the step does not write.
    pub(crate) unwritten: Row,
}

impl Rows {
    /// What has the key of this step, and how it differs from what was written or, with evidence, left.
    pub(crate) fn find(
        &mut self,
        step: &InsertRow,
        evidence: Option<&Inserted>,
    ) -> Result<Found, SqliteError> {
        let shape = self.shape_of(step)?;
        let mut statement = self.database.connection.prepare_cached(&shape.find)?;
        let mut rows = statement.query(params_from_iter(step.key_values()))?;
        let Some(row) = rows.next()? else { return Ok(Found::Nothing) };
        let (standing, doubtful) = compare(&shape, step, evidence, row)?;
        if rows.next()?.is_some() {
            return Ok(Found::Several);
        }
        self.resolve(&shape.table, standing, doubtful).map(Found::One)
    }

    /// What these columns of a row hold.
    pub(crate) fn columns(
        &self,
        table: &Table,
        names: &[String],
        handle: &[Value],
    ) -> Result<Row, SqliteError> {
        let sql = format!(
            "SELECT {} FROM {} WHERE {}",
            quoted_list(names.iter().map(String::as_str)),
            quoted(&table.name),
            matching(table.handle.iter().map(String::as_str), 1)
        );
        let values = self.database.select(&sql, handle)?.pop().unwrap_or_default();
        Ok(names.iter().cloned().zip(values).collect())
    }

    /// Looks at the columns that do not hold exactly what was written: it may have become what they hold.
    fn resolve(
        &self,
        table: &Table,
        mut standing: Standing,
        doubtful: Vec<Doubt<'_>>,
    ) -> Result<Standing, SqliteError> {
        for Doubt { column, written, stored } in doubtful {
            if self.sample.stored(table.affinity(column), written)? != stored {
                standing.differing.push(column.to_owned(), stored);
            }
        }
        Ok(standing)
    }
}

/// A column that holds something else than was written, which may yet be what that becomes there.
struct Doubt<'a> {
    column: &'a str,
    written: &'a Value,
    stored: Value,
}

fn compare<'a>(
    shape: &Shape,
    step: &'a InsertRow,
    evidence: Option<&Inserted>,
    row: &rusqlite::Row<'_>,
) -> rusqlite::Result<(Standing, Vec<Doubt<'a>>)> {
    let width = shape.table.handle.len();
    let handle = (0..width).map(|at| row.get_ref(at).map(Value::from)).collect::<rusqlite::Result<_>>()?;
    let mut standing = Standing { handle, differing: Row::default(), unwritten: Row::default() };
    let mut doubtful = Vec::new();
    let left = |column: &str| evidence.and_then(|evidence| evidence.defaults.get(column));
    for (at, (column, written)) in step.row.iter().enumerate() {
        let stored = row.get_ref(width + at)?;
        match left(column) {
            Some(left) if left.is_exactly(stored) => {}
            Some(_) => standing.differing.push(column.to_owned(), stored.into()),
            None if written.is_exactly(stored) => {}
            None => doubtful.push(Doubt { column, written, stored: stored.into() }),
        }
    }
    for (at, column) in shape.unwritten.iter().enumerate() {
        let stored = row.get_ref(width + step.row.len() + at)?;
        match left(column) {
            Some(left) if !left.is_exactly(stored) => {
                standing.differing.push(column.clone(), stored.into());
            }
            None if evidence.is_none() => standing.unwritten.push(column.clone(), stored.into()),
            _ => {}
        }
    }
    Ok((standing, doubtful))
}
