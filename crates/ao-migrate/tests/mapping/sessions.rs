//! Session files become rows of `sessions`.

use std::sync::Arc;

use legacy_readers::ao::{Content, Field, Lifecycle, Owner, SessionRecord, Skip};
use session_model::{ActivityState, Harness, SessionKind};

use crate::home::{
    Home, MTIME, anomaly, arrival, bucket, buckets, codes, in_state, lifecycle, message, text, unknown,
};

fn row(edit: impl FnOnce(&mut SessionRecord)) -> ao_migrate::mapping::SessionRow {
    arrival(&Home::with_ledger().session("ledger", "led-1", edit).map(), "led-1").row
}

fn outcome(edit: impl FnOnce(&mut SessionRecord)) -> String {
    bucket(&Home::with_ledger().session("ledger", "led-1", edit).first_session().outcome)
}

fn findings(edit: impl FnOnce(&mut SessionRecord)) -> Vec<session_model::Finding> {
    Home::with_ledger().session("ledger", "led-1", edit).first_session().findings
}

fn claude_worker(record: &mut SessionRecord) {
    record.issue = text("INT-42");
    record.branch = text("feat/tax");
    record.user_prompt = text("Größe prüfen\n\n- eins\t😀");
    record.display_name = text("Tax ✦");
    record.worktree = text("/wt/led-1");
    record.agent = text("claude-code");
    record.claude_session_uuid = text("0b1f5a3e");
    record.lifecycle = Some(Lifecycle {
        kind: text("worker"),
        last_transition_at: text("2026-02-03T10:15:00.9999+02:00"),
        ..lifecycle("working")
    });
}

