//! What an undo does when the owner has been at work since.

use std::os::unix::fs::PermissionsExt;

use migration_engine::{Changed, Run, UndoError};
use session_model::Level;
use sqlite_writer::InsertRow;
use testkit::ao_database::{self, Version};

use crate::support::{Home, project_with};

/// A database with rows of the user's own, a run of two sessions on it, and the dump from before.
fn migrated(version: u32) -> (Home, Run<InsertRow>, String) {
    let home = Home::of(Version(version));
    ao_database::add_user_rows(&home.database());
    let before = home.dump();
    let run = home.run(project_with("ledger", 2));
    home.apply(&run).unwrap();
    (home, run, before)
}

/// What a daemon does between a run and its undo, and how it is told of.
const DRIFTS: [(&str, &str); 7] = [
    (
        "UPDATE sessions SET activity_state = 'active', updated_at = 'x' WHERE id = 'ledger-2'",
        "changed since: activity_state, updated_at",
    ),
    ("UPDATE sessions SET prompt = 'x' WHERE id = 'ledger-2'", "changed since: prompt"),
    ("UPDATE sessions SET preview_url = 'x' WHERE id = 'ledger-2'", "changed since: preview_url"),
    (
        "INSERT INTO change_log (project_id, session_id, event_type, payload) VALUES ('ledger', 'ledger-2', 'session_updated', '{}')",
        "rows that are not as this run left them refer to it: change_log",
    ),
    (
        "INSERT INTO pr (url, session_id, updated_at) VALUES ('u', 'ledger-2', 'x')",
        "rows that are not as this run left them refer to it: change_log, pr",
    ),
    (
        "INSERT INTO session_worktrees VALUES ('ledger-2', 'r', 'b', 's', 'w', '', 'active')",
        "rows that are not as this run left them refer to it: session_worktrees",
    ),
    ("DELETE FROM change_log WHERE session_id = 'ledger-2'", "a row of change_log that came with it is gone"),
];

#[test]
fn nothing_is_touched_when_anything_has_changed_and_each_change_is_told() {
    for (drift, told) in DRIFTS {
        let (home, run, _) = migrated(19);
        home.daemon(drift);
        let changed = home.dump();
        let Err(UndoError::Drifted(found)) = home.undo(&run, Changed::Refuse) else {
            panic!("not noticed: {drift}")
        };
        assert_eq!(found[1].found, told, "{drift}");
        assert!(found[0].step.ends_with("into projects"), "what a kept row refers to is kept: {found:?}");
        home.assert_dump(&changed, drift);
    }
}

#[test]
fn a_row_of_the_users_own_under_a_migrated_project_keeps_the_project() {
    let (home, run, _) = migrated(12);
    home.daemon(
        "INSERT INTO sessions (id, project_id, num, activity_last_at, created_at, updated_at)
         VALUES ('ledger-3', 'ledger', 3, 'x', 'x', 'x')",
    );
    let Err(UndoError::Drifted(found)) = home.undo(&run, Changed::Refuse) else { panic!("not noticed") };
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].found, "rows that are not as this run left them refer to it: change_log, sessions");

    home.undo(&run, Changed::Keep).unwrap();
    assert_eq!(home.query("SELECT id FROM sessions WHERE project_id = 'ledger'"), [["ledger-3".into()]]);
}

#[test]
fn keeping_what_changed_takes_back_the_rest_and_leaves_the_database_whole() {
    for (drift, _) in DRIFTS {
        let (home, run, _) = migrated(19);
        home.daemon(drift);
        let kept = home.undo(&run, Changed::Keep).unwrap();
        assert_eq!(kept.len(), 2, "{drift}: {kept:?}");
        assert_eq!(home.query("SELECT id FROM sessions WHERE project_id = 'ledger'"), [["ledger-2".into()]]);
        assert_eq!(home.query("SELECT 1 FROM pragma_foreign_key_check"), [] as [[_; 0]; 0], "{drift}");
    }
}

