use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use durable_files::{Meter, Quiet};
use migration_engine::{Look, RunId, Slot, State, Step};
use session_model::Timestamp;
use sqlite_writer::{Database, Rows, SnapshotError, TakeSnapshot};
use testkit::ao_database;

use crate::support::{Home, assert_same, cx, project_with};

#[test]
fn a_snapshot_equals_the_database_is_private_and_stands_alone() {
    let home = Home::new();
    ao_database::add_user_rows(&home.database());
    let to = home.folder().join("snapshot.db");
    let database = Database::open_exclusive(&home.database()).unwrap();
    let bytes = database.snapshot(&to, &mut Quiet).unwrap();
    assert_eq!((to.metadata().unwrap().len(), database.size().unwrap()), (bytes, bytes));
    assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    drop(database);
    assert_same(&ao_database::dump(&to), &home.dump(), "the snapshot");
    let mut names: Vec<_> =
        fs::read_dir(home.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["data", "snapshot.db"]);
}

#[test]
fn what_a_killed_daemon_left_in_the_wal_is_in_the_snapshot() {
    let home = Home::new();
    ao_database::execute_and_crash(&home.database(), "PRAGMA user_version = 7");
    let to = home.folder().join("snapshot.db");
    Database::open_exclusive(&home.database()).unwrap().snapshot(&to, &mut Quiet).unwrap();
    assert!(ao_database::dump(&to).starts_with("user_version: 7\n"));
}

#[test]
fn restoring_brings_every_row_back_into_the_same_file() {
    for mode in ["WAL", "DELETE"] {
        let home = Home::new();
        ao_database::add_user_rows(&home.database());
        home.daemon(&format!("PRAGMA journal_mode = {mode}"));
        fs::set_permissions(home.database(), fs::Permissions::from_mode(0o640)).unwrap();
        let before = (home.dump(), home.database().metadata().unwrap().ino());
        let to = home.folder().join("snapshot.db");
        let mut database = Database::open_exclusive(&home.database()).unwrap();
        database.snapshot(&to, &mut Quiet).unwrap();
        let mut rows = Rows::new(database);
        rows.try_out(&project_with("ledger", 1)).unwrap();
        database = rows.into_database();
        database.close().unwrap();
        home.apply(&home.run(project_with("ledger", 900))).unwrap();

        let mut database = Database::open_exclusive(&home.database()).unwrap();
        database.restore(&to).unwrap();
        database.check().unwrap();
        database.close().unwrap();
        home.assert_dump(&before.0, mode);
        let after = home.database().metadata().unwrap();
        assert_eq!((after.ino(), after.permissions().mode() & 0o777), (before.1, 0o640), "{mode}");
        assert_eq!(home.names(), ["ao.db"], "{mode}");
    }
}

struct Stop;

impl Meter for Stop {
    fn passed(&mut self, _bytes: u64) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

#[test]
fn a_snapshot_never_replaces_anything_and_a_stopped_one_leaves_nothing() {
    let home = Home::new();
    home.apply(&home.run(project_with("ledger", 5000))).unwrap();
    let to = home.folder().join("kept").join("snapshot.db");
    fs::create_dir(to.parent().unwrap()).unwrap();
    let database = Database::open_exclusive(&home.database()).unwrap();
    assert!(matches!(database.snapshot(&to, &mut Stop), Err(SnapshotError::Stopped(_))));
    assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 0);

    fs::write(&to, "an older one").unwrap();
    assert!(matches!(database.snapshot(&to, &mut Quiet), Err(SnapshotError::Publish(_))));
    assert_eq!(fs::read_to_string(&to).unwrap(), "an older one");
}

#[test]
fn the_snapshot_of_a_run_is_where_its_evidence_says_and_goes_with_its_undo() {
    let home = Home::new();
    let slot = Slot::new(RunId::new(Timestamp::now(), 0), 3, home.folder().to_path_buf());
    let mut rows = Rows::new(Database::open_exclusive(&home.database()).unwrap());
    let step = TakeSnapshot { bytes: rows.database().size().unwrap() };
    let look = |rows: &mut Rows, taken| step.inspect(rows, taken, Look::Full, &cx()).unwrap();
    assert_eq!(look(&mut rows, None), State::Pending);

    let taken = step.stage(&mut rows, &slot, &cx()).unwrap();
    let taken = step.stage(&mut rows, &slot, &cx()).map(|again| [taken, again]).unwrap();
    assert_eq!(taken[0], taken[1], "a resumed run takes it again");
    assert_eq!(look(&mut rows, Some(&taken[0])), State::Done);
    assert_same(&ao_database::dump(&taken[0].file), &home.dump(), "the snapshot");

    // What somebody has made of it does not keep the rows from being taken back, nor does it go.
    let folder = home.folder().join("set-aside");
    fs::create_dir(&folder).unwrap();
    fs::File::options().append(true).open(&taken[0].file).unwrap().write_all(b"theirs").unwrap();
    assert!(matches!(look(&mut rows, Some(&taken[0])), State::Conflict(_)));
    assert_eq!(step.aside(&slot, &folder).as_deref(), folder.to_str());
    step.set_aside(&mut rows, &slot, &taken[0], &folder, &cx()).unwrap();
    assert_eq!(look(&mut rows, Some(&taken[0])), State::Pending);
    assert!(fs::read(folder.join("3-snapshot.db")).unwrap().ends_with(b"theirs"));
    fs::remove_dir_all(folder).unwrap();

    step.revert(&mut rows, &slot, Some(&taken[0]), &cx()).unwrap();
    step.revert(&mut rows, &slot, Some(&taken[0]), &cx()).unwrap();
    assert_eq!(look(&mut rows, Some(&taken[0])), State::Pending);
    assert_eq!(fs::read_dir(home.folder()).unwrap().count(), 1);
}
