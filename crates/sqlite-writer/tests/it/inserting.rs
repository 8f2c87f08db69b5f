use std::sync::Arc;

use migration_engine::{ApplyError, Bucket, Changed, Look, Receipt, State, Step, StepError, Wave, World};
use sqlite_writer::{Database, InsertRow, Rows, Value};
use testkit::ao_database::{self, Version};

use crate::support::{Home, cx, project, project_with, session, with};

const EVENTS: &str =
    "SELECT session_id FROM change_log WHERE project_id = 'ledger' AND event_type = 'session_created'";

fn failures(receipt: &Receipt) -> Vec<String> {
    receipt
        .items
        .iter()
        .filter(|(_, outcome)| outcome.bucket != Bucket::Migrated)
        .map(|(_, outcome)| {
            format!(
                "{}: {}",
                outcome.reason.clone().unwrap_or_default(),
                outcome.detail.clone().unwrap_or_default()
            )
        })
        .collect()
}

fn inspect(home: &Home, step: &InsertRow) -> State {
    let mut rows = Rows::new(Database::peek(&home.database()).unwrap());
    step.inspect(&mut rows, None, Look::Full, &cx()).unwrap()
}

#[test]
fn rows_arrive_each_with_its_one_event_and_go_again_without_a_trace() {
    for version in [12, 19] {
        let home = Home::of(Version(version));
        ao_database::add_user_rows(&home.database());
        let before = home.dump();
        let run = home.run(project_with("ledger", 3));

        assert_eq!(home.apply(&run).unwrap().summary().migrated, 4);
        assert_eq!(home.query(EVENTS), ["ledger-1", "ledger-2", "ledger-3"].map(|id| vec![Value::from(id)]));
        assert_eq!(home.names(), ["ao.db"]);
        assert!(home.verify(&run).findings.is_empty());

        assert_eq!(home.undo(&run, Changed::Refuse).unwrap(), []);
        home.assert_dump(&before, "afterwards");
        assert_eq!(home.names(), ["ao.db"]);
    }
}

#[test]
fn rows_that_are_there_already_are_recognised_and_another_run_adds_no_event() {
    let home = Home::new();
    home.apply(&home.run(project_with("ledger", 2))).unwrap();
    let before = home.dump();
    for step in project_with("ledger", 2) {
        assert_eq!(inspect(&home, &step), State::Done);
    }
    assert_eq!(inspect(&home, &session("ledger", 3)), State::Pending);
    home.apply(&home.run(project_with("ledger", 2))).unwrap();
    home.assert_dump(&before, "afterwards");
}

#[test]
fn somebody_elses_row_is_a_conflict_that_names_columns_and_no_content() {
    let home = Home::new();
    home.apply(&home.run(project_with("ledger", 1))).unwrap();
    home.daemon("UPDATE sessions SET prompt = 'secret', updated_at = 'secret' WHERE id = 'ledger-1'");
    let found = inspect(&home, &session("ledger", 1));
    assert_eq!(
        found,
        State::Conflict("a row with this key is there and differs in prompt, updated_at".into())
    );
}

#[test]
fn what_the_daemon_alone_moves_on_is_still_a_conflict_for_whoever_did_not_write_the_row() {
    let home = Home::new();
    home.apply(&home.run(project_with("ledger", 1))).unwrap();
    home.daemon("UPDATE sessions SET activity_state = 'active' WHERE id = 'ledger-1'");
    assert!(matches!(inspect(&home, &session("ledger", 1)), State::Conflict(_)));
}

#[test]
fn a_violated_constraint_fails_the_items_by_table_and_column_and_nothing_is_committed() {
    let refused = [
        (with(session("ledger", 2), "harness", "secret"), "CHECK constraint failed: harness IN"),
        (with(session("ledger", 2), "num", 1), "UNIQUE constraint failed: sessions.project_id, sessions.num"),
        (with(session("ledger", 2), "branch", Value::Null), "NOT NULL constraint failed: sessions.branch"),
        (with(session("ledger", 2), "project_id", "secret"), "FOREIGN KEY constraint failed"),
    ];
    for (step, expected) in refused {
        let home = Home::new();
        let before = home.dump();
        let mut rows = project_with("ledger", 1);
        rows.push(step);
        let receipt = home.apply(&home.run(rows)).unwrap();
        let said = failures(&receipt);
        assert_eq!(said.len(), 3, "one transaction stands or falls together: {said:?}");
        assert!(
            said[2].starts_with("constraint: cannot insert ledger-2 into sessions: ")
                && said[2].contains(expected),
            "{said:?}"
        );
        assert!(!said.concat().contains("secret"), "{said:?}");
        home.assert_dump(&before, "afterwards");
    }
}

#[test]
fn outside_of_one_transaction_a_failing_row_takes_only_itself_back() {
    let home = Home::new();
    let rows = vec![
        project("ledger"),
        session("ledger", 1),
        with(session("ledger", 2), "harness", "nobody"),
        session("ledger", 3),
    ];
    let run = home.run_of(rows, Wave::publish);
    let receipt = home.apply(&run).unwrap();
    assert_eq!((receipt.summary().migrated, receipt.summary().failed), (3, 1));
    assert_eq!(home.query(EVENTS), ["ledger-1", "ledger-3"].map(|id| vec![Value::from(id)]));
}

