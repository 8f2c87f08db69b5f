//! Everything a user or a program gets to see, and every row and file it leaves, as golden snapshots.

use insta::assert_snapshot;

use crate::home::Home;

#[test]
fn what_a_person_reads() {
    let home = Home::new("everything");
    assert_snapshot!("text-plan", home.expect(3, &["--dry-run"]).stdout);
    assert_snapshot!("text-apply", home.expect(3, &["--verbose"]).stdout);
    assert_snapshot!("text-again", home.expect(3, &[]).stdout);
    assert_snapshot!("text-verify", home.expect(0, &["verify"]).stdout);
    assert_snapshot!("text-undo", home.expect(0, &["undo"]).stdout);
}

#[test]
fn what_a_program_reads() {
    let home = Home::new("everything");
    assert_snapshot!("json-plan", home.expect(3, &["--dry-run", "--restorable", "--json"]).stdout);
    assert_snapshot!("json-apply", home.expect(3, &["--json"]).stdout);
    assert_snapshot!("json-refused", home.expect(4, &["--schema", "13", "--json"]).stdout);
}

#[test]
fn the_rows_that_are_written() {
    for (name, arguments) in [("rows", &[][..]), ("rows-restorable", &["--restorable"])] {
        let home = Home::new("everything");
        home.expect(3, arguments);
        let rows = ["projects: ", "sessions: ", "session_worktrees: ", "change_log: ", "sqlite_sequence: "];
        let dump = home.redacted(&home.dump());
        let dump: Vec<&str> =
            dump.lines().filter(|line| rows.iter().any(|row| line.starts_with(row))).collect();
        assert_snapshot!(name, dump.join("\n"));
    }
}

#[test]
fn the_files_that_are_made() {
    let home = Home::new("everything");
    let before = home.files();
    home.expect(3, &["--touch"]);
    assert_snapshot!("files", home.redacted(&before.difference(&home.files())));
}

#[test]
fn what_help_says() {
    let home = Home::without_database("v2");
    assert_snapshot!("help", home.expect(0, &["--help"]).stdout);
}
