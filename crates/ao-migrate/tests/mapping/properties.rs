//! What holds of every home, however odd.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ao_migrate::mapping::{Existing, Mapped, SessionRow};
use legacy_readers::ao::{Content, Field, Lifecycle, Owner, SessionRecord, Skip};
use migration_engine::Bucket;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::Value;
use session_model::{ActivityState, Harness, SessionKind, parse_time, to_millis_utc};

use crate::home::{Home, after, anomaly, text};

const PROJECTS: [&str; 4] = ["ledger", "books", "led", "in..valid"];

fn field(values: &'static [&'static str]) -> impl Strategy<Value = Field> {
    prop_oneof![
        1 => Just(Field::Absent),
        1 => Just(Field::NotText),
        8 => select(values).prop_map(text),
    ]
}

fn time() -> impl Strategy<Value = Field> {
    let odd =
        &["", "1770000000", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"];
    prop_oneof![
        field(odd),
        field(&["2026-01-01T00:00:00Z", "2026-01-02T00:00:00.123456+09:00", "2026-01-03t00:00:00"]),
        "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:00:00(Z|[+-][01][0-9]:00)".prop_map(|time| text(&time)),
    ]
}

fn lifecycle() -> impl Strategy<Value = Lifecycle> {
    let state = field(&["working", "idle", "needs_input", "stuck", "done", "not_started", "odd"]);
    let kind = field(&["worker", "orchestrator"]);
    let ended = prop_oneof![9 => Just(Field::Absent), 1 => time()];
    (kind, state, time(), ended, time(), time()).prop_map(
        |(kind, state, started_at, terminated_at, last_transition_at, runtime_last_observed_at)| Lifecycle {
            kind,
            state,
            started_at,
            terminated_at,
            last_transition_at,
            runtime_last_observed_at,
        },
    )
}

fn record() -> impl Strategy<Value = SessionRecord> {
    let agent = field(&["claude-code", "codex", "opencode", "aider", "grok", "Codex", ""]);
    let role = prop_oneof![4 => Just(Field::Absent), 1 => field(&["orchestrator"])];
    let status = field(&["working", "killed", "merged"]);
    let id = || field(&["0b1f", "--odd", "a b", ""]);
    let texts = (field(&["feat/x", ""]), field(&["/wt/1", "/wt/2"]), field(&["do\nit"]));
    let lifecycle = proptest::option::weighted(0.8, lifecycle());
    (agent, role, status, (id(), id(), id()), texts, time(), lifecycle).prop_map(
        |(agent, role, status, ids, texts, created_at, lifecycle)| SessionRecord {
            agent,
            role,
            status,
            claude_session_uuid: ids.0,
            codex_thread_id: ids.1,
            opencode_session_id: ids.2,
            branch: texts.0,
            worktree: texts.1,
            user_prompt: texts.2,
            created_at,
            lifecycle,
            ..SessionRecord::default()
        },
    )
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        12 => record().prop_map(|record| Content::Record(Box::new(record))),
        1 => Just(Content::Skipped(Skip::ReservedEmpty)),
        1 => Just(Content::Quarantined(anomaly("parse-error", 1))),
        1 => Just(Content::Unlisted(anomaly("unreadable", 1))),
    ]
}

fn owner() -> impl Strategy<Value = Owner> {
    prop_oneof![
        12 => select(&PROJECTS[..]).prop_map(|id| Owner::Project(id.into())),
        1 => Just(Owner::Unknown("gone".into())),
        1 => Just(Owner::Ambiguous(Arc::from(["ledger".into(), "books".into()]))),
    ]
}

/// Few names, so that they meet.
fn id() -> impl Strategy<Value = String> {
    let stem = select(vec!["led-", "ledger-", "books-", "led-orchestrator-", "led-orchestrator", "x"]);
    let number = select(vec!["", "1", "2", "3", "007", "7", "9223372036854775807", "9223372036854775808"]);
    (stem, number).prop_map(|(stem, number)| format!("{stem}{number}"))
}

/// Rows that the daemon or an earlier run has put there: unique by id, and by number within a project.
fn existing() -> impl Strategy<Value = Existing> {
    let row = (id(), select(&PROJECTS[..3]), 0..12_i64, select(vec!["worker", "orchestrator"]));
    proptest::collection::vec(row, 0..6).prop_map(|rows| {
        let mut existing = Existing::default();
        let mut numbers = BTreeSet::new();
        for (id, project, num, kind) in rows {
            if !existing.sessions.contains_key(&id) && numbers.insert((project, num)) {
                let values = SessionRow::COLUMNS.iter().map(|column| match *column {
                    "id" => Value::from(id.as_str()),
                    "project_id" => Value::from(project),
                    "num" => Value::from(num),
                    "kind" => Value::from(kind),
                    "is_terminated" => Value::from(0),
                    _ => Value::from(""),
                });
                existing.sessions.insert(id.clone(), values.collect());
            }
        }
        existing
    })
}

