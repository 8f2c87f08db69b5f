//! A few sessions brought to a store: a backup, then transcripts and entries.
//!
//! `merge_sessions apply|resume|undo|keep|set-aside PLACE`, where PLACE holds `old/ID.txt` and, afterwards, `state/`. The
//! store is `new/.sessions` if that is there, else OpenClaw's in `new/agents/main/sessions`. A session whose id begins
//! with `a` is found by two keys.

#[path = "../../migration-engine/examples/drive/mod.rs"]
mod drive;

use std::error::Error;
use std::path::Path;

use durable_files::Fingerprint;
use migration_engine::steps::{Bytes, Files, InstallFile};
use migration_engine::{Bucket, Item, ItemId, Outcome, Plan, StepError, Task, Wave, World, compose_steps};
use session_model::InputId;
use session_store::{
    AgentId, Format, KeyedEntry, MergeEntries, NewEntry, STORE, StoreFiles, default_key, full_key,
};

compose_steps! {
    /// What bringing a session consists of.
    enum Effect, Trace in Handles {
        /// The old file is kept.
        Backup(InstallFile) with files,
        /// What was said.
        Transcript(InstallFile<Bytes>) with files,
        /// What the store says of it.
        Entries(MergeEntries) with store,
    }
}

/// Files, and the store.
#[derive(Default)]
struct Handles {
    files: Files,
    store: StoreFiles,
}

impl World for Handles {
    fn persist(&mut self) -> Result<(), StepError> {
        self.files.persist()?;
        self.store.persist()
    }

    fn settle(&mut self) -> Result<(), StepError> {
        self.files.settle()?;
        self.store.settle()
    }

    fn abandon(&mut self) {
        self.files.abandon();
        self.store.abandon();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    drive::main(plan)
}

fn plan(place: &Path) -> Result<Plan<Effect>, Box<dyn Error>> {
    let (python, agent) = (place.join("new/.sessions"), AgentId::parse("main")?);
    let format = if python.is_dir() { Format::Python } else { Format::OpenClaw };
    let folder = format.folder(&place.join("new"), agent.as_str());
    let mut sources = std::fs::read_dir(place.join("old"))?.collect::<Result<Vec<_>, _>>()?;
    sources.sort_by_key(std::fs::DirEntry::file_name);
    let (mut inputs, mut items) = (Vec::new(), Vec::new());
    let (mut backup, mut transcripts, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    for (number, source) in (0..).zip(sources) {
        let (source, id) = (source.path(), ItemId(number));
        let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let input = InputId::new("session", source.display().to_string());
        inputs.push(input.clone());
        items.push(Item::new(input, name.clone(), Outcome::plain(Bucket::Migrated)));
        let task = |wave: &mut Vec<Task<Effect>>, step| wave.push(Task { item: Some(id), step });

        let kept = place.join("new/backup").join(source.file_name().unwrap_or_default());
        let step = InstallFile::plan(&source, Fingerprint::of_file(&source)?, &kept);
        task(&mut backup, step.into());

        let file = format!("{name}.jsonl");
        let content = Bytes(std::fs::read(&source)?);
        task(&mut transcripts, InstallFile::of(content, &folder.join(&file), 0).into());

        let entry = NewEntry { session_id: &name, updated_at: 1000, session_file: &file, metadata: None };
        let entry = entry.build(format).text;
        let mut keys = vec![default_key(&agent, &name)];
        keys.extend(name.starts_with('a').then(|| full_key(&agent, "dm:ada")));
        let keyed = |key| KeyedEntry { key, transcript: file.clone(), entry: entry.clone() };
        entries.extend(keys.into_iter().map(keyed));
    }
    let merge = MergeEntries { store: folder.join(STORE).into(), format, entries };
    let merge = vec![Task { item: None, step: merge.into() }];
    let waves = vec![Wave::publish(backup), Wave::publish(transcripts), Wave::publish(merge)];
    Ok(Plan::new(drive::header("merge_sessions", "session", place), &inputs, items, vec![waves])?)
}