#[test]
fn everything_that_a_claude_worker_has_arrives() {
    insta::assert_json_snapshot!(row(claude_worker), @r#"
    {
      "id": "led-1",
      "project_id": "ledger",
      "num": 1,
      "issue_id": "INT-42",
      "kind": "worker",
      "harness": "claude-code",
      "activity_state": "active",
      "activity_last_at": "2026-02-03T08:15:00.999Z",
      "is_terminated": false,
      "branch": "feat/tax",
      "workspace_path": "/wt/led-1",
      "runtime_handle_id": "",
      "agent_session_id": "0b1f5a3e",
      "prompt": "Größe prüfen\n\n- eins\t😀",
      "created_at": "2026-01-10T10:00:00.000Z",
      "updated_at": "2026-02-03T08:15:00.999Z",
      "display_name": "Tax ✦",
      "first_signal_at": "2026-02-03T08:15:00.999Z"
    }
    "#);
    assert_eq!(codes(&findings(claude_worker)), Vec::<&str>::new());
}

#[test]
fn a_state_says_what_the_session_was_doing_or_that_it_has_ended() {
    for (state, expected) in [
        ("not_started", ActivityState::Idle),
        ("working", ActivityState::Active),
        ("idle", ActivityState::Idle),
        ("needs_input", ActivityState::WaitingInput),
        ("stuck", ActivityState::Idle),
        ("detecting", ActivityState::Idle),
        ("Working", ActivityState::Idle),
    ] {
        assert_eq!(row(in_state(state)).activity_state, expected, "{state}");
        let is_unknown = codes(&findings(in_state(state))).contains(&"state-unknown");
        assert_eq!(is_unknown, state == "Working", "{state}");
    }
    assert_eq!(outcome(in_state("done")), "skipped(terminal)");
    assert_eq!(outcome(in_state("terminated")), "skipped(terminal)");
}

#[test]
fn a_time_of_termination_ends_a_session_that_says_it_works() {
    let ended = |at: Field| {
        outcome(move |record| {
            record.lifecycle = Some(Lifecycle { terminated_at: at, ..lifecycle("working") });
        })
    };
    assert_eq!(ended(text("2026-01-12T00:00:00Z")), "skipped(terminal)");
    assert_eq!(ended(text("rubbish")), "skipped(terminal)");
    assert_eq!(ended(Field::Absent), "migrated");
}

#[test]
fn without_a_lifecycle_only_the_status_tells_the_dead_from_the_living() {
    for dead in ["killed", "terminated", "cleanup", "errored", "done"] {
        assert_eq!(outcome(|record| record.status = text(dead)), "skipped(terminal-status)", "{dead}");
    }
    for live in ["spawning", "working", "merged", "idle", "needs_input", "stuck", "pr_open", "whatever", ""] {
        let row = row(|record| record.status = text(live));
        assert_eq!(row.activity_state, ActivityState::Idle, "{live}");
    }
    let both = |record: &mut SessionRecord| {
        record.status = text("killed");
        record.lifecycle = Some(lifecycle("working"));
    };
    assert_eq!(outcome(both), "migrated", "a lifecycle outranks the status");
}

#[test]
fn a_session_is_resumed_by_its_own_agents_id_only() {
    let all = |agent: &str| {
        let agent = text(agent);
        move |record: &mut SessionRecord| {
            record.agent = agent;
            record.claude_session_uuid = text("c1");
            record.codex_thread_id = text("x1");
            record.opencode_session_id = text("ses_1");
        }
    };
    for (agent, id) in
        [("claude-code", "c1"), ("codex", "x1"), ("opencode", "ses_1"), ("aider", ""), ("hal", "")]
    {
        assert_eq!(row(all(agent)).agent_session_id, id, "{agent}");
    }
    assert_eq!(codes(&findings(all("codex"))), ["other-agent-id-ignored", "other-agent-id-ignored"],);
    let without = |record: &mut SessionRecord| {
        record.agent = text("codex");
        record.worktree = text("/wt");
        record.claude_session_uuid = text("c1");
    };
    assert_eq!(row(without).agent_session_id, "");
    assert_eq!(codes(&findings(without)), ["other-agent-id-ignored", "agent-session-id-missing"]);
}

#[test]
fn an_agent_that_the_database_might_refuse_is_written_as_none() {
    for (agent, harness) in [("aider", Some(Harness::Aider)), ("Codex", None), ("grok", None), ("", None)] {
        assert_eq!(row(|record| record.agent = text(agent)).harness, harness, "{agent}");
    }
    assert!(codes(&findings(|record| record.agent = text("grok"))).contains(&"agent-unknown"));
    assert!(codes(&findings(|_| {})).contains(&"agent-unknown"));
    let values = row(|record| record.agent = text("grok")).values();
    assert_eq!(values[5], "");
}

#[test]
fn every_time_falls_back_to_the_next_source_and_last_to_the_file() {
    let times = |edit: fn(&mut SessionRecord, &mut Lifecycle)| {
        let row = row(|record| {
            let mut lifecycle = Lifecycle::default();
            record.created_at = Field::Absent;
            edit(record, &mut lifecycle);
            record.lifecycle = Some(lifecycle);
        });
        assert_eq!(row.first_signal_at.as_ref(), Some(&row.activity_last_at));
        [row.created_at, row.updated_at, row.activity_last_at]
    };
    let (at1, at2) = ("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z");
    assert_eq!(times(|_, _| {}), [MTIME; 3]);
    assert_eq!(times(|_, life| life.started_at = text("2026-01-01T00:00:00Z")), [at1; 3]);
    assert_eq!(
        times(|record, life| {
            record.created_at = text("1767225600");
            life.started_at = text("2026-01-01T01:00:00+01:00");
        }),
        [at1; 3]
    );
    assert_eq!(
        times(|record, life| {
            record.created_at = text("2026-01-01 00:00:00");
            life.last_transition_at = text("2026-01-02T00:00:00Z");
            life.runtime_last_observed_at = text("2026-01-03T00:00:00Z");
        }),
        [at1, at2, at2]
    );
    assert_eq!(
        times(|record, life| {
            record.created_at = text("2026-01-01T00:00:00Z");
            life.last_transition_at = Field::NotText;
            life.runtime_last_observed_at = text("2026-01-02T00:00:00Z");
        }),
        [at1, at1, at2]
    );
    assert_eq!(times(|record, _| record.created_at = text("0000-01-01T00:00:00+02:00")), [MTIME; 3]);
}

#[test]
fn a_time_that_is_not_used_as_written_is_reported() {
    let created = |at: &str| findings(|record| record.created_at = text(at));
    assert_eq!(
        message(&created("yesterday"), "time-invalid"),
        "`createdAt` is not an RFC 3339 time: the next source is used"
    );
    assert!(codes(&created("yesterday")).contains(&"time-from-file"));
    assert!(codes(&created("2026-01-01T00:00:00")).contains(&"time-without-offset"));
    assert!(!codes(&created("2026-01-01T00:00:00Z")).iter().any(|code| code.starts_with("time")));
}

#[test]
fn an_orchestrator_is_known_by_role_or_kind_or_name() {
    let kind = |id: &str, edit: fn(&mut SessionRecord)| {
        arrival(&Home::with_ledger().session("ledger", id, edit).map(), id).row.kind
    };
    assert_eq!(kind("led-1", |_| {}), SessionKind::Worker);
    assert_eq!(kind("led-1", |record| record.role = text("orchestrator")), SessionKind::Orchestrator);
    let by_kind = |record: &mut SessionRecord| {
        record.lifecycle = Some(Lifecycle { kind: text("orchestrator"), ..lifecycle("idle") });
    };
    assert_eq!(kind("led-1", by_kind), SessionKind::Orchestrator);
    assert_eq!(kind("led-orchestrator", |_| {}), SessionKind::Orchestrator);
    assert_eq!(kind("led-orchestrator-2", |_| {}), SessionKind::Worker);
    assert_eq!(kind("ledger-orchestrator", |_| {}), SessionKind::Worker);
}

#[test]
fn what_is_no_text_is_left_empty_and_named() {
    let edit = |record: &mut SessionRecord| {
        record.branch = Field::NotText;
        record.user_prompt = Field::NotText;
    };
    assert_eq!((row(edit).branch, row(edit).prompt), (String::new(), String::new()));
    assert!(message(&findings(edit), "value-not-text").ends_with(": branch, userPrompt"));
}

#[test]
fn keys_without_a_place_are_named_but_never_their_values() {
    let findings = findings(|record| {
        record.codex_model = text("secret-model");
        record.restore_fallback_reason = text("secret-reason");
        record.unknown_keys = vec!["mood".into()];
        record.user_prompt = text("secret-prompt");
        record.agent = text("secret-agent");
        record.created_at = text("secret-time");
        record.lifecycle = Some(lifecycle("secret-state"));
        record.mended = true;
    });
    assert!(message(&findings, "keys-dropped").ends_with(": codexModel, restoreFallbackReason"));
    assert!(message(&findings, "unknown-keys").ends_with(": mood"));
    assert!(codes(&findings).contains(&"text-mended"));
    assert!(findings.iter().all(|finding| !finding.message.contains("secret")), "{findings:?}");
}

#[test]
fn a_record_with_nothing_to_go_on_is_pointed_out() {
    assert!(codes(&findings(|_| {})).contains(&"empty-record"));
    assert!(!codes(&findings(|record| record.user_prompt = text("x"))).contains(&"empty-record"));
}

#[test]
fn each_file_that_is_no_live_session_says_why() {
    let quarantined = |code| Content::Quarantined(anomaly(code, 4));
    let home = Home::with_ledger()
        .content("ledger", "led-1", Content::Skipped(Skip::ReservedEmpty))
        .content("ledger", "led-1.lock", Content::Skipped(Skip::SideFile))
        .content("ledger", "led-2", quarantined("parse-error"))
        .content("ledger", "led-3", quarantined("bad-lifecycle"))
        .file(unknown("gone"), "gone-1", Content::Record(Box::default()))
        .file(unknown("gone"), "gone-1.lock", Content::Skipped(Skip::SideFile))
        .file(Owner::Ambiguous(Arc::from(["a".into(), "b".into()])), "x-1", Content::Record(Box::default()));
    let mapped = home.map();
    assert_eq!(
        buckets(&mapped),
        [
            "skipped(reserved-empty)",
            "skipped(side-file)",
            "quarantined(parse-error)",
            "quarantined(bad-lifecycle)",
            "quarantined(unknown-project)",
            "skipped(side-file)",
            "quarantined(ambiguous-owner)",
        ]
    );
    assert!(mapped.sessions[2].outcome.detail.as_ref().unwrap().contains(":4"));
}

#[test]
fn a_folder_that_cannot_be_listed_is_passed_over_only_if_nothing_asked_for_can_be_in_it() {
    let unlisted = || Content::Unlisted(anomaly("unreadable", 1));
    let all = Owner::Ambiguous(Arc::from(["ledger".into(), "books".into()]));
    let mut home = Home::with_ledger()
        .content("ledger", "sessions", unlisted())
        .content("books", "sessions", unlisted())
        .file(all, "projects", unlisted())
        .file(Owner::Ambiguous(Arc::from([])), "projects", unlisted());
    assert_eq!(buckets(&home.map()), ["quarantined(unreadable)"; 4]);
    home.selected = Some(vec!["ledger"]);
    let (counted, other) = ("quarantined(unreadable)", "skipped(not-selected)");
    assert_eq!(buckets(&home.map()), [counted, other, counted, other]);
}

#[test]
fn the_first_readable_copy_of_an_id_decides_even_when_it_has_ended() {
    let home = Home::with_ledger()
        .content("ledger", "led-1", Content::Quarantined(anomaly("parse-error", 1)))
        .session("ledger", "led-1", in_state("done"))
        .session("ledger", "led-1", in_state("working"))
        .session("ledger", "led-2", in_state("working"))
        .session("ledger", "led-2", in_state("done"));
    assert_eq!(
        buckets(&home.map()),
        [
            "quarantined(parse-error)",
            "skipped(terminal)",
            "skipped(duplicate)",
            "migrated",
            "skipped(duplicate)"
        ]
    );
}

#[test]
fn a_stand_alone_orchestrator_counts_only_without_another() {
    let home = Home::with_ledger().session("ledger", "led-orchestrator", |_| {});
    assert_eq!(buckets(&home.map()), ["migrated"]);
    let home = home.session("ledger", "led-orchestrator", |_| {});
    assert_eq!(buckets(&home.map()), ["migrated", "skipped(duplicate)"]);
    let home = Home::with_ledger().session("ledger", "l/../d-orchestrator", |_| {});
    assert_eq!(buckets(&home.map()), ["quarantined(invalid-session-id)"]);
}

#[test]
fn only_the_projects_that_were_asked_for_are_touched() {
    let mut home = Home::with_ledger()
        .project("books", |_| {})
        .session("ledger", "led-1", |_| {})
        .session("books", "boo-1", |_| {})
        .content("books", "boo-1.lock", Content::Skipped(Skip::SideFile))
        .file(unknown("gone"), "gone-1", Content::Record(Box::default()))
        .file(
            Owner::Ambiguous(Arc::from(["books".into(), "x".into()])),
            "a-1",
            Content::Record(Box::default()),
        )
        .file(
            Owner::Ambiguous(Arc::from(["books".into(), "ledger".into()])),
            "b-1",
            Content::Record(Box::default()),
        );
    home.selected = Some(vec!["ledger"]);
    let mapped = home.map();
    let other = "skipped(not-selected)";
    assert_eq!(buckets(&mapped), ["migrated", other, other, other, other, "quarantined(ambiguous-owner)"]);
    assert_eq!(bucket(&mapped.projects[1].outcome), other);
}

#[test]
fn an_id_that_the_daemon_may_give_to_another_project_is_pointed_out() {
    let home = Home::with_ledger()
        .project("led", |entry| entry.path = "/src/led".into())
        .session("ledger", "led-7", |_| {})
        .session("ledger", "ledger-7", |_| {})
        .session("ledger", "led-", |_| {})
        .session("ledger", "led7", |_| {});
    let mapped = home.map();
    let warned: Vec<bool> = mapped
        .sessions
        .iter()
        .map(|session| codes(&session.findings).contains(&"id-of-other-project"))
        .collect();
    assert_eq!(warned, [true, false, false, false]);
}
