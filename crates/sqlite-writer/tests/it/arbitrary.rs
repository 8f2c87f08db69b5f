//! Any row of any table arrives as the column stores it, is recognised, and goes without a trace.

use migration_engine::{Bucket, Changed, Look, State, Step};
use proptest::prelude::*;
use sqlite_writer::{Database, InsertRow, Row, Rows, Value};

use crate::support::{Home, cx};

/// Names that must be quoted, and one that hides the row id.
const NAMES: [&str; 5] = ["plain", "se\"lect", "rowid", "ünï 'x'", "order"];

const TYPES: [&str; 9] = [
    "INTEGER",
    "TEXT",
    "REAL",
    "NUMERIC",
    "BLOB",
    "",
    "TIMESTAMP",
    "BOOLEAN DEFAULT FALSE",
    "VARCHAR(3) COLLATE NOCASE",
];

/// How a table tells its rows apart; `{key}` is the column, before the others.
const TABLES: [(&str, &str); 6] = [
    ("key INTEGER PRIMARY KEY", ""),
    ("key INTEGER PRIMARY KEY AUTOINCREMENT", ""),
    ("key TEXT PRIMARY KEY", ""),
    ("key TEXT NOT NULL PRIMARY KEY", " WITHOUT ROWID"),
    ("key NUMERIC", ""),
    ("key INTEGER PRIMARY KEY DESC", ""),
];

/// What a trigger does when a row is added: nothing, or adding one to a table of another kind.
const TRIGGERS: [&str; 6] = [
    "",
    "CREATE TABLE log (seq INTEGER PRIMARY KEY AUTOINCREMENT, what);
     INSERT INTO log (seq, what) VALUES (70, 'old'); DELETE FROM log;",
    "CREATE TABLE log (what);",
    "CREATE TABLE log (seq INTEGER PRIMARY KEY, what);",
    "CREATE TABLE log (seq INTEGER PRIMARY KEY DESC, what); INSERT INTO log (what) VALUES ('own'), ('11');",
    "CREATE TABLE log (seq TEXT PRIMARY KEY, what); INSERT INTO log (what) VALUES ('own'), ('11');",
];

#[derive(Debug, Clone)]
struct Case {
    table: usize,
    types: Vec<usize>,
    trigger: usize,
    /// Of each row the values after the key; a column without one is left to its default.
    rows: Vec<Vec<Option<Value>>>,
}

impl Case {
    fn tables(&self) -> String {
        let (key, suffix) = TABLES[self.table];
        let columns =
            self.types.iter().zip(NAMES).map(|(kind, name)| format!("{} {}", quoted(name), TYPES[*kind]));
        let columns = std::iter::once(key.to_owned()).chain(columns).collect::<Vec<_>>().join(", ");
        let mut sql = format!("CREATE TABLE thing ({columns}){suffix};{}", TRIGGERS[self.trigger]);
        if self.trigger > 0 {
            sql +=
                "CREATE TRIGGER t AFTER INSERT ON thing BEGIN INSERT INTO log (what) VALUES (NEW.key); END;";
        }
        sql
    }

    fn steps(&self) -> Vec<InsertRow> {
        let row = |(number, values): (i64, &Vec<Option<Value>>)| {
            // A key as a careless program might give it: a number as text, where the column makes a number of it.
            let key = if number % 2 == 0 { Value::from(number) } else { Value::from(number.to_string()) };
            let others = NAMES.iter().zip(values).filter_map(|(name, value)| Some((*name, value.clone()?)));
            let row: Row = std::iter::once(("key", key)).chain(others).collect();
            InsertRow::new("thing", ["key"], row)
        };
        (10..).zip(&self.rows).map(row).collect()
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_map(Value::from),
        (-9i32..9).prop_map(|whole| Value::from(f64::from(whole))),
        ".{0,9}".prop_map(Value::Text),
        "[ ]?-?[0-9]{1,20}([.][0-9]{1,3})?(e-?[0-9]{1,3})?[ ]?".prop_map(Value::Text),
        Just(Value::from("2026-02-03T08:15:00.000Z")),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(Value::Blob),
    ]
}

fn any_case() -> impl Strategy<Value = Case> {
    let shape =
        (0..TABLES.len(), proptest::collection::vec(0..TYPES.len(), 1..=NAMES.len()), 0..TRIGGERS.len());
    shape.prop_flat_map(|(table, types, trigger)| {
        let row = proptest::collection::vec(proptest::option::weighted(0.8, any_value()), types.len());
        proptest::collection::vec(row, 1..4).prop_map(move |rows| Case {
            table,
            types: types.clone(),
            trigger,
            rows,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_row_of_any_table_arrives_is_recognised_and_goes_without_a_trace(case in any_case()) {
        let home = Home::with_tables(&case.tables());
        let before = home.dump();
        let run = home.run(case.steps());
        let receipt = home.apply(&run).unwrap();
        let failed: Vec<_> = receipt.items.iter().filter(|(_, outcome)| outcome.bucket != Bucket::Migrated).collect();
        prop_assert!(failed.is_empty(), "{:?}", failed);
        prop_assert_eq!(home.verify(&run).findings, vec![]);
        let mut anew = Rows::new(Database::peek(&home.database()).unwrap());
        for step in case.steps() {
            prop_assert_eq!(step.inspect(&mut anew, None, Look::Full, &cx()).unwrap(), State::Done);
        }
        prop_assert_eq!(home.undo(&run, Changed::Refuse).unwrap(), vec![]);
        prop_assert_eq!(home.dump(), before);
        prop_assert_eq!(home.names(), vec!["ao.db"]);
    }
}
