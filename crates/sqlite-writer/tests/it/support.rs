//! A daemon's database, and runs of row steps on it.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use migration_engine::{
    ApplyError, Block, Bucket, Changed, Cx, Drift, Header, Item, ItemId, Look, NoProgress, Outcome, Plan,
    Receipt, Run, RunId, StateRoot, StepError, TargetLocks, Task, UndoError, Verdict, Wave, Worlds,
};
use session_model::{Finding, InputId, Timestamp};
use sqlite_writer::{Database, InsertRow, Rows, Value};
use tempfile::TempDir;
use testkit::ao_database::{self, Version};

/// What makes a wave of tasks.
type Make = fn(Vec<Task<InsertRow>>) -> Wave<InsertRow>;

/// A folder with a daemon's database in it, and a state root beside it.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::of(Version(12))
    }

    pub(crate) fn of(version: Version) -> Self {
        let home = Self::empty();
        ao_database::create(&home.database(), version);
        home
    }

    /// A database with nothing but these tables.
    pub(crate) fn with_tables(sql: &str) -> Self {
        let home = Self::empty();
        home.daemon(sql);
        home
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.data().join("ao.db")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The names in the database's folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.data())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// As the daemon would: statements on the database while no run holds it.
    pub(crate) fn daemon(&self, sql: &str) {
        ao_database::execute(&self.database(), sql);
    }

    pub(crate) fn dump(&self) -> String {
        ao_database::dump(&self.database())
    }

    /// Fails with the lines that differ, rather than with two databases.
    pub(crate) fn assert_dump(&self, expected: &str, when: &str) {
        assert_same(&self.dump(), expected, when);
    }

    pub(crate) fn query(&self, sql: &str) -> Vec<Vec<Value>> {
        Database::peek(&self.database()).unwrap().query(sql, &[]).unwrap()
    }

    /// A run of these rows, all in one transaction, each an item of its own.
    pub(crate) fn run(&self, rows: Vec<InsertRow>) -> Run<InsertRow> {
        self.run_of(rows, Wave::transaction)
    }

    /// A run of these rows, each an item of its own.
    pub(crate) fn run_of(&self, rows: Vec<InsertRow>, wave: Make) -> Run<InsertRow> {
        self.run_items(rows.into_iter().map(|row| vec![row]).collect(), wave)
    }

    /// A run of items with several rows each.
    pub(crate) fn run_items(&self, items_rows: Vec<Vec<InsertRow>>, wave: Make) -> Run<InsertRow> {
        let inputs: Vec<InputId> =
            (0..items_rows.len()).map(|at| InputId { kind: "row".into(), id: at.to_string() }).collect();
        let item =
            |input: &InputId| Item::new(input.clone(), input.id.clone(), Outcome::plain(Bucket::Migrated));
        let items = inputs.iter().map(item).collect();
        let tasks = (0..)
            .map(ItemId)
            .zip(items_rows)
            .flat_map(|(item, rows)| rows.into_iter().map(move |step| Task { item: Some(item), step }))
            .collect();
        let header = Header {
            tool: "rows".into(),
            version: "0".into(),
            blocks: vec![Block { kind: "row".into(), title: "rows".into(), inputs: 0 }],
            locks: vec![self.data().into()],
            concerns: Vec::new(),
            settings: serde_json::Value::Null,
            partial: false,
            findings: vec![],
        };
        let plan = Plan::new(header, &inputs, items, vec![vec![wave(tasks)]]).unwrap();
        let root = StateRoot::at(self.folder.path().join("state"));
        let locks = TargetLocks::take(&plan.header.locks).unwrap();
        let salt = u16::try_from(root.ids().unwrap().len()).unwrap();
        Run::create(&root, RunId::new(Timestamp::now(), salt), plan, locks, Timestamp::now()).unwrap()
    }

    pub(crate) fn apply(&self, run: &Run<InsertRow>) -> Result<Receipt, ApplyError> {
        run.apply(&Exclusive(self.database()), 1, &cx())
    }

    pub(crate) fn undo(&self, run: &Run<InsertRow>, changed: Changed) -> Result<Vec<Drift>, UndoError> {
        run.undo(&Exclusive(self.database()), changed, &cx())
    }

    pub(crate) fn verify(&self, run: &Run<InsertRow>) -> Verdict {
        run.verify(&Peeking(self.database()), Look::Full, &cx()).unwrap()
    }
}