#[test]
fn setting_aside_restores_all_and_keeps_every_removed_row_in_a_private_file() {
    for (drift, _) in DRIFTS {
        let (home, run, before) = migrated(19);
        home.daemon(drift);
        home.undo(&run, Changed::SetAside).unwrap();
        home.assert_dump(&before, drift);
        assert_eq!(home.names(), ["ao.db"]);

        let folder = run.dir().join("set-aside");
        let mut kept: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        kept.sort();
        assert_eq!(kept.len(), 2, "{drift}: {kept:?}");
        let mut lines = String::new();
        for file in &kept {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            lines += &std::fs::read_to_string(file).unwrap();
        }
        assert!(
            lines.contains(r#"{"table":"sessions","row":{"id":"ledger-2","project_id":"ledger","num":2,"#),
            "{lines}"
        );
        for row in
            ["pr", "session_worktrees"].iter().filter(|table| drift.contains(&format!("INTO {table} ")))
        {
            assert!(lines.contains(&format!(r#"{{"table":"{row}","row":"#)), "{drift}: {lines}");
        }
        for line in lines.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}

#[test]
fn a_daemon_that_only_moved_on_passes_verification_and_one_that_changed_a_prompt_does_not() {
    let (home, run, _) = migrated(12);
    home.daemon("UPDATE sessions SET activity_state = 'active', updated_at = 'x' WHERE id = 'ledger-1'");
    let verdict = home.verify(&run);
    assert!(verdict.passes());
    assert!(
        verdict.findings.iter().any(|(_, finding)| finding.message.contains("activity_state, updated_at"))
    );

    home.daemon("UPDATE sessions SET prompt = 'secret' WHERE id = 'ledger-1'");
    let verdict = home.verify(&run);
    assert!(!verdict.passes());
    assert!(verdict.findings.iter().all(|(_, finding)| !finding.message.contains("secret")));

    home.daemon("DELETE FROM change_log; DELETE FROM sessions WHERE id = 'ledger-2'");
    let gone =
        home.verify(&run).findings.into_iter().filter(|(_, finding)| finding.level == Level::Error).count();
    assert_eq!(gone, 2);
}

#[test]
fn a_counter_goes_back_to_where_it_stood_even_above_or_without_any_row() {
    let above = "DELETE FROM change_log WHERE seq = 3";
    let without = "DELETE FROM change_log; DELETE FROM sqlite_sequence WHERE name = 'change_log'";
    let emptied = "DELETE FROM change_log; UPDATE sqlite_sequence SET seq = 900 WHERE name = 'change_log'";
    for case in [above, without, emptied] {
        let home = Home::new();
        ao_database::add_user_rows(&home.database());
        home.daemon(case);
        let before = home.dump();
        let run = home.run(project_with("ledger", 2));
        home.apply(&run).unwrap();
        home.undo(&run, Changed::Refuse).unwrap();
        home.assert_dump(&before, case);
    }
}

#[test]
fn a_counter_goes_back_with_rows_that_were_set_aside_too() {
    let home = Home::new();
    let before = home.dump();
    let run = home.run(project_with("ledger", 1));
    home.apply(&run).unwrap();
    home.daemon("UPDATE sessions SET is_terminated = 1");
    home.undo(&run, Changed::SetAside).unwrap();
    home.assert_dump(&before, "afterwards");
}

#[test]
fn a_counter_is_not_put_below_what_is_in_use_by_now() {
    let (home, run, before) = migrated(12);
    home.daemon(
        "INSERT INTO change_log (project_id, event_type, payload) VALUES ('own', 'session_updated', '{}')",
    );
    let later = "SELECT max(seq) FROM change_log";
    let in_use = home.query(later);
    home.undo(&run, Changed::Refuse).unwrap();
    assert_eq!(home.query("SELECT seq FROM sqlite_sequence WHERE name = 'change_log'"), in_use);
    home.daemon("DELETE FROM change_log WHERE event_type = 'session_updated'");
    assert_eq!(home.query("SELECT * FROM change_log").len(), before.matches("\nchange_log: ").count());
}

#[test]
fn row_ids_that_a_vacuum_renumbered_do_not_mislead_an_undo() {
    let home = Home::new();
    home.daemon(
        "CREATE TABLE audit (note TEXT);
         CREATE TRIGGER audited AFTER INSERT ON sessions BEGIN INSERT INTO audit VALUES ('added ' || NEW.id); END",
    );
    ao_database::add_user_rows(&home.database());
    home.daemon("INSERT INTO audit VALUES ('a'), ('b'), ('c')");
    home.daemon("VACUUM"); // it sorts the schema as well
    let run = home.run(project_with("ledger", 2));
    let before = home.dump();
    home.apply(&run).unwrap();
    home.daemon("DELETE FROM audit WHERE note IN ('a', 'b')");
    home.daemon("VACUUM");
    home.undo(&run, Changed::Refuse).unwrap();
    let expected = before.replace("audit: 'a'\n", "").replace("audit: 'b'\n", "");
    home.assert_dump(&expected, "afterwards");
}

#[test]
fn the_owners_delete_triggers_do_not_write_about_what_was_never_there() {
    let home = Home::new();
    home.daemon(
        "CREATE TABLE graves (id TEXT);
         CREATE TRIGGER buried AFTER DELETE ON sessions BEGIN INSERT INTO graves VALUES (OLD.id); END",
    );
    let before = home.dump();
    let run = home.run(project_with("ledger", 2));
    home.apply(&run).unwrap();
    home.undo(&run, Changed::Refuse).unwrap();
    home.assert_dump(&before, "afterwards");
    drop(run);
    // They run again for everybody else, and for the next run.
    let again = home.run(project_with("ledger", 2));
    home.apply(&again).unwrap();
    home.daemon("DELETE FROM change_log; DELETE FROM sessions WHERE id = 'ledger-2'");
    assert_eq!(home.query("SELECT id FROM graves"), [["ledger-2".into()]]);
}

#[test]
fn an_undo_that_is_said_twice_does_nothing_the_second_time() {
    let (home, run, before) = migrated(12);
    home.undo(&run, Changed::Refuse).unwrap();
    home.daemon("INSERT INTO projects (id, path, registered_at) VALUES ('ledger', '/new', 'x')");
    let with_project = home.dump();
    home.undo(&run, Changed::Refuse).unwrap();
    home.assert_dump(&with_project, "afterwards");
    assert_ne!(home.dump(), before);
}

#[test]
fn another_row_under_the_same_key_is_told_and_left_alone() {
    let (home, run, _) = migrated(12);
    home.daemon(
        "DELETE FROM change_log WHERE session_id = 'ledger-2'; DELETE FROM sessions WHERE id = 'ledger-2';
         INSERT INTO sessions (id, project_id, num, activity_last_at, created_at, updated_at)
         VALUES ('ledger-2', 'ledger', 2, 'x', 'x', 'x')",
    );
    let changed = home.dump();
    assert!(matches!(home.undo(&run, Changed::Refuse), Err(UndoError::Drifted(_))));
    home.assert_dump(&changed, "afterwards");
}
