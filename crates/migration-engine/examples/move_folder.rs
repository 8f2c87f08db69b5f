//! A whole migration tool in one page: moves the files of a folder to another and replaces the index there.
//!
//! `move_folder apply|resume|undo|keep|set-aside PLACE`, where PLACE holds `old/`, `new/index` and, afterwards, `state/`.
//! Every file of `old/` but `index` is installed in `new/`; then `new/index` is replaced by `old/index`; then the files
//! of `old/` are moved aside.

mod drive;

use std::error::Error;
use std::path::Path;

use durable_files::Fingerprint;
use migration_engine::steps::{Files, InstallFile, ReplaceFile, Retire, Verbatim};
use migration_engine::{Bucket, Item, ItemId, Outcome, Plan, Task, Wave, compose_steps};
use session_model::InputId;

compose_steps! {
    /// What moving a folder takes.
    enum Effect, Trace in Files {
        /// A file that is new at the target.
        Install(InstallFile),
        /// A file that is there already and changes.
        Replace(ReplaceFile),
        /// A source that is not needed any more.
        Retire(Retire),
    }
}

fn plan(place: &Path) -> Result<Plan<Effect>, Box<dyn Error>> {
    let (mut inputs, mut items) = (Vec::new(), Vec::new());
    let (mut installs, mut replaces, mut retires) = (Vec::new(), Vec::new(), Vec::new());
    let mut names: Vec<_> = std::fs::read_dir(place.join("old"))?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<Result<_, std::io::Error>>()?;
    names.sort();
    for (name, id) in names.iter().zip(0..) {
        let (source, target) = (place.join("old").join(name), place.join("new/deep").join(name));
        let expect = Fingerprint::of_file(&source)?;
        let item = Some(ItemId(id));
        if name == "index" {
            let target = place.join("new/index");
            let expect_target = Fingerprint::of_file(&target)?;
            let step = ReplaceFile {
                content: Verbatim::of(&source, expect),
                target: target.into(),
                expect: expect_target,
            };
            replaces.push(Task { item, step: step.into() });
        } else {
            installs.push(Task { item, step: InstallFile::plan(&source, expect, &target).into() });
        }
        retires
            .push(Task { item, step: Retire { source: source.clone().into(), expect, into: None }.into() });
        let input = InputId::new("file", source.display().to_string());
        items.push(Item::new(input.clone(), name.to_string_lossy(), Outcome::plain(Bucket::Migrated)));
        inputs.push(input);
    }
    let waves = vec![Wave::publish(installs), Wave::publish(replaces), Wave::retire(retires)];
    Ok(Plan::new(drive::header("move-folder", "file", place), &inputs, items, vec![waves])?)
}

fn main() -> Result<(), Box<dyn Error>> {
    drive::main(plan)
}
