//! What a database says of its tables.

use rusqlite::{Connection, OptionalExtension};

use crate::affinity::Affinity;

/// A table: its columns, and how its rows are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// The name as the schema spells it.
    pub(crate) name: String,
    /// The ordinary columns, in order; generated and hidden ones are not among them.
    pub(crate) columns: Vec<Column>,
    /// What finds a row within one session of ours: the row id, or the primary key of a table without one.
    pub(crate) handle: Vec<String>,
    /// What finds a row for good (VACUUM renumbers row ids that no column carries): its primary key, or all of it.
    pub(crate) stable: Vec<String>,
    /// Whether its rows have ids that the update hook reports.
    pub(crate) has_rowid: bool,
    strict: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    declared: String,
    pub(crate) mandatory: bool,
}

impl Table {
    /// The table of this name, in any case; `None` if there is none (a view is none).
    pub(crate) fn read(connection: &Connection, name: &str) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT name, wr, strict FROM pragma_table_list
                   WHERE schema = 'main' AND type = 'table' AND name = ?1 COLLATE NOCASE";
        let found = connection
            .prepare_cached(sql)?
            .query_row([name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get(2)?)))
            .optional()?;
        let Some((name, without_rowid, strict)) = found else { return Ok(None) };
        let (columns, primary_key) = read_columns(connection, &name)?;
        let has_rowid = !without_rowid;
        let stable = if primary_key.is_empty() {
            columns.iter().map(|column| column.name.clone()).collect()
        } else {
            primary_key.clone()
        };
        let handle = if has_rowid { vec![rowid_name(&columns)] } else { primary_key };
        Ok(Some(Self { name, columns, handle, stable, has_rowid, strict }))
    }

    /// How a column converts what it is given.
    pub(crate) fn affinity(&self, column: &str) -> Affinity {
        let found = self.columns.iter().find(|found| found.name.eq_ignore_ascii_case(column));
        found.map_or(Affinity::None, |column| Affinity::of(&column.declared, self.strict))
    }

    /// The one column that the row id is known by, if there is one.
    pub(crate) fn rowid_column(&self, connection: &Connection) -> rusqlite::Result<Option<&str>> {
        let [column] = self.stable.as_slice() else { return Ok(None) };
        if !self.has_rowid {
            return Ok(None);
        }
        // Any other primary key has an index of its own (also `INTEGER PRIMARY KEY DESC`, an old quirk).
        let sql = "SELECT EXISTS (SELECT 1 FROM pragma_table_xinfo(?1) WHERE pk > 0)
                   AND NOT EXISTS (SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk')";
        let alias = connection.prepare_cached(sql)?.query_row([&self.name], |row| row.get::<_, bool>(0))?;
        Ok(alias.then_some(column.as_str()))
    }
}

/// The ordinary columns, and those of the primary key in its own order.
fn read_columns(connection: &Connection, table: &str) -> rusqlite::Result<(Vec<Column>, Vec<String>)> {
    let sql = "SELECT name, type, \"notnull\" AND dflt_value IS NULL, pk FROM pragma_table_xinfo(?1)
               WHERE hidden = 0 ORDER BY cid";
    let mut columns = Vec::new();
    let mut key: Vec<(i64, String)> = Vec::new();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let place: i64 = row.get(3)?;
        if place > 0 {
            key.push((place, name.clone()));
        }
        columns.push(Column { name, declared: row.get(1)?, mandatory: row.get(2)? });
    }
    key.sort_unstable();
    Ok((columns, key.into_iter().map(|(_, name)| name).collect()))
}

/// A name of the row id that no column has taken.
fn rowid_name(columns: &[Column]) -> String {
    let taken = |name: &str| columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    ["rowid", "_rowid_", "oid"].into_iter().find(|name| !taken(name)).unwrap_or("rowid").into()
}

/// One foreign key: rows of `child` whose columns point to rows of `parent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForeignKey {
    pub(crate) child: String,
    /// Pairs of a column of the child and the column of the parent that it names.
    pub(crate) columns: Vec<(String, String)>,
}

/// Every foreign key, of any table, that points to this one.
pub(crate) fn foreign_keys_to(connection: &Connection, parent: &Table) -> rusqlite::Result<Vec<ForeignKey>> {
    let sql = "SELECT child.name, key.id, key.\"from\", key.\"to\"
               FROM pragma_table_list AS child, pragma_foreign_key_list(child.name) AS key
               WHERE child.schema = 'main' AND child.type = 'table' AND key.\"table\" = ?1 COLLATE NOCASE
               ORDER BY child.name, key.id, key.seq";
    let mut keys: Vec<ForeignKey> = Vec::new();
    let mut last: Option<(String, i64)> = None;
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([&parent.name])?;
    while let Some(row) = rows.next()? {
        let this: (String, i64) = (row.get(0)?, row.get(1)?);
        if last.as_ref() != Some(&this) {
            keys.push(ForeignKey { child: this.0.clone(), columns: Vec::new() });
            last = Some(this);
        }
        let Some(key) = keys.last_mut() else { continue };
        // Without a column named, the key points to the primary key.
        let to: Option<String> = row.get(3)?;
        let to = to.or_else(|| parent.stable.get(key.columns.len()).cloned()).unwrap_or_default();
        key.columns.push((row.get(2)?, to));
    }
    Ok(keys)
}

/// A name as SQL spells it, whatever it contains.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Several names, separated by commas.
pub(crate) fn quoted_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// The condition that finds a row by these columns, with parameters from `first` on. `IS` finds NULL as well.
pub(crate) fn matching<'a>(columns: impl IntoIterator<Item = &'a str>, first: usize) -> String {
    let terms =
        columns.into_iter().enumerate().map(|(at, name)| format!("{} IS ?{}", quoted(name), first + at));
    terms.collect::<Vec<_>>().join(" AND ")
}
