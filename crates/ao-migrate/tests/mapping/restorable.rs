//! Whether and how a session can be resumed in its new home (formats/ao.md §8.3, §8.4).

use ao_migrate::mapping::{Arrival, Hindrance, Mapped};
use legacy_readers::ao::SessionRecord;
use session_model::{ActivityState, SessionKind};

use crate::home::{Home, arrival, codes, in_state, text};

fn claude(record: &mut SessionRecord) {
    in_state("working")(record);
    record.agent = text("claude-code");
    record.claude_session_uuid = text("0b1f5a3e");
    record.branch = text("feat/tax");
    record.worktree = text("/wt/led-1");
}

fn only(restorable: bool, edit: impl FnOnce(&mut SessionRecord)) -> Arrival {
    let home = Home { restorable, ..Home::with_ledger().session("ledger", "led-1", edit) };
    arrival(&home.map(), "led-1")
}

#[test]
fn the_default_row_is_listed_as_live_and_says_that_it_cannot_be_resumed() {
    let arrival = only(false, claude);
    assert!(!arrival.row.is_terminated);
    assert_eq!(arrival.row.workspace_path, "/wt/led-1");
    assert_eq!(arrival.worktree_row, None);
    assert_eq!(arrival.hindrances, [Hindrance::ListedAsLive]);
    assert!(arrival.hindrances[0].to_string().contains("--restorable"));
}

#[test]
fn a_restorable_row_differs_in_three_columns_and_has_a_worktree() {
    let (default, restorable) = (only(false, claude), only(true, claude));
    let mut expected = default.row;
    expected.is_terminated = true;
    expected.activity_state = ActivityState::Exited;
    expected.workspace_path = "/data/worktrees/ledger/led-1".into();
    assert_eq!(restorable.row, expected);
    assert_eq!(restorable.legacy_worktree, "/wt/led-1");
    assert_eq!(restorable.hindrances, []);
    insta::assert_json_snapshot!(restorable.worktree_row, @r#"
    {
      "session_id": "led-1",
      "repo_name": "__root__",
      "branch": "feat/tax",
      "base_sha": "",
      "worktree_path": "/data/worktrees/ledger/led-1",
      "preserved_ref": "",
      "state": "active"
    }
    "#);
}

#[test]
fn each_thing_that_the_daemon_lacks_is_named() {
    let lacking = |edit: fn(&mut SessionRecord)| {
        only(true, |record| {
            claude(record);
            edit(record);
        })
        .hindrances
    };
    assert_eq!(lacking(|record| record.branch = text("")), [Hindrance::NoBranch]);
    assert_eq!(lacking(|record| record.claude_session_uuid = text("")), [Hindrance::NoAgentSessionId]);
    assert_eq!(
        lacking(|record| record.agent = text("hal")),
        [Hindrance::NoAgent, Hindrance::NoAgentSessionId]
    );
}

fn orchestrators(home: Home) -> Mapped {
    let orchestrator = |record: &mut SessionRecord| {
        claude(record);
        record.role = text("orchestrator");
    };
    home.session("ledger", "led-orchestrator-9", orchestrator)
        .session("ledger", "led-orchestrator-2", orchestrator)
        .session("ledger", "led-1", claude)
        .map()
}

#[test]
fn only_the_orchestrator_that_the_daemon_picks_gets_the_worktree_that_all_share() {
    let mapped = orchestrators(Home { restorable: true, ..Home::with_ledger() });
    let (second, first) = (arrival(&mapped, "led-orchestrator-9"), arrival(&mapped, "led-orchestrator-2"));
    assert_eq!(first.row.kind, SessionKind::Orchestrator);
    assert_eq!(first.managed_path, second.managed_path);
    assert_eq!(first.hindrances, []);
    assert!(first.worktree_row.is_some());
    assert_eq!(second.hindrances, [Hindrance::SharesWorktree("led-orchestrator-2".into())]);
    assert_eq!(second.worktree_row, None);
    assert_eq!(second.row.workspace_path, "/wt/led-1");
    assert!(second.row.is_terminated, "a live one would be picked instead of the first");
    assert_eq!(codes(&mapped.sessions[0].findings), ["second-orchestrator"]);
    assert_eq!(codes(&mapped.sessions[1].findings), Vec::<&str>::new());
}

#[test]
fn an_orchestrator_that_the_daemon_already_has_comes_first() {
    let mut home = Home { restorable: true, ..Home::with_ledger() };
    let theirs =
        Home::with_ledger().session("ledger", "ledger-1", |record| record.role = text("orchestrator"));
    home.existing = crate::home::after(&theirs.map(), home.existing);
    let mapped = orchestrators(home);
    let ours = arrival(&mapped, "led-orchestrator-2");
    assert_eq!(ours.hindrances, [Hindrance::SharesWorktree("ledger-1".into())]);
}

#[test]
fn an_orchestrator_that_cannot_go_in_keeps_no_other_from_being_resumed() {
    let mut home = Home { restorable: true, ..Home::with_ledger() };
    let theirs = Home::new().project("books", |_| {}).session("books", "led-orchestrator-1", |_| {});
    home.existing = crate::home::after(&theirs.map(), home.existing);
    let mapped = orchestrators(home.session("ledger", "led-orchestrator-1", |record| {
        record.role = text("orchestrator");
    }));
    assert_eq!(arrival(&mapped, "led-orchestrator-2").hindrances, []);
}

#[test]
fn the_command_resumes_the_session_where_the_daemon_would() {
    let command = |agent: &str, id: &str| {
        only(false, |record| {
            record.agent = text(agent);
            record.claude_session_uuid = text(id);
            record.codex_thread_id = text(id);
            record.opencode_session_id = text(id);
        })
        .resume
    };
    let after_cd = |words: &str| Some(format!("cd /data/worktrees/ledger/led-1 && {words}"));
    assert_eq!(command("claude-code", "0b1f"), after_cd("claude --resume 0b1f"));
    assert_eq!(command("codex", "0b1f"), after_cd("codex resume 0b1f"));
    assert_eq!(command("opencode", "ses_k1m"), after_cd("opencode --session ses_k1m"));
    assert_eq!(command("aider", "0b1f"), None);
    assert_eq!(command("codex", ""), None);
    assert_eq!(command("codex", "x; rm 'a'"), after_cd(r"codex resume 'x; rm '\''a'\'''"));
    assert_eq!(command("codex", "--yolo"), None);
    assert_eq!(command("codex", "a\nb"), None);
    assert_eq!(command("claude-code", "../../evil"), None);
}

#[test]
fn paths_are_resolved_and_quoted() {
    let home = Home::with_ledger().session("ledger", "led-1", claude);
    let survey = session_model::Survey { found: home.legacy, ..session_model::Survey::default() };
    let settings = ao_migrate::mapping::Settings {
        schema: 12,
        restorable: true,
        selected: None,
        worktrees: "/link/worktrees".into(),
        resolve: &|path| camino::Utf8PathBuf::from(path.as_str().replace("/link", "/Kim's disk")),
    };
    let mapped = ao_migrate::mapping::map(&survey, &home.existing, &settings);
    let arrival = arrival(&mapped, "led-1");
    assert_eq!(arrival.row.workspace_path, "/Kim's disk/worktrees/ledger/led-1");
    assert_eq!(
        arrival.resume.as_deref(),
        Some(r"cd '/Kim'\''s disk/worktrees/ledger/led-1' && claude --resume 0b1f5a3e")
    );
}
