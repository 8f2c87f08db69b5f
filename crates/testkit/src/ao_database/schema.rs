//! The daemon's tables at schema 12 and what later versions add (formats/ao.md §7, §11).

/// Tables, indexes and triggers of version 12; goose's own table comes first, as goose makes it.
pub(super) const VERSION_12: &str = r"
CREATE TABLE goose_db_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id INTEGER NOT NULL,
    is_applied INTEGER NOT NULL,
    tstamp TIMESTAMP DEFAULT (datetime('now'))
);

CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    repo_origin_url TEXT NOT NULL DEFAULT '',
    display_name TEXT NOT NULL DEFAULT '',
    registered_at TIMESTAMP NOT NULL,
    archived_at TIMESTAMP,
    config TEXT,
    kind TEXT NOT NULL DEFAULT 'single_repo' CHECK (kind IN ('single_repo', 'workspace'))
);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    num INTEGER NOT NULL,
    issue_id TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT 'worker' CHECK (kind IN ('worker', 'orchestrator')),
    harness TEXT NOT NULL DEFAULT '' CHECK (harness IN (
        '', 'claude-code', 'codex', 'aider', 'opencode', 'grok', 'droid', 'amp', 'agy', 'crush', 'cursor', 'qwen',
        'copilot', 'goose', 'auggie', 'continue', 'devin', 'cline', 'kimi', 'kiro', 'kilocode', 'vibe', 'pi', 'autohand'
    )),
    activity_state TEXT NOT NULL DEFAULT 'idle'
        CHECK (activity_state IN ('active', 'idle', 'waiting_input', 'blocked', 'exited')),
    activity_last_at TIMESTAMP NOT NULL,
    is_terminated BOOLEAN NOT NULL DEFAULT FALSE,
    branch TEXT NOT NULL DEFAULT '',
    workspace_path TEXT NOT NULL DEFAULT '',
    runtime_handle_id TEXT NOT NULL DEFAULT '',
    agent_session_id TEXT NOT NULL DEFAULT '',
    prompt TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    display_name TEXT NOT NULL DEFAULT '',
    first_signal_at TIMESTAMP,
    UNIQUE (project_id, num)
);
CREATE INDEX idx_sessions_project ON sessions (project_id);

CREATE TABLE change_log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id TEXT NOT NULL REFERENCES projects (id),
    session_id TEXT REFERENCES sessions (id),
    event_type TEXT NOT NULL CHECK (event_type IN (
        'session_created', 'session_updated', 'pr_created', 'pr_updated', 'pr_check_recorded', 'pr_session_changed',
        'pr_review_thread_added', 'pr_review_thread_resolved'
    )),
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    created_at TIMESTAMP NOT NULL DEFAULT (datetime('now'))
);
CREATE INDEX idx_change_log_project ON change_log (project_id, seq);

CREATE TABLE pr (
    url TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    number INTEGER NOT NULL DEFAULT 0,
    pr_state TEXT NOT NULL DEFAULT 'open' CHECK (pr_state IN ('draft', 'open', 'merged', 'closed')),
    review_decision TEXT NOT NULL DEFAULT 'none'
        CHECK (review_decision IN ('none', 'approved', 'changes_requested', 'review_required')),
    ci_state TEXT NOT NULL DEFAULT 'unknown' CHECK (ci_state IN ('unknown', 'pending', 'passing', 'failing')),
    mergeability TEXT NOT NULL DEFAULT 'unknown'
        CHECK (mergeability IN ('unknown', 'mergeable', 'conflicting', 'blocked', 'unstable')),
    updated_at TIMESTAMP NOT NULL,
    provider TEXT NOT NULL DEFAULT '',
    host TEXT NOT NULL DEFAULT '',
    repo TEXT NOT NULL DEFAULT '',
    source_branch TEXT NOT NULL DEFAULT '',
    target_branch TEXT NOT NULL DEFAULT '',
    head_sha TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL DEFAULT '',
    additions INTEGER NOT NULL DEFAULT 0,
    deletions INTEGER NOT NULL DEFAULT 0,
    changed_files INTEGER NOT NULL DEFAULT 0,
    author TEXT NOT NULL DEFAULT '',
    base_sha TEXT NOT NULL DEFAULT '',
    merge_commit_sha TEXT NOT NULL DEFAULT '',
    is_draft INTEGER NOT NULL DEFAULT 0,
    is_merged INTEGER NOT NULL DEFAULT 0,
    is_closed INTEGER NOT NULL DEFAULT 0,
    provider_state TEXT NOT NULL DEFAULT '',
    provider_mergeable TEXT NOT NULL DEFAULT '',
    provider_merge_state_status TEXT NOT NULL DEFAULT '',
    html_url TEXT NOT NULL DEFAULT '',
    created_at_provider TIMESTAMP,
    updated_at_provider TIMESTAMP,
    merged_at_provider TIMESTAMP,
    closed_at_provider TIMESTAMP,
    metadata_hash TEXT NOT NULL DEFAULT '',
    ci_hash TEXT NOT NULL DEFAULT '',
    review_hash TEXT NOT NULL DEFAULT '',
    observed_at TIMESTAMP,
    ci_observed_at TIMESTAMP,
    review_observed_at TIMESTAMP,
    last_nudge_signature TEXT NOT NULL DEFAULT ''
);
CREATE INDEX idx_pr_session ON pr (session_id);

