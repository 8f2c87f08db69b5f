//! The one transaction: what may end it, and in what it may not end.

use migration_engine::{RunId, Slot, Step, StepError, World};
use session_model::Timestamp;
use sqlite_writer::{CheckError, Database, InsertRow, Inserted, Rows};

use crate::support::{Home, cx, project, session};

/// Steps taken by hand, each with a slot of its own.
struct ByHand<'a> {
    home: &'a Home,
    rows: Rows,
}

impl<'a> ByHand<'a> {
    fn on(home: &'a Home) -> Self {
        Self { home, rows: Rows::new(Database::open_exclusive(&home.database()).unwrap()) }
    }

    fn slot(&self, number: u32) -> Slot {
        Slot::new(RunId::new(Timestamp::UNIX_EPOCH, 0), number, self.home.folder().to_path_buf())
    }

    fn stage(&mut self, number: u32, step: &InsertRow) -> Result<Inserted, StepError> {
        let slot = self.slot(number);
        step.stage(&mut self.rows, &slot, &cx())
    }

    fn revert(
        &mut self,
        number: u32,
        step: &InsertRow,
        evidence: Option<&Inserted>,
    ) -> Result<(), StepError> {
        let slot = self.slot(number);
        step.revert(&mut self.rows, &slot, evidence, &cx())
    }
}

#[test]
fn a_damaged_database_is_named_before_a_run_and_gets_no_commit_in_one() {
    let home = Home::new();
    home.daemon(
        "CREATE TABLE t (a TEXT); INSERT INTO t VALUES (NULL); PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a TEXT NOT NULL)' WHERE name = 't'",
    );
    let Err(CheckError::Broken { found, .. }) = Database::peek(&home.database()).unwrap().check() else {
        panic!("the damage was not found")
    };
    assert_eq!(found, "NULL value in t.a");
    let before = home.dump();
    let error = home.apply(&home.run(vec![project("ledger")])).unwrap_err().to_string();
    assert!(error.contains("nothing was committed") && error.contains("NULL value in t.a"), "{error}");
    home.assert_dump(&before, "afterwards");
}

#[test]
fn a_reference_to_nothing_is_named_before_a_run() {
    let home = Home::new();
    home.daemon(
        "PRAGMA foreign_keys = OFF; INSERT INTO workspace_repos VALUES ('nobody', 'n', 'r', '', 'x')",
    );
    let error = Database::peek(&home.database()).unwrap().check().unwrap_err().to_string();
    assert!(
        error.ends_with("a row of workspace_repos refers to a row of projects that is not there"),
        "{error}"
    );
}

#[test]
fn what_was_taken_back_is_settled_before_rows_are_inserted_under_the_owners_keys_again() {
    let home = Home::new();
    let before = home.dump();
    let mut hand = ByHand::on(&home);
    let ledger = hand.stage(0, &project("ledger")).unwrap();
    hand.rows.settle().unwrap();

    hand.revert(0, &project("ledger"), Some(&ledger)).unwrap();
    let Err(StepError::Item(cause)) = hand.stage(1, &session("ledger", 1)) else {
        panic!("a key was not checked")
    };
    assert!(cause.message.ends_with("FOREIGN KEY constraint failed"), "{}", cause.message);
    hand.rows.abandon();
    drop(hand);
    home.assert_dump(&before, "afterwards");
}

#[test]
fn a_row_whose_deletion_would_take_others_along_is_not_deleted() {
    let home = Home::new();
    let mut hand = ByHand::on(&home);
    let worktree = InsertRow::new(
        "workspace_repos",
        ["name"],
        [
            ("project_id", "ledger".into()),
            ("name", "n".into()),
            ("relative_path", "r".into()),
            ("registered_at", "x".into()),
        ],
    );
    let ledger = hand.stage(0, &project("ledger")).unwrap();
    hand.stage(1, &worktree).unwrap();
    let error = hand.revert(0, &project("ledger"), Some(&ledger)).unwrap_err();
    assert!(
        matches!(&error, StepError::World(_)) && error.to_string().contains("other rows would go with it"),
        "{error}"
    );
}

#[test]
fn a_row_staged_and_never_recorded_goes_without_evidence() {
    let home = Home::new();
    let before = home.dump();
    let mut hand = ByHand::on(&home);
    hand.stage(0, &project("ledger")).unwrap();
    hand.revert(0, &project("ledger"), None).unwrap();
    hand.rows.settle().unwrap();
    // Settled, it is somebody's: without evidence it is left alone.
    hand.stage(1, &project("other")).unwrap();
    hand.rows.settle().unwrap();
    hand.revert(1, &project("other"), None).unwrap();
    hand.rows.settle().unwrap();
    assert_eq!(hand.rows.database().query("SELECT id FROM projects", &[]).unwrap(), [["other".into()]]);
    drop(hand);
    home.daemon("DELETE FROM projects");
    home.assert_dump(&before, "afterwards");
}

#[test]
fn what_a_rolled_back_row_would_have_been_is_not_taken_from_who_got_its_place() {
    let home = Home::new();
    let mut hand = ByHand::on(&home);
    hand.stage(0, &project("ledger")).unwrap();
    hand.rows.settle().unwrap();
    let lost = hand.stage(1, &session("ledger", 1)).unwrap();
    hand.rows.abandon();
    hand.stage(2, &session("ledger", 2)).unwrap(); // gets the same place in the log
    hand.rows.settle().unwrap();
    hand.revert(1, &session("ledger", 1), Some(&lost)).unwrap();
    hand.rows.settle().unwrap();
    let log = hand.rows.database().query("SELECT session_id FROM change_log", &[]).unwrap();
    assert_eq!(log, [["ledger-2".into()]]);
}