pub(crate) fn cx() -> Cx<'static> {
    static GO_ON: AtomicBool = AtomicBool::new(false);
    Cx { stop: &GO_ON, progress: &NoProgress, now: Timestamp::now }
}

/// Opens the database for writing.
pub(crate) struct Exclusive(pub(crate) PathBuf);

/// Opens the database for looking.
pub(crate) struct Peeking(pub(crate) PathBuf);

impl Worlds<InsertRow> for Exclusive {
    fn world(&self, _lane: usize) -> Result<Rows, StepError> {
        Ok(Rows::new(Database::open_exclusive(&self.0)?))
    }

    fn judge(&self, _world: &mut Rows, _item: &Item) -> Vec<Finding> {
        Vec::new()
    }
}

impl Worlds<InsertRow> for Peeking {
    fn world(&self, _lane: usize) -> Result<Rows, StepError> {
        Ok(Rows::new(Database::peek(&self.0)?))
    }

    fn judge(&self, _world: &mut Rows, _item: &Item) -> Vec<Finding> {
        Vec::new()
    }
}

pub(crate) fn project(id: &str) -> InsertRow {
    let row = [
        ("id", id.into()),
        ("path", format!("/srv/kim/{id}").into()),
        ("repo_origin_url", "".into()),
        ("display_name", "".into()),
        ("registered_at", "2026-01-11T07:45:00.250Z".into()),
        ("archived_at", Value::Null),
        ("config", r#"{"sessionPrefix":"ba"}"#.into()),
        ("kind", "single_repo".into()),
    ];
    InsertRow::new("projects", ["id"], row)
}

pub(crate) fn session(project: &str, num: i64) -> InsertRow {
    let time = || Value::from("2026-02-03T08:15:00.000Z");
    let row = [
        ("id", format!("{project}-{num}").into()),
        ("project_id", project.into()),
        ("num", num.into()),
        ("issue_id", "".into()),
        ("kind", "worker".into()),
        ("harness", "claude-code".into()),
        ("activity_state", "idle".into()),
        ("activity_last_at", time()),
        ("is_terminated", false.into()),
        ("branch", "feat/tax".into()),
        ("workspace_path", "/srv/kim/wt".into()),
        ("runtime_handle_id", "".into()),
        ("agent_session_id", "8c1d".into()),
        ("prompt", "set ratio=2\nand report ✦".into()),
        ("created_at", time()),
        ("updated_at", time()),
        ("display_name", "".into()),
        ("first_signal_at", time()),
    ];
    InsertRow::new("sessions", ["id"], row).may_move_on(["activity_state", "activity_last_at", "updated_at"])
}

/// A project with this many sessions.
pub(crate) fn project_with(id: &str, sessions: i64) -> Vec<InsertRow> {
    std::iter::once(project(id)).chain((1..=sessions).map(|num| session(id, num))).collect()
}

/// All bytes of a folder, by name.
pub(crate) fn bytes_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// The same row with another value in one column.
pub(crate) fn with(mut step: InsertRow, column: &str, value: impl Into<Value>) -> InsertRow {
    let value = value.into();
    let replaced = |(name, old): (&str, &Value)| {
        (name.to_owned(), if name == column { value.clone() } else { old.clone() })
    };
    step.row = step.row.iter().map(replaced).collect();
    step
}

/// Fails with the lines that differ.
pub(crate) fn assert_same(found: &str, expected: &str, when: &str) {
    let missing = expected
        .lines()
        .filter(|line| !found.lines().any(|other| other == *line))
        .map(|line| format!("- {line}"));
    let surplus = found
        .lines()
        .filter(|line| !expected.lines().any(|other| other == *line))
        .map(|line| format!("+ {line}"));
    let differing: Vec<String> = missing.chain(surplus).collect();
    assert!(found == expected, "{when}:\n{}", differing.join("\n"));
}