prop_compose! {
    fn home()(
        files in proptest::collection::vec((owner(), id(), content()), 0..40),
        projects in subsequence(&PROJECTS[..], 0..=PROJECTS.len()),
        existing in existing(),
        restorable: bool,
        schema in 12..20_u32,
    ) -> Home {
        let mut home = Home { existing, schema, restorable, ..Home::new() };
        for id in projects {
            home = home.project(id, |_| {});
        }
        files.into_iter().fold(home, |home, (owner, id, content)| home.file(owner, &id, content))
    }
}

fn rows(mapped: &Mapped) -> impl Iterator<Item = &SessionRow> {
    mapped.sessions.iter().filter_map(|session| session.arrival.as_ref()).map(|arrival| &arrival.row)
}

proptest! {
    #[test]
    fn every_input_is_mapped_once_and_in_order(home in home()) {
        let mapped = home.map();
        let projects: Vec<_> = mapped.projects.iter().map(|project| &project.input).collect();
        let sessions: Vec<_> = mapped.sessions.iter().map(|session| &session.input).collect();
        prop_assert_eq!(projects, home.legacy.projects.iter().map(|project| &project.input).collect::<Vec<_>>());
        prop_assert_eq!(sessions, home.legacy.sessions.iter().map(|file| &file.input).collect::<Vec<_>>());
        for session in &mapped.sessions {
            let arrives = matches!(session.outcome.bucket, Bucket::Migrated | Bucket::AlreadyPresent);
            prop_assert_eq!(arrives, session.arrival.is_some());
            prop_assert!(arrives || session.outcome.reason.is_some());
        }
    }

    #[test]
    fn the_database_can_take_all_rows(home in home()) {
        let mapped = home.map();
        let mut ids: BTreeSet<&str> = home.existing.sessions.keys().map(String::as_str).collect();
        let mut numbers: BTreeSet<(&str, i64)> = home.existing.sessions.values()
            .map(|row| (row[1].as_str().unwrap(), row[2].as_i64().unwrap())).collect();
        let mut projects: BTreeSet<&str> = home.existing.projects.keys().map(String::as_str).collect();
        projects.extend(mapped.projects.iter().filter_map(|project| Some(project.row.as_ref()?.id.as_str())));
        for session in mapped.sessions.iter().filter(|session| session.outcome.bucket == Bucket::Migrated) {
            let row = &session.arrival.as_ref().unwrap().row;
            prop_assert!(ids.insert(&row.id), "the id {} comes twice", row.id);
            prop_assert!(numbers.insert((&row.project_id, row.num)), "{} comes twice in {}", row.num, row.project_id);
            prop_assert!(projects.contains(row.project_id.as_str()));
        }
    }

    #[test]
    fn no_value_is_one_that_the_daemon_fails_to_load(home in home()) {
        let mapped = home.map();
        let registered = mapped.projects.iter().filter_map(|project| Some(&project.row.as_ref()?.registered_at));
        let of_sessions = rows(&mapped).flat_map(|row| {
            [&row.created_at, &row.updated_at, &row.activity_last_at, row.first_signal_at.as_ref().unwrap()]
        });
        for time in registered.chain(of_sessions) {
            let parsed = parse_time(time).filter(|parsed| !parsed.assumed_utc);
            prop_assert_eq!(parsed.map(|parsed| to_millis_utc(parsed.at)), Some(time.clone()));
        }
        for row in rows(&mapped) {
            let values: BTreeMap<&str, Value> = SessionRow::COLUMNS.iter().copied().zip(row.values()).collect();
            let text = |column: &str| values[column].as_str().unwrap().to_owned();
            prop_assert!(text("harness").is_empty() || text("harness").parse::<Harness>().is_ok());
            prop_assert!(text("kind").parse::<SessionKind>().is_ok());
            prop_assert!(text("activity_state").parse::<ActivityState>().is_ok());
            prop_assert!(values["is_terminated"] == i64::from(home.restorable));
            prop_assert!(!text("id").is_empty());
            prop_assert_eq!(text("runtime_handle_id"), "");
        }
    }

    #[test]
    fn again_changes_nothing(mut home in home()) {
        let first = home.map();
        home.existing = after(&first, home.existing);
        let again = home.map();
        prop_assert_eq!(rows(&first).collect::<Vec<_>>(), rows(&again).collect::<Vec<_>>());
        for (before, after) in first.sessions.iter().zip(&again.sessions) {
            let expected = match before.outcome.bucket {
                Bucket::Migrated => Bucket::AlreadyPresent,
                other => other,
            };
            prop_assert_eq!(after.outcome.bucket, expected, "{}", &after.id);
            prop_assert_eq!(&before.arrival, &after.arrival);
        }
        prop_assert!(again.projects.iter().all(|project| project.outcome.bucket != Bucket::Migrated));
    }

    #[test]
    fn at_most_one_orchestrator_of_a_project_is_resumed_in_its_worktree(home in home()) {
        let mapped = home.map();
        let mut paths = BTreeSet::new();
        for arrival in mapped.sessions.iter().filter_map(|session| session.arrival.as_ref()) {
            if let Some(row) = &arrival.worktree_row {
                prop_assert!(paths.insert(row.worktree_path.clone()), "{} is shared", row.worktree_path);
                prop_assert_eq!(row.worktree_path.as_str(), arrival.row.workspace_path.as_str());
            }
        }
    }
}
