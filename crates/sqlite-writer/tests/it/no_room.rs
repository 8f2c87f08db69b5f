//! A disk that is full for real: a small one in memory, seen by the tested program alone.

use std::process::{Command, Output};

use testkit::ao_database;
use testkit::crash::example;

/// Runs a script that may mount; in a namespace of its own, so that no right is needed and nothing is left.
fn unshared(script: &str) -> Output {
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-e", "-c", script])
        .output()
        .expect("unshare, from util-linux, must be installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("unshare:") && !said.contains("mount:"), "a disk cannot be mounted here: {said}");
    output
}

#[test]
fn a_full_disk_stops_the_run_by_name_and_resume_goes_on_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made.db");
    ao_database::execute(
        &made,
        "CREATE TABLE shelf (id TEXT PRIMARY KEY, label TEXT);
         CREATE TABLE book (id TEXT PRIMARY KEY, shelf_id TEXT REFERENCES shelf (id), title TEXT)",
    );
    let (path, program) = (folder.path().display(), example("catalogue_books"));
    let program = program.display();
    let output = unshared(&format!(
        "cd '{path}'; mkdir disk; mount -t tmpfs -o size=256k none disk; cp made.db disk/library.db
         ln -s disk/library.db library.db
         cat /dev/zero > disk/filler 2>&1 || true
         '{program}' apply . 2>&1 && exit 1
         cp disk/library.db untouched.db
         rm disk/filler
         '{program}' resume .
         ls disk
         cp disk/library.db arrived.db"
    ));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("database or disk is full"), "{said}");
    assert!(said.ends_with("\nlibrary.db\n"), "nothing else is left beside it: {said}");
    let dump = |name: &str| ao_database::dump(&folder.path().join(name));
    assert_eq!(dump("untouched.db"), dump("made.db"));
    assert!(dump("arrived.db").contains("book: 'v3', 'voyages', 'Eothen'"));
}

#[test]
fn a_read_only_disk_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    ao_database::execute(
        &folder.path().join("library.db"),
        "CREATE TABLE shelf (id TEXT PRIMARY KEY, label TEXT)",
    );
    let (path, program) = (folder.path().display(), example("catalogue_books"));
    let program = program.display();
    let output = unshared(&format!(
        "cd '{path}'; mkdir disk; mv library.db disk; ln -s disk/library.db library.db
         mount --bind disk disk; mount -o remount,bind,ro disk
         '{program}' apply ."
    ));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("expected to write it and its folder, found that not allowed"), "{said}");
}
