//! What somebody else's tables may look like.

use migration_engine::{Bucket, Changed, Look, State, Step, UndoError};
use sqlite_writer::{Database, InsertRow, MisfitError, Rows, TableContract, Value};
use testkit::ao_database::{self, Version};

use crate::support::{Home, cx, project_with};

fn row(table: &'static str, columns: &[(&'static str, Value)]) -> InsertRow {
    InsertRow::new(table, [columns[0].0], columns.iter().cloned().collect::<sqlite_writer::Row>())
}

#[test]
fn rows_that_refer_to_themselves_to_each_other_and_without_naming_a_column_come_and_go() {
    let home = Home::with_tables(
        "CREATE TABLE node (id INTEGER PRIMARY KEY, up INTEGER REFERENCES node);
         CREATE TABLE edge (a INTEGER, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
         CREATE TABLE mark (name TEXT UNIQUE, a INTEGER, b INTEGER, FOREIGN KEY (a, b) REFERENCES edge)",
    );
    let before = home.dump();
    let rows = vec![
        row("node", &[("id", 1.into()), ("up", 1.into())]),
        row("node", &[("id", 2.into()), ("up", 1.into())]),
        row("edge", &[("a", 1.into()), ("b", 2.into())]),
        row("mark", &[("name", "m".into()), ("a", 1.into()), ("b", 2.into())]),
    ];
    let run = home.run(rows);
    home.apply(&run).unwrap();
    assert!(home.verify(&run).findings.is_empty());

    home.daemon("INSERT INTO node VALUES (3, 2); INSERT INTO mark VALUES ('n', 1, 2)");
    let Err(UndoError::Drifted(found)) = home.undo(&run, Changed::Refuse) else { panic!("not noticed") };
    let told: Vec<&str> = found.iter().map(|drift| drift.found.rsplit(' ').next().unwrap()).collect();
    assert_eq!(told, ["node", "node", "mark"]);
    assert_eq!(found.len(), 3, "{found:?}");

    home.undo(&run, Changed::SetAside).unwrap();
    home.assert_dump(&before, "afterwards");
}

#[test]
fn rows_in_a_circle_are_set_aside_together() {
    let home = Home::with_tables(
        "CREATE TABLE egg (id TEXT PRIMARY KEY, hen TEXT REFERENCES hen (id));
         CREATE TABLE hen (id TEXT PRIMARY KEY, egg TEXT REFERENCES egg (id))",
    );
    let before = home.dump();
    let run = home.run(vec![row("egg", &[("id", "e".into()), ("hen", Value::Null)])]);
    home.apply(&run).unwrap();
    home.daemon("INSERT INTO hen VALUES ('h', 'e'); UPDATE egg SET hen = 'h'");
    home.undo(&run, Changed::SetAside).unwrap();
    home.assert_dump(&before, "afterwards");
}

#[test]
fn two_rows_with_one_key_are_told_and_neither_is_touched() {
    let home = Home::with_tables("CREATE TABLE t (name TEXT, color TEXT)");
    let step = row("t", &[("name", "a".into()), ("color", "red".into())]);
    let run = home.run(vec![step.clone()]);
    home.apply(&run).unwrap();
    home.daemon("INSERT INTO t VALUES ('a', 'red')");
    let changed = home.dump();
    let mut rows = Rows::new(Database::peek(&home.database()).unwrap());
    assert_eq!(
        step.inspect(&mut rows, None, Look::Full, &cx()).unwrap(),
        State::Conflict("several rows have this key".into())
    );
    assert!(matches!(home.undo(&run, Changed::Refuse), Err(UndoError::Drifted(_))));
    home.assert_dump(&changed, "afterwards");
}

#[test]
fn columns_that_the_owner_computes_are_none_of_ours() {
    let home = Home::with_tables(
        "CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER, twice INTEGER AS (n * 2) STORED, thrice AS (n * 3))",
    );
    let before = home.dump();
    let run = home.run(vec![row("t", &[("id", "a".into()), ("n", 4.into())])]);
    home.apply(&run).unwrap();
    assert!(home.verify(&run).findings.is_empty());
    assert_eq!(home.query("SELECT twice, thrice FROM t"), [[8.into(), 12.into()]]);
    home.undo(&run, Changed::Refuse).unwrap();
    home.assert_dump(&before, "afterwards");
}

#[test]
fn names_in_another_case_name_the_same_table_and_columns() {
    let home = Home::new();
    let before = home.dump();
    let rows = project_with("ledger", 2).into_iter().map(|mut step| {
        step.table = step.table.to_uppercase().into();
        step.key = vec!["ID".into()];
        step.row = step.row.iter().map(|(name, value)| (name.to_uppercase(), value.clone())).collect();
        step
    });
    let run = home.run(rows.collect());
    assert!(home.apply(&run).unwrap().items.iter().all(|(_, outcome)| outcome.bucket == Bucket::Migrated));
    assert!(home.verify(&run).findings.is_empty());
    home.undo(&run, Changed::Refuse).unwrap();
    home.assert_dump(&before, "afterwards");
}

#[test]
fn what_a_trigger_of_the_owner_says_when_it_refuses_a_row_stays_out_of_our_words() {
    let home = Home::new();
    home.daemon("CREATE TRIGGER t BEFORE INSERT ON sessions BEGIN SELECT RAISE(ABORT, 'secret'); END");
    let mut rows = Rows::new(Database::open_exclusive(&home.database()).unwrap());
    let said = rows.try_out(&project_with("ledger", 1)).unwrap_err().to_string();
    assert!(said.contains("table sessions") && !said.contains("secret"), "{said}");
}

fn misfit(home: &Home, contract: TableContract) -> MisfitError {
    Database::peek(&home.database()).unwrap().fits(&[contract]).unwrap_err()
}

#[test]
fn a_schema_that_our_rows_do_not_fit_is_refused_by_table_and_column() {
    let known = || {
        TableContract::new(
            "sessions",
            project_with("p", 1)[1].row.columns().map(str::to_owned).collect::<Vec<_>>(),
        )
    };
    let home = Home::new();
    Database::peek(&home.database()).unwrap().fits(&[known()]).unwrap();
    let none = misfit(&home, TableContract::new("gone", ["id"]));
    assert_eq!(none.to_string(), "expected a table gone, found none");
    let missing = misfit(&home, TableContract::new("projects", ["id", "path", "registered_at", "color"]));
    assert_eq!(missing.to_string(), "expected a column color in the table projects, found none");
    let demanded = misfit(&home, TableContract::new("projects", ["id", "path"]));
    assert_eq!(
        demanded.to_string(),
        "expected to know every column that the table projects demands, found registered_at"
    );

    let newer = tempfile::tempdir().unwrap();
    let path = newer.path().join("ao.db");
    ao_database::create_with_mandatory_column(&path, Version(12));
    let error = Database::peek(&path).unwrap().fits(&[known()]).unwrap_err();
    assert!(matches!(error, MisfitError::Demanded { .. }), "{error}");
}
