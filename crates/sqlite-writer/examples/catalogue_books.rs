//! A whole migration with one kind of step: books entered into a library's own database, `library.db` in a folder.
//!
//! `catalogue_books apply|resume|undo FOLDER`. The library's tables are `shelf (id, label)` and
//! `book (id, shelf_id, title)`; whatever its triggers add is taken back as well.

#![allow(clippy::print_stderr, reason = "an example is a program")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use migration_engine::{
    Block, Bucket, Changed, Cx, Header, Item, ItemId, NoProgress, Outcome, Plan, Run, RunId, StateRoot,
    StepError, TargetLocks, Task, Wave, Worlds,
};
use session_model::{Finding, InputId, Timestamp};
use sqlite_writer::{Database, InsertRow, Rows};

/// The library, opened so that nobody else can.
struct Library(PathBuf);

impl Worlds<InsertRow> for Library {
    fn world(&self, _lane: usize) -> Result<Rows, StepError> {
        Ok(Rows::new(Database::open_exclusive(&self.0)?))
    }

    fn judge(&self, _world: &mut Rows, _item: &Item) -> Vec<Finding> {
        Vec::new()
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (verb, folder) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    match carry_out(&verb, Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(verb: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let library = Library(folder.join("library.db"));
    let root = StateRoot::at(folder.join("state"));
    let cx = Cx { stop: &AtomicBool::new(false), progress: &NoProgress, now: Timestamp::now };
    let run = match (verb, root.ids()?.pop()) {
        ("apply", None) => new_run(folder, &root)?,
        ("resume" | "undo", Some(id)) => Run::open(&root, &id)?,
        _ => return Err("usage: catalogue_books apply|resume|undo FOLDER".into()),
    };
    if verb == "undo" {
        run.undo(&library, Changed::Refuse, &cx)?;
    } else {
        run.apply(&library, 1, &cx)?;
    }
    Ok(())
}

fn new_run(folder: &Path, root: &StateRoot) -> Result<Run<InsertRow>, Box<dyn Error>> {
    let rows = rows();
    let inputs: Vec<InputId> =
        (0..rows.len()).map(|at| InputId { kind: "row".into(), id: at.to_string() }).collect();
    let item = |input: &InputId| Item::new(input.clone(), input.id.clone(), Outcome::plain(Bucket::Migrated));
    let items = inputs.iter().map(item).collect();
    let tasks = (0..).map(ItemId).zip(rows).map(|(item, step)| Task { item: Some(item), step }).collect();
    let header = Header {
        tool: "catalogue_books".into(),
        version: "0.1.0".into(),
        blocks: vec![Block { kind: "row".into(), title: "rows".into(), inputs: 0 }],
        locks: vec![folder.into()],
        concerns: Vec::new(),
        settings: serde_json::Value::Null,
        partial: false,
        findings: vec![],
    };
    let plan = Plan::new(header, &inputs, items, vec![vec![Wave::transaction(tasks)]])?;
    let locks = TargetLocks::take(&plan.header.locks)?;
    Ok(Run::create(root, RunId::new(Timestamp::now(), 0), plan, locks, Timestamp::now())?)
}

/// A shelf, then the books on it: a row comes after those that it refers to.
fn rows() -> Vec<InsertRow> {
    let shelf = InsertRow::new("shelf", ["id"], [("id", "voyages".into()), ("label", "Voyages".into())]);
    let book = |(id, title): (&str, &str)| {
        let row = [("id", id.into()), ("shelf_id", "voyages".into()), ("title", title.into())];
        InsertRow::new("book", ["id"], row).may_move_on(["shelf_id"])
    };
    let titles = [("v1", "Typee"), ("v2", "The Voyage of the Beagle"), ("v3", "Eothen")];
    std::iter::once(shelf).chain(titles.map(book)).collect()
}
