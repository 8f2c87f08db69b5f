//! A few sessions brought to a store: a backup, then transcripts and entries.
//!
//! `merge_sessions apply|resume|undo|keep|set-aside PLACE`, where PLACE holds `old/ID.txt` and, afterwards, `state/`. The
//! store is `new/.sessions` if that is there, else OpenClaw's in `new/agents/main/sessions`. A session whose id begins
//! with `a` is found by two keys.

#[path = "../../migration-engine/examples/drive/mod.rs"]
mod drive;

use std::error::Error;
use std::path::Path;

use durable_files::{Fingerprint, PathText};
use migration_engine::steps::{Bytes, InstallFile};
use migration_engine::{Bucket, Item, ItemId, Outcome, Plan, Task, Wave, compose_steps};
use session_model::InputId;
use session_store::{
    AgentId, Format, InstallTranscript, KeyedEntry, MergeEntries, NewEntry, STORE, StoreFiles, default_key,
    full_key,
};

compose_steps! {
    /// What bringing a session consists of.
    enum Effect, Trace in StoreFiles {
        /// The old file is kept.
        Backup(InstallFile) with files,
        /// What was said.
        Transcript(InstallTranscript<Bytes>),
        /// What the store says of it.
        Entries(MergeEntries),
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

        let transcript = format!("{name}.jsonl");
        let content = Bytes(std::fs::read(&source)?);
        let file = InstallFile::of(content, &folder.join(&transcript), 0);
        let store = PathText::from(folder.join(STORE));
        task(&mut transcripts, InstallTranscript { file, store: store.clone(), format }.into());

        let entry =
            NewEntry { session_id: &name, updated_at: 1000, session_file: &transcript, metadata: None };
        let entry = entry.build(format).text;
        let mut keys = vec![default_key(&agent, &name)];
        keys.extend(name.starts_with('a').then(|| full_key(&agent, "dm:ada")));
        let keyed = keys.into_iter().map(|key| KeyedEntry { key, entry: entry.clone() }).collect();
        let merge =
            MergeEntries { store, format, session: name, transcript, entries: keyed, is_known: false };
        task(&mut entries, merge.into());
    }
    let waves = vec![Wave::publish(backup), Wave::publish(transcripts), Wave::publish(entries)];
    Ok(Plan::new(drive::header("merge_sessions", "session", place), &inputs, items, vec![waves])?)
}
