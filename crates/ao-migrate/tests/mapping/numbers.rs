//! Numbers of sessions: natural where possible, unique, and the same the next time (formats/ao.md §6.1).

use ao_migrate::mapping::{Existing, Mapped, SessionRow};
use serde_json::Value;

use crate::home::{Home, after, arrival, bucket, codes, message, text};

/// A home in which each id was created at a day of January.
fn home(sessions: &[(&str, u32)]) -> Home {
    sessions.iter().fold(Home::with_ledger(), |home, (id, day)| {
        home.session("ledger", id, |record| record.created_at = text(&format!("2026-01-{day:02}T00:00:00Z")))
    })
}

fn numbers(mapped: &Mapped) -> Vec<i64> {
    mapped.sessions.iter().map(|session| arrival(mapped, &session.id).row.num).collect()
}

/// A row of the database, of which only what is given matters.
fn row(id: &str, project: &str, num: i64) -> (String, Vec<Value>) {
    let values = SessionRow::COLUMNS.iter().map(|column| match *column {
        "id" => Value::from(id),
        "project_id" => Value::from(project),
        "num" => Value::from(num),
        _ => Value::from(""),
    });
    (id.to_owned(), values.collect())
}

#[test]
fn a_number_is_the_digits_at_the_end() {
    assert_eq!(
        numbers(&home(&[("led-4", 1), ("led-007", 1), ("x12", 1), ("led-1a0", 1)]).map()),
        [4, 7, 12, 0]
    );
}

#[test]
fn without_a_natural_number_a_session_comes_after_all_others() {
    let sessions = [("led-orchestrator", 1), ("led-9", 2), ("led-99999999999999999999", 3), ("a", 1)];
    let mapped = home(&sessions).map();
    assert_eq!(numbers(&mapped), [11, 9, 12, 10]);
    assert!(
        message(&mapped.sessions[0].findings, "num-assigned")
            .ends_with("gives no number: the session has 11")
    );
    assert!(!codes(&mapped.sessions[1].findings).contains(&"num-assigned"));
}

#[test]
fn the_older_of_two_keeps_the_number_and_the_id_breaks_a_tie() {
    assert_eq!(numbers(&home(&[("led-7", 2), ("old-7", 1), ("led-8", 1)]).map()), [9, 7, 8]);
    assert_eq!(numbers(&home(&[("led-7", 1), ("led-007", 1)]).map()), [8, 7]);
    let mapped = home(&[("led-orchestrator-2", 2), ("led-2", 1)]).map();
    assert_eq!(numbers(&mapped), [3, 2]);
    assert!(message(&mapped.sessions[0].findings, "num-assigned").contains("2 is taken: the session has 3"));
}

#[test]
fn rows_of_the_database_have_claimed_theirs() {
    let mut home = home(&[("led-7", 1), ("led-8", 1)]);
    home.existing.sessions.extend([row("ledger-7", "ledger", 7), row("other-90", "other", 90)]);
    assert_eq!(numbers(&home.map()), [9, 8]);
    home.existing.sessions.extend([row("ledger-20", "ledger", 20)]);
    assert_eq!(numbers(&home.map()), [21, 8]);
}

#[test]
fn a_later_run_neither_moves_nor_takes_a_number() {
    let sessions = [("led-orchestrator", 1), ("led-7", 2), ("old-7", 1)];
    let first = home(&sessions).map();
    assert_eq!(numbers(&first), [8, 7 + 2, 7]);
    let mut again = home(&[&sessions[..], &[("led-8", 1)]].concat());
    again.existing = after(&first, Existing::default());
    let again = again.map();
    assert_eq!(numbers(&again), [8, 9, 7, 10]);
    assert!(again.sessions[..3].iter().all(|session| bucket(&session.outcome) == "already-present"));
    assert!(!codes(&again.sessions[0].findings).contains(&"num-assigned"));
}

#[test]
fn there_is_always_a_number_left() {
    let sessions = [("x-9223372036854775807", 1), ("x", 2), ("y", 3), ("z-1", 1)];
    assert_eq!(numbers(&home(&sessions).map()), [i64::MAX, 2, 3, 1]);
}
