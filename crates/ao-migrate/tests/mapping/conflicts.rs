//! What stands in the database already is never overwritten (formats/ao.md §6.3).

use ao_migrate::mapping::{Existing, ProjectRow, SessionRow};
use serde_json::{Value, json};

use crate::home::{Home, after, bucket, buckets, text};

/// The home after its own migration.
fn migrated(home: Home) -> Home {
    let existing = after(&home.map(), Existing::default());
    Home { existing, ..home }
}

fn one_session() -> Home {
    migrated(Home::with_ledger().session("ledger", "led-1", |record| record.branch = text("feat/tax")))
}

impl Home {
    fn set_project(&mut self, column: &str, value: impl Into<Value>) {
        set(
            self.existing.projects.get_mut("ledger").expect("the project is there"),
            ProjectRow::COLUMNS,
            column,
            value.into(),
        );
    }

    fn set_session(&mut self, column: &str, value: impl Into<Value>) {
        set(
            self.existing.sessions.get_mut("led-1").expect("the session is there"),
            SessionRow::COLUMNS,
            column,
            value.into(),
        );
    }
}

fn set(row: &mut [Value], columns: &[&str], column: &str, value: Value) {
    row[columns.iter().position(|name| *name == column).expect("a column")] = value;
}

#[test]
fn what_is_there_and_equal_is_not_written_again() {
    let mapped = one_session().map();
    assert_eq!(bucket(&mapped.projects[0].outcome), "already-present");
    assert_eq!(buckets(&mapped), ["already-present"]);
    assert!(mapped.sessions[0].arrival.is_some());
}

#[test]
fn a_session_that_differs_in_any_column_is_a_conflict_that_names_it() {
    for column in &SessionRow::COLUMNS[1..] {
        if *column == "num" {
            continue; // the number of the database is the session's number
        }
        let mut home = one_session();
        home.set_session(column, "changed");
        let session = home.first_session();
        assert_eq!(bucket(&session.outcome), "conflict(row-differs)", "{column}");
        assert!(session.outcome.detail.unwrap().ends_with(&format!(": {column}")), "{column}");
        assert_eq!(session.arrival, None);
    }
}

#[test]
fn a_project_that_differs_is_left_alone_and_its_sessions_go_in() {
    for column in &ProjectRow::COLUMNS[1..] {
        let mut home = one_session();
        home.existing.sessions.clear();
        home.set_project(column, "changed");
        let mapped = home.map();
        assert_eq!(bucket(&mapped.projects[0].outcome), "conflict(row-differs)", "{column}");
        let expected = if *column == "path" { "conflict(project-differs)" } else { "migrated" };
        assert_eq!(buckets(&mapped), [expected], "{column}");
    }
}

#[test]
fn configurations_are_compared_by_meaning() {
    let same = r#"{"agentConfig": {"model": "", "permissions": "bypass-permissions"}, "sessionPrefix": "led",
        "worker": {"agentConfig": {}}, "env": {}, "symlinks": [], "reviewers": null}"#;
    for (config, expected) in [
        (json!(same), "already-present"),
        (json!(same.replace("bypass-permissions", "default")), "conflict(row-differs)"),
        (json!(same.replace(r#""env": {}"#, r#""env": {"A": ""}"#)), "conflict(row-differs)"),
        (json!("{"), "conflict(row-differs)"),
        (Value::Null, "conflict(row-differs)"),
        (json!(7), "conflict(row-differs)"),
    ] {
        let mut home = one_session();
        home.set_project("config", config.clone());
        assert_eq!(bucket(&home.first_project().outcome), expected, "{config}");
    }
}

#[test]
fn an_orchestrator_goes_where_the_daemon_looks_by_its_own_configuration() {
    let home = Home::with_ledger().session("ledger", "led-orchestrator", |_| {});
    let path = |home: &Home| home.first_session().arrival.unwrap().managed_path;
    assert_eq!(path(&home), "/data/worktrees/ledger/orchestrator/led-orchestrator");
    let mut home = migrated(home);
    home.existing.sessions.clear();
    home.set_project("config", r#"{"sessionPrefix": " books "}"#);
    assert_eq!(path(&home), "/data/worktrees/ledger/orchestrator/books-orchestrator");
    for config in [Value::Null, json!(r#"{"sessionPrefix": "/etc/x"}"#), json!(r#"{"sessionPrefix": ".."}"#)]
    {
        home.set_project("config", config);
        assert_eq!(path(&home), "/data/worktrees/ledger/orchestrator/ledger-orchestrator");
    }
}

#[test]
fn neither_of_two_projects_gets_an_id_that_both_claim() {
    let home = Home::with_ledger()
        .project("books", |_| {})
        .session("ledger", "led-1", |_| {})
        .session("ledger", "led-2", |_| {})
        .session("books", "led-1", |_| {})
        .session("books", "led-2", crate::home::in_state("done"));
    let both = "conflict(same-id-in-two-projects)";
    assert_eq!(buckets(&home.map()), [both, "migrated", both, "skipped(terminal)"]);
}

#[test]
fn an_id_that_is_in_the_database_belongs_to_the_project_there() {
    let mut home = one_session().project("books", |_| {}).session("books", "led-1", |record| {
        record.branch = text("feat/tax");
    });
    home.set_session("num", 5);
    let mapped = home.map();
    assert_eq!(buckets(&mapped), ["already-present", "conflict(row-differs)"]);
    assert!(mapped.sessions[1].outcome.detail.as_ref().unwrap().contains("project_id"));
}

#[test]
fn a_row_that_the_daemon_has_touched_is_a_conflict_of_a_new_plan() {
    let mut home = one_session();
    home.set_session("updated_at", "2026-01-10 10:00:00 +0000 UTC");
    assert_eq!(bucket(&home.first_session().outcome), "conflict(row-differs)");
}
