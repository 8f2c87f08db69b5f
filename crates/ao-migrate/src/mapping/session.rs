//! A record's row, without what depends on the others of its project (formats/ao.md §4, §6).

use legacy_readers::ao::{Field, Lifecycle, SessionRecord};
use session_model::{ActivityState, Finding, Harness, LifecycleState, SessionKind};

use super::candidates::Candidate;
use super::rows::SessionRow;
use super::times;

/// The agents that the issue names; the daemon would accept more names, but the old orchestrator had no other.
const CARRIED: [Harness; 4] = [Harness::ClaudeCode, Harness::Codex, Harness::Aider, Harness::OpenCode];

/// A row with the default of formats/ao.md §8.4, its number still to be given.
pub(super) fn row(candidate: &Candidate<'_>, findings: &mut Vec<Finding>) -> SessionRow {
    let record = candidate.record;
    let times = Times::of(candidate, findings);
    let harness = harness(&record.agent, findings);
    let text = |field: &Field| field.text().to_owned();
    let row = SessionRow {
        id: candidate.file.id.clone(),
        project_id: candidate.project.to_owned(),
        num: 0,
        issue_id: text(&record.issue),
        kind: kind(candidate),
        harness,
        activity_state: activity_state(record.lifecycle.as_ref(), findings),
        first_signal_at: Some(times.active.clone()),
        activity_last_at: times.active,
        is_terminated: false,
        branch: text(&record.branch),
        workspace_path: text(&record.worktree),
        runtime_handle_id: String::new(),
        agent_session_id: agent_session_id(record, harness, findings),
        prompt: text(&record.user_prompt),
        created_at: times.created,
        updated_at: times.changed,
        display_name: text(&record.display_name),
    };
    note_losses(record, &row, findings);
    row
}

struct Times {
    created: String,
    changed: String,
    active: String,
}

impl Times {
    fn of(candidate: &Candidate<'_>, findings: &mut Vec<Finding>) -> Self {
        let none = Lifecycle::default();
        let lifecycle = candidate.record.lifecycle.as_ref().unwrap_or(&none);
        let created = times::of_field("createdAt", &candidate.record.created_at, findings)
            .or_else(|| times::of_field("session.startedAt", &lifecycle.started_at, findings))
            .unwrap_or_else(|| times::of_file("time of creation", candidate.file.mtime, findings));
        let changed = times::of_field("session.lastTransitionAt", &lifecycle.last_transition_at, findings);
        let active = changed.clone().or_else(|| {
            times::of_field("runtime.lastObservedAt", &lifecycle.runtime_last_observed_at, findings)
        });
        Self {
            active: active.unwrap_or_else(|| created.clone()),
            changed: changed.unwrap_or_else(|| created.clone()),
            created,
        }
    }
}

fn kind(candidate: &Candidate<'_>) -> SessionKind {
    let record = candidate.record;
    let says = |field: &Field| field.text() == SessionKind::Orchestrator.as_str();
    let is_orchestrator = says(&record.role)
        || record.lifecycle.as_ref().is_some_and(|lifecycle| says(&lifecycle.kind))
        || candidate.file.id == candidate.home.orchestrator;
    if is_orchestrator { SessionKind::Orchestrator } else { SessionKind::Worker }
}

fn harness(agent: &Field, findings: &mut Vec<Finding>) -> Option<Harness> {
    let harness = agent.text().parse().ok().filter(|harness| CARRIED.contains(harness));
    if harness.is_none() {
        let message = match agent {
            Field::Absent => "`agent` is missing",
            Field::Text(_) | Field::NotText => "`agent` names none that is carried",
        };
        findings.push(Finding::warning("agent-unknown", format!("{message}: the session has none")));
    }
    harness
}

fn activity_state(lifecycle: Option<&Lifecycle>, findings: &mut Vec<Finding>) -> ActivityState {
    let state = lifecycle.map_or(&Field::Absent, |lifecycle| &lifecycle.state);
    match state.text().parse() {
        Ok(LifecycleState::Working) => ActivityState::Active,
        Ok(LifecycleState::NeedsInput) => ActivityState::WaitingInput,
        Ok(_) => ActivityState::Idle,
        Err(()) => {
            if !state.is_absent() {
                let message = "`session.state` is none that is known: the session is idle";
                findings.push(Finding::warning("state-unknown", message));
            }
            ActivityState::Idle
        }
    }
}

/// The id by which its own agent resumes the session. Ids of other agents are not used.
fn agent_session_id(record: &SessionRecord, harness: Option<Harness>, findings: &mut Vec<Finding>) -> String {
    let ids = [
        (Harness::ClaudeCode, "claudeSessionUuid", &record.claude_session_uuid),
        (Harness::Codex, "codexThreadId", &record.codex_thread_id),
        (Harness::OpenCode, "opencodeSessionId", &record.opencode_session_id),
    ];
    for (of, key, id) in ids {
        if Some(of) != harness && !id.text().is_empty() {
            let message = format!("`{key}` belongs to another agent than the session's: it is not used");
            findings.push(Finding::note("other-agent-id-ignored", message));
        }
    }
    let Some((_, key, id)) = ids.into_iter().find(|(of, _, _)| Some(*of) == harness) else {
        return String::new();
    };
    if id.text().is_empty() {
        let message = format!("`{key}` is missing: the agent cannot resume the session");
        findings.push(Finding::warning("agent-session-id-missing", message));
    }
    id.text().to_owned()
}

/// Says what of a record is not in its row.
fn note_losses(record: &SessionRecord, row: &SessionRow, findings: &mut Vec<Finding>) {
    let not_text = keys(&text_fields(record), Field::is_not_text);
    if !not_text.is_empty() {
        let message = format!("not text, so left empty: {not_text}");
        findings.push(Finding::warning("value-not-text", message));
    }
    let dropped =
        [("codexModel", &record.codex_model), ("restoreFallbackReason", &record.restore_fallback_reason)];
    let dropped = keys(&dropped, |field| !field.is_absent());
    if !dropped.is_empty() {
        findings.push(Finding::note("keys-dropped", format!("the daemon has no place for: {dropped}")));
    }
    if !record.unknown_keys.is_empty() {
        let message = format!("unknown keys, dropped: {}", record.unknown_keys.join(", "));
        findings.push(Finding::note("unknown-keys", message));
    }
    if record.mended {
        let message = "text held halves of characters: each became the replacement character";
        findings.push(Finding::warning("text-mended", message));
    }
    if row.workspace_path.is_empty() && row.prompt.is_empty() && row.agent_session_id.is_empty() {
        let message = "it has no worktree, no prompt and no id to resume: there is little to go on with";
        findings.push(Finding::warning("empty-record", message));
    }
}

fn text_fields(record: &SessionRecord) -> [(&'static str, &Field); 8] {
    [
        ("issue", &record.issue),
        ("branch", &record.branch),
        ("userPrompt", &record.user_prompt),
        ("displayName", &record.display_name),
        ("worktree", &record.worktree),
        ("claudeSessionUuid", &record.claude_session_uuid),
        ("codexThreadId", &record.codex_thread_id),
        ("opencodeSessionId", &record.opencode_session_id),
    ]
}

fn keys(fields: &[(&str, &Field)], holds: impl Fn(&Field) -> bool) -> String {
    let keys = fields.iter().filter(|(_, field)| holds(field)).map(|(key, _)| *key);
    keys.collect::<Vec<_>>().join(", ")
}
