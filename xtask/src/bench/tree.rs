//! The engine's step that installs a folder, beside `cp -a` and a sync. There is no target: it must not be badly slow.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use durable_files::Fingerprint;
use migration_engine::steps::{Entry, Files, InstallTree, Node, Verbatim};
use migration_engine::{Cx, NoProgress, RunId, Slot, perform};
use session_model::Timestamp;

use super::files::{clear, shell_line};
use super::measure::{self, Taken};
use super::race::Race;
use super::{Given, ROUNDS};
use crate::shell::Outcome;

const FOLDERS: usize = 100;
const FILES_EACH: usize = 100;
const BYTES: usize = 10_000;

pub(super) fn run(given: &Given) -> Outcome {
    let (source, target) = (given.folder().join("many"), given.folder().join("installed"));
    let copy = given.folder().join("copied");
    lay_out(&source)?;
    let mut race = Race::new();
    let ours = race.enter("a folder as one step", || {
        clear(&target)?;
        install(&source, &target)
    });
    let cp = race.enter("cp -a and sync", || {
        clear(&copy)?;
        measure::program(&shell_line(r#"cp -a "$1" "$2"; sync -f "$2""#, &[&source, &copy]))
    });
    let title = format!("tree: {} files of {BYTES} bytes", FOLDERS * FILES_EACH);
    race.run(&title, ROUNDS)?.compare(ours, cp);
    Ok(())
}

fn lay_out(source: &Path) -> Outcome {
    for folder in 0..FOLDERS {
        let folder = source.join(folder.to_string());
        fs::create_dir_all(&folder)?;
        for file in 0..FILES_EACH {
            fs::write(folder.join(file.to_string()), vec![b'x'; BYTES])?;
        }
    }
    Ok(())
}

fn install(source: &Path, target: &Path) -> Outcome<Taken> {
    let cx = Cx { stop: &AtomicBool::new(false), progress: &NoProgress, now: Timestamp::now };
    let run_dir = tempfile::tempdir()?;
    let slot = Slot::new(RunId::new((cx.now)(), 0), 0, run_dir.path().to_owned());
    let begun = Instant::now();
    let step = InstallTree::of(target, entries(source)?)?;
    perform(&step, &mut Files::default(), &slot, &cx)?;
    Ok(Taken::of(begun.elapsed().as_secs_f64()))
}

fn entries(source: &Path) -> Outcome<Vec<Entry<Verbatim>>> {
    let mut entries = Vec::new();
    for folder in fs::read_dir(source)? {
        let folder = folder?;
        let path = Path::new(&folder.file_name()).to_owned();
        entries.push(Entry { path: path.clone().into(), node: Node::Folder { mode: 0o755, mtime: None } });
        for file in fs::read_dir(folder.path())? {
            let file = file?;
            let expect = Fingerprint::of_file(&file.path())?;
            let content = Verbatim::of(&file.path(), expect);
            let node = Node::File { content, mode: 0o644, mtime: Some(expect.mtime) };
            entries.push(Entry { path: path.join(file.file_name()).into(), node });
        }
    }
    Ok(entries)
}