CREATE TABLE pr_checks (
    pr_url TEXT NOT NULL REFERENCES pr (url) ON DELETE CASCADE,
    name TEXT NOT NULL,
    commit_hash TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'unknown'
        CHECK (status IN ('unknown', 'queued', 'in_progress', 'passed', 'failed', 'skipped', 'cancelled')),
    url TEXT NOT NULL DEFAULT '',
    log_tail TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL,
    conclusion TEXT NOT NULL DEFAULT '',
    details TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (pr_url, name, commit_hash)
);
CREATE INDEX idx_pr_checks_lookup ON pr_checks (pr_url, name, created_at);

CREATE TABLE pr_comment (
    pr_url TEXT NOT NULL REFERENCES pr (url) ON DELETE CASCADE,
    comment_id TEXT NOT NULL,
    author TEXT NOT NULL DEFAULT '',
    file TEXT NOT NULL DEFAULT '',
    line INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL DEFAULT '',
    resolved INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL,
    thread_id TEXT NOT NULL DEFAULT '',
    url TEXT NOT NULL DEFAULT '',
    is_bot INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (pr_url, comment_id)
);

CREATE TABLE pr_review_threads (
    pr_url TEXT NOT NULL REFERENCES pr (url) ON DELETE CASCADE,
    thread_id TEXT NOT NULL,
    path TEXT NOT NULL DEFAULT '',
    line INTEGER NOT NULL DEFAULT 0,
    resolved INTEGER NOT NULL DEFAULT 0,
    is_bot INTEGER NOT NULL DEFAULT 0,
    semantic_hash TEXT NOT NULL DEFAULT '',
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (pr_url, thread_id)
);
CREATE INDEX idx_pr_review_threads_lookup ON pr_review_threads (pr_url, updated_at);

CREATE TABLE workspace_repos (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    relative_path TEXT NOT NULL,
    repo_origin_url TEXT NOT NULL DEFAULT '',
    registered_at TIMESTAMP NOT NULL,
    PRIMARY KEY (project_id, name),
    UNIQUE (project_id, relative_path)
);

CREATE TABLE session_worktrees (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    repo_name TEXT NOT NULL,
    branch TEXT NOT NULL,
    base_sha TEXT NOT NULL,
    worktree_path TEXT NOT NULL,
    preserved_ref TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'active'
        CHECK (state IN ('active', 'removed', 'retry_remove', 'unavailable', 'stray_moved')),
    PRIMARY KEY (session_id, repo_name)
);
CREATE INDEX idx_session_worktrees_session ON session_worktrees (session_id);

CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    type TEXT NOT NULL CHECK (type IN ('needs_input', 'ready_to_merge', 'pr_merged', 'pr_closed_unmerged')),
    title TEXT NOT NULL,
    pr_url TEXT NOT NULL DEFAULT '',
    body TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'unread' CHECK (status IN ('unread', 'read')),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX idx_notifications_status ON notifications (status, created_at DESC);
CREATE UNIQUE INDEX idx_notifications_unread_dedupe ON notifications (session_id, type, pr_url)
    WHERE status = 'unread';

