//! A whole run on a live-looking database, struck at every single effect it has on the disk.

use std::path::PathBuf;

use migration_engine::{Phase, StateRoot};
use tempfile::TempDir;
use testkit::ao_database;
use testkit::crash::{Blow, Effect, Program, example};

use crate::support::assert_same;

/// What the library had before: its own book, and a counter that stands above what is left of the log.
const LIBRARY: &str = "
CREATE TABLE shelf (id TEXT PRIMARY KEY, label TEXT NOT NULL);
CREATE TABLE book (id TEXT PRIMARY KEY, shelf_id TEXT NOT NULL REFERENCES shelf (id), title TEXT NOT NULL);
CREATE TABLE log (seq INTEGER PRIMARY KEY AUTOINCREMENT, book_id TEXT REFERENCES book (id));
CREATE TRIGGER book_added AFTER INSERT ON book BEGIN INSERT INTO log (book_id) VALUES (NEW.id); END;
INSERT INTO shelf VALUES ('own', 'Own');
INSERT INTO book VALUES ('own', 'own', 'Own'), ('lost', 'own', 'Lost');
DELETE FROM log WHERE book_id = 'lost';
DELETE FROM book WHERE id = 'lost';
";

struct Place {
    folder: TempDir,
    before: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        ao_database::execute(&folder.path().join("library.db"), LIBRARY);
        let before = ao_database::dump(&folder.path().join("library.db"));
        Self { folder, before }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("library.db")
    }

    fn program(&self, verb: &str) -> Program {
        Program::new(example("catalogue_books")).arg(verb).arg(self.folder.path())
    }

    fn must(&self, verb: &str, when: &str) {
        let output = self.program(verb).run();
        assert!(output.status.success(), "{verb} {when}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn phase(&self) -> Option<Phase> {
        let root = StateRoot::at(self.folder.path().join("state"));
        let id = root.ids().unwrap().pop()?;
        Some(root.summary(&id).unwrap().phase())
    }

    fn resume(&self, when: &str) {
        self.must(if self.phase().is_some() { "resume" } else { "apply" }, when);
    }

    fn assert_restored(&self, when: &str) {
        assert_same(&ao_database::dump(&self.database()), &self.before, when);
        self.assert_alone(when);
    }

    fn assert_arrived(&self, when: &str) {
        let dump = ao_database::dump(&self.database());
        for row in ["shelf: 'voyages', 'Voyages'", "book: 'v3', 'voyages', 'Eothen'", "log: 5, 'v3'"] {
            assert!(dump.contains(row), "{when}: no {row} in\n{dump}");
        }
        assert_eq!(self.phase(), Some(Phase::Applied), "{when}");
        self.assert_alone(when);
    }

    /// Nothing of SQLite's own is left beside the database.
    fn assert_alone(&self, when: &str) {
        for suffix in ["-wal", "-shm", "-journal"] {
            let beside = self.folder.path().join(format!("library.db{suffix}"));
            assert!(!beside.exists(), "{when}: {} is left", beside.display());
        }
    }
}

fn for_every_effect(verb: &str, blow: Blow, before: impl Fn(&Place), after: impl Fn(&Place, &str)) {
    let undisturbed = Place::new();
    before(&undisturbed);
    let effects: Vec<Effect> = undisturbed.program(verb).effects();
    assert!(
        effects.iter().any(|effect| effect.is("pwrite64", "library.db-wal")),
        "the WAL was never written"
    );
    for effect in effects {
        let place = Place::new();
        before(&place);
        place.program(verb).run_struck(&effect, blow);
        after(&place, &format!("{blow:?} at {effect}"));
    }
}

#[test]
fn a_kill_anywhere_in_a_run_is_finished_by_resume() {
    for_every_effect(
        "apply",
        Blow::Kill,
        |_| {},
        |place, when| {
            place.resume(when);
            place.assert_arrived(when);
        },
    );
}

#[test]
fn a_kill_anywhere_in_a_run_is_taken_back_by_undo() {
    for_every_effect(
        "apply",
        Blow::Kill,
        |_| {},
        |place, when| {
            if place.phase().is_some() {
                place.must("undo", when);
            }
            place.assert_restored(when);
        },
    );
}

#[test]
fn a_kill_anywhere_in_an_undo_is_finished_by_undo() {
    for_every_effect(
        "undo",
        Blow::Kill,
        |place| place.must("apply", "undisturbed"),
        |place, when| {
            place.must("undo", when);
            place.assert_restored(when);
        },
    );
}

#[test]
fn a_disk_that_is_full_or_fails_anywhere_leaves_a_run_that_undo_takes_back() {
    for blow in [Blow::Error("ENOSPC"), Blow::Error("EIO")] {
        for_every_effect(
            "apply",
            blow,
            |_| {},
            |place, when| {
                if place.phase().is_some() {
                    place.must("undo", when);
                }
                place.assert_restored(when);
            },
        );
    }
}