#[test]
fn an_item_whose_later_row_fails_leaves_none_of_its_earlier_ones() {
    let home = Home::new();
    let before = home.dump();
    let run = home.run_items(
        vec![
            vec![project("ledger"), session("ledger", 1), with(session("ledger", 2), "kind", "nobody")],
            vec![project("other"), session("other", 1)],
        ],
        Wave::publish,
    );
    let receipt = home.apply(&run).unwrap();
    assert_eq!((receipt.summary().migrated, receipt.summary().failed), (1, 1));
    assert_eq!(home.query("SELECT id FROM sessions"), [["other-1".into()]]);
    // As if the failed item had never been tried: the counter too.
    assert_eq!(home.query("SELECT seq FROM change_log"), [[Value::from(1)]]);
    home.undo(&run, Changed::Refuse).unwrap();
    home.assert_dump(&before, "afterwards");
}

#[test]
fn a_row_that_would_leave_another_dangling_is_never_committed() {
    let home = Home::new();
    home.daemon(
        "CREATE TABLE late (id TEXT PRIMARY KEY, project_id TEXT REFERENCES projects (id) DEFERRABLE INITIALLY DEFERRED)",
    );
    let before = home.dump();
    let row = InsertRow::new("late", ["id"], [("id", "a".into()), ("project_id", "nobody".into())]);
    let error = home.apply(&home.run(vec![row])).unwrap_err();
    assert!(matches!(&error, ApplyError::World(_)), "{error}");
    assert!(
        error.to_string().contains("a row of late refers to a row of projects that is not there"),
        "{error}"
    );
    home.assert_dump(&before, "afterwards");
}

#[test]
fn a_trigger_that_changes_other_rows_is_refused_because_that_could_not_be_taken_back() {
    let meddling = [
        "CREATE TRIGGER t AFTER INSERT ON sessions BEGIN UPDATE projects SET display_name = 'x'; END",
        "CREATE TRIGGER t AFTER INSERT ON sessions BEGIN DELETE FROM goose_db_version; END",
        "CREATE TABLE kept (id TEXT PRIMARY KEY) WITHOUT ROWID;
         CREATE TRIGGER t AFTER INSERT ON sessions BEGIN INSERT INTO kept VALUES (NEW.id); END",
    ];
    for trigger in meddling {
        let home = Home::new();
        home.daemon(trigger);
        let before = home.dump();
        let mut rows = Rows::new(Database::open_exclusive(&home.database()).unwrap());
        let tried = rows.try_out(&project_with("ledger", 1)).unwrap_err().to_string();
        assert!(tried.contains("found one that changes others"), "{tried}");
        drop(rows);
        let error = home.apply(&home.run(project_with("ledger", 1))).unwrap_err().to_string();
        assert!(error.contains("which could not be taken back"), "{error}");
        home.assert_dump(&before, "afterwards");
    }
}

#[test]
fn a_row_that_a_trigger_completes_is_recognised_and_taken_back() {
    let home = Home::new();
    home.daemon(
        "CREATE TRIGGER t AFTER INSERT ON sessions BEGIN UPDATE sessions SET branch = 'x' WHERE id = NEW.id; END",
    );
    let before = home.dump();
    let run = home.run(project_with("ledger", 2));
    home.apply(&run).unwrap();
    assert!(home.verify(&run).findings.is_empty());
    home.undo(&run, Changed::Refuse).unwrap();
    home.assert_dump(&before, "afterwards");
}

#[test]
fn a_replacing_constraint_of_the_owner_does_not_replace_his_row() {
    let home = Home::new();
    home.daemon("CREATE TABLE tag (name TEXT UNIQUE ON CONFLICT REPLACE, color TEXT); INSERT INTO tag VALUES ('a', 'red')");
    let before = home.dump();
    let row = InsertRow::new("tag", ["color"], [("name", "a".into()), ("color", "blue".into())]);
    assert_eq!(
        failures(&home.apply(&home.run(vec![row])).unwrap()),
        ["constraint: cannot insert blue into tag: UNIQUE constraint failed: tag.name"]
    );
    home.assert_dump(&before, "afterwards");
}

#[test]
fn a_table_that_is_gone_stops_the_run_by_name() {
    let home = Home::new();
    let error = home.apply(&home.run(vec![InsertRow::new("gone", ["id"], [("id", 1.into())])])).unwrap_err();
    assert!(error.to_string().contains("cannot insert 1 into gone: there is no table gone"), "{error}");
}

#[test]
fn an_unsettled_row_is_seen_by_nobody_and_goes_when_it_is_given_up() {
    let home = Home::new();
    let before = home.dump();
    let mut rows = Rows::new(Database::open_exclusive(&home.database()).unwrap());
    rows.try_out(&project_with("ledger", 2)).unwrap();
    assert_eq!(rows.database().query("SELECT * FROM change_log", &[]).unwrap().len(), 0);
    rows.settle().unwrap();
    drop(rows);
    home.assert_dump(&before, "afterwards");
    assert_eq!(home.names(), ["ao.db"]);
}

#[test]
fn room_is_asked_for_where_the_database_is() {
    let home = Home::new();
    assert_eq!(session("ledger", 1).cost().at, None);
    let cost = session("ledger", 1).needing_room_in(Arc::from(home.data())).cost();
    assert_eq!(cost.at, Some(home.data()));
    assert!(cost.bytes > 1000, "{}", cost.bytes);
}

#[test]
fn a_database_lost_to_another_process_stops_the_run() {
    let home = Home::new();
    let _held = Database::open_exclusive(&home.database()).unwrap();
    let error: StepError = Database::open_exclusive(&home.database()).unwrap_err().into();
    let StepError::World(cause) = error else { panic!("{error:?}") };
    assert_eq!(cause.code, "database-in-use");
}
