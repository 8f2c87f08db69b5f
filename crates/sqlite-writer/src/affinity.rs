//! What a value becomes when a column stores it, found out by storing it.

use rusqlite::Connection;

use crate::{SqliteError, Value};

/// The five ways in which a column converts what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affinity {
    Integer,
    Text,
    None,
    Real,
    Numeric,
}

impl Affinity {
    /// The affinity that a declared type has: by the parts of its name, in this order. In a strict table, ANY is what
    /// no type at all is elsewhere.
    pub(crate) fn of(declared: &str, strict: bool) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
        match () {
            () if strict && declared == "ANY" => Self::None,
            () if has(&["INT"]) => Self::Integer,
            () if has(&["CHAR", "CLOB", "TEXT"]) => Self::Text,
            () if declared.is_empty() || has(&["BLOB"]) => Self::None,
            () if has(&["REAL", "FLOA", "DOUB"]) => Self::Real,
            () => Self::Numeric,
        }
    }

    /// The column of [`Sample`] that has it.
    fn column(self) -> &'static str {
        match self {
            Self::Integer => "i",
            Self::Text => "t",
            Self::None => "b",
            Self::Real => "r",
            Self::Numeric => "n",
        }
    }
}

/// A table in memory with a column of each affinity. Comparing in SQL would not do: SQLite compares a large integer
/// with the real it was rounded to, and finds them different.
#[derive(Debug)]
pub(crate) struct Sample(Connection);

impl Sample {
    pub(crate) fn new() -> Result<Self, SqliteError> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "CREATE TABLE sample (i INTEGER, t TEXT, b BLOB, r REAL, n NUMERIC); INSERT INTO sample DEFAULT VALUES",
        )?;
        Ok(Self(connection))
    }

    /// What a column of this affinity holds after it was given this value.
    pub(crate) fn stored(&self, affinity: Affinity, value: &Value) -> Result<Value, SqliteError> {
        let column = affinity.column();
        self.0.prepare_cached(&format!("UPDATE sample SET {column} = ?1"))?.execute([value])?;
        let mut read = self.0.prepare_cached(&format!("SELECT {column} FROM sample"))?;
        Ok(read.query_row([], |row| row.get_ref(0).map(Value::from))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_type_converts_as_sqlite_reads_it() {
        let cases = [
            ("FLOATING POINT", false, Affinity::Integer), // it has INT in it
            ("VARCHAR(3)", false, Affinity::Text),
            ("double", false, Affinity::Real),
            ("TIMESTAMP", false, Affinity::Numeric),
            ("ANY", false, Affinity::Numeric),
            ("ANY", true, Affinity::None),
            ("", false, Affinity::None),
        ];
        for (declared, strict, expected) in cases {
            assert_eq!(Affinity::of(declared, strict), expected, "{declared}");
        }
        let stored = |affinity, value: Value| Sample::new().unwrap().stored(affinity, &value).unwrap();
        assert_eq!(stored(Affinity::Numeric, "0170".into()), Value::Integer(170));
        assert_eq!(stored(Affinity::Text, 5.into()), "5".into());
        assert_eq!(stored(Affinity::None, 5.into()), Value::Integer(5));
        assert_eq!(stored(Affinity::Real, i64::MAX.into()), Value::Real(9_223_372_036_854_775_808.0));
    }
}