CREATE TABLE review (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL REFERENCES projects (id),
    harness TEXT NOT NULL,
    pr_url TEXT NOT NULL DEFAULT '',
    reviewer_handle_id TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE review_run (
    id TEXT PRIMARY KEY,
    review_id TEXT NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    harness TEXT NOT NULL,
    pr_url TEXT NOT NULL DEFAULT '',
    target_sha TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'running',
    verdict TEXT NOT NULL DEFAULT '',
    body TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL
);

CREATE TRIGGER sessions_cdc_insert AFTER INSERT ON sessions BEGIN
    INSERT INTO change_log (project_id, session_id, event_type, payload, created_at)
    VALUES (NEW.project_id, NEW.id, 'session_created', json_object(
        'id', NEW.id, 'activity', NEW.activity_state, 'isTerminated', json(iif(NEW.is_terminated, 'true', 'false'))
    ), NEW.updated_at);
END;

CREATE TRIGGER sessions_cdc_update AFTER UPDATE ON sessions
WHEN OLD.activity_state <> NEW.activity_state OR OLD.is_terminated <> NEW.is_terminated
    OR (OLD.first_signal_at IS NULL AND NEW.first_signal_at IS NOT NULL)
BEGIN
    INSERT INTO change_log (project_id, session_id, event_type, payload, created_at)
    VALUES (NEW.project_id, NEW.id, 'session_updated', json_object(
        'id', NEW.id, 'activity', NEW.activity_state, 'isTerminated', json(iif(NEW.is_terminated, 'true', 'false'))
    ), NEW.updated_at);
END;

CREATE TRIGGER pr_cdc_insert AFTER INSERT ON pr BEGIN
    INSERT INTO change_log (project_id, session_id, event_type, payload, created_at)
    SELECT project_id, id, 'pr_created', json_object(
        'url', NEW.url, 'session', NEW.session_id, 'state', NEW.pr_state, 'ci', NEW.ci_state,
        'review', NEW.review_decision, 'mergeability', NEW.mergeability
    ), NEW.updated_at FROM sessions WHERE id = NEW.session_id;
END;

CREATE TRIGGER pr_cdc_update AFTER UPDATE ON pr
WHEN OLD.pr_state <> NEW.pr_state OR OLD.ci_state <> NEW.ci_state OR OLD.review_decision <> NEW.review_decision
    OR OLD.mergeability <> NEW.mergeability
BEGIN
    INSERT INTO change_log (project_id, session_id, event_type, payload, created_at)
    SELECT project_id, id, 'pr_updated', json_object(
        'url', NEW.url, 'session', NEW.session_id, 'state', NEW.pr_state, 'ci', NEW.ci_state,
        'review', NEW.review_decision, 'mergeability', NEW.mergeability
    ), NEW.updated_at FROM sessions WHERE id = NEW.session_id;
END;

CREATE TRIGGER pr_session_cdc_update AFTER UPDATE OF session_id ON pr
WHEN OLD.session_id <> NEW.session_id
BEGIN
    INSERT INTO change_log (project_id, session_id, event_type, payload, created_at)
    SELECT project_id, id, 'pr_session_changed', json_object(
        'url', NEW.url, 'fromSession', OLD.session_id, 'toSession', NEW.session_id
    ), NEW.updated_at FROM sessions WHERE id = NEW.session_id;
END;

CREATE TRIGGER pr_checks_cdc_insert AFTER INSERT ON pr_checks BEGIN
    INSERT INTO change_log (project_id, session_id, event_type, payload, created_at)
    SELECT s.project_id, s.id, 'pr_check_recorded', json_object(
        'pr', NEW.pr_url, 'name', NEW.name, 'commit', NEW.commit_hash, 'status', NEW.status
    ), NEW.created_at FROM pr JOIN sessions s ON s.id = pr.session_id WHERE pr.url = NEW.pr_url;
END;

CREATE TRIGGER pr_checks_cdc_update AFTER UPDATE ON pr_checks WHEN OLD.status <> NEW.status BEGIN
    INSERT INTO change_log (project_id, session_id, event_type, payload, created_at)
    SELECT s.project_id, s.id, 'pr_check_recorded', json_object(
        'pr', NEW.pr_url, 'name', NEW.name, 'commit', NEW.commit_hash, 'status', NEW.status
    ), datetime('now') FROM pr JOIN sessions s ON s.id = pr.session_id WHERE pr.url = NEW.pr_url;
END;

CREATE TRIGGER pr_review_threads_cdc_insert AFTER INSERT ON pr_review_threads BEGIN
    INSERT INTO change_log (project_id, session_id, event_type, payload, created_at)
    SELECT s.project_id, s.id, 'pr_review_thread_added', json_object(
        'pr', NEW.pr_url, 'thread', NEW.thread_id, 'path', NEW.path, 'line', NEW.line,
        'resolved', json(iif(NEW.resolved, 'true', 'false')), 'isBot', json(iif(NEW.is_bot, 'true', 'false'))
    ), NEW.updated_at FROM pr JOIN sessions s ON s.id = pr.session_id WHERE pr.url = NEW.pr_url;
END;

CREATE TRIGGER pr_review_threads_cdc_update AFTER UPDATE ON pr_review_threads WHEN OLD.resolved <> NEW.resolved
BEGIN
    INSERT INTO change_log (project_id, session_id, event_type, payload, created_at)
    SELECT s.project_id, s.id, 'pr_review_thread_resolved', json_object(
        'pr', NEW.pr_url, 'thread', NEW.thread_id, 'path', NEW.path, 'line', NEW.line,
        'resolved', json(iif(NEW.resolved, 'true', 'false'))
    ), NEW.updated_at FROM pr JOIN sessions s ON s.id = pr.session_id WHERE pr.url = NEW.pr_url;
END;
";

/// What a version above 12 changes, where anything that matters here is known of it.
pub(super) fn step_to(version: u32) -> &'static str {
    match version {
        13 => "CREATE UNIQUE INDEX idx_review_run_once ON review_run (session_id, target_sha);",
        14 => {
            "DROP INDEX idx_review_run_once;
             CREATE UNIQUE INDEX idx_review_run_once ON review_run (session_id, target_sha) WHERE status <> 'failed';"
        }
        15 => {
            "CREATE TABLE telemetry_event (
                id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, payload TEXT NOT NULL DEFAULT '{}',
                created_at TIMESTAMP NOT NULL
             );"
        }
        16 => "ALTER TABLE review_run ADD COLUMN github_review_id TEXT NOT NULL DEFAULT '';",
        17 => {
            "ALTER TABLE sessions ADD COLUMN preview_url TEXT NOT NULL DEFAULT '';
             DROP TRIGGER sessions_cdc_update;
             CREATE TRIGGER sessions_cdc_update AFTER UPDATE ON sessions
             WHEN OLD.activity_state <> NEW.activity_state OR OLD.is_terminated <> NEW.is_terminated
                 OR (OLD.first_signal_at IS NULL AND NEW.first_signal_at IS NOT NULL)
                 OR OLD.preview_url <> NEW.preview_url
             BEGIN
                 INSERT INTO change_log (project_id, session_id, event_type, payload, created_at)
                 VALUES (NEW.project_id, NEW.id, 'session_updated', json_object(
                     'id', NEW.id, 'activity', NEW.activity_state,
                     'isTerminated', json(iif(NEW.is_terminated, 'true', 'false')), 'previewUrl', NEW.preview_url
                 ), NEW.updated_at);
             END;"
        }
        18 => "ALTER TABLE review_run ADD COLUMN delivered_at TIMESTAMP;",
        19 => {
            "ALTER TABLE sessions ADD COLUMN preview_revision INTEGER NOT NULL DEFAULT 0;
             DROP TRIGGER sessions_cdc_update;
             CREATE TRIGGER sessions_cdc_update AFTER UPDATE ON sessions
             WHEN OLD.activity_state <> NEW.activity_state OR OLD.is_terminated <> NEW.is_terminated
                 OR (OLD.first_signal_at IS NULL AND NEW.first_signal_at IS NOT NULL)
                 OR OLD.preview_url <> NEW.preview_url OR OLD.preview_revision <> NEW.preview_revision
             BEGIN
                 INSERT INTO change_log (project_id, session_id, event_type, payload, created_at)
                 VALUES (NEW.project_id, NEW.id, 'session_updated', json_object(
                     'id', NEW.id, 'activity', NEW.activity_state,
                     'isTerminated', json(iif(NEW.is_terminated, 'true', 'false')),
                     'previewUrl', NEW.preview_url, 'previewRevision', NEW.preview_revision
                 ), NEW.updated_at);
             END;"
        }
        _ => "",
    }
}

/// Rows that the user made with the daemon itself: a project, a session of his own, its pull request and a check.
pub(super) const USER_ROWS: &str = "
INSERT INTO projects (id, path, registered_at) VALUES ('own', '/srv/kim/own', '2026-01-05T08:00:00.000Z');
INSERT INTO sessions (id, project_id, num, harness, activity_last_at, created_at, updated_at) VALUES
    ('own-1', 'own', 1, 'claude-code', '2026-01-05 09:00:00 +0000 UTC', '2026-01-05 09:00:00 +0000 UTC',
     '2026-01-05 09:00:00 +0000 UTC');
INSERT INTO pr (url, session_id, updated_at) VALUES
    ('https://github.example/kim/own/pull/7', 'own-1', '2026-01-05 10:00:00 +0000 UTC');
INSERT INTO pr_checks (pr_url, name, commit_hash, created_at) VALUES
    ('https://github.example/kim/own/pull/7', 'build', 'c0ffee', '2026-01-05 10:05:00 +0000 UTC');
";
