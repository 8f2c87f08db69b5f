//! From what was asked and what the transcripts hold to a plan.

use std::path::{Path, PathBuf};

use durable_files::PathText;
use jsonl_stitch::load::{Load, Loader, by_loader};
use jsonl_stitch::{Decision, Edit, Why};
use migration_engine::steps::{InstallFile, SpliceFile};
use migration_engine::{Block, Bucket, Header, Item, ItemId, Outcome, Plan, Task, Wave};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_model::{InputId, Splice};

use crate::effect::Effect;
use crate::transcript::{Transcript, Unfit};

/// The member of an item that says what each build will load: the meaning check compares with it.
pub(crate) const LOADS: &str = "loads";
/// The member of an item that says which lines change, and why.
pub(crate) const EDITS: &str = "edits";

/// What a run remembers: the transcripts that it changes, which nobody may have open when it goes on or is taken back.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    changed: Vec<PathText>,
}

impl Settings {
    pub(crate) fn of(header: &Header) -> Self {
        serde_json::from_value(header.settings.clone()).unwrap_or_default()
    }

    pub(crate) fn changed(&self) -> Vec<PathBuf> {
        self.changed.iter().map(|path| path.to_path_buf()).collect()
    }
}

/// A plan under construction.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    items: Vec<Item>,
    backups: Vec<Task<Effect>>,
    splices: Vec<Task<Effect>>,
    settings: Settings,
    partial: bool,
}

impl Draft {
    /// Adds a transcript and what was decided about it.
    pub(crate) fn decided(
        &mut self,
        transcript: &Transcript,
        decision: &Decision,
        targets: &[Loader],
        backup: Option<&Path>,
    ) {
        let is_targeted = |load: &&Load| targets.contains(&load.loader);
        let targeted: Vec<Load> = decision.after.iter().filter(is_targeted).cloned().collect();
        let outcome = match decision.why {
            Why::Better => Outcome::plain(Bucket::Migrated),
            Why::Whole => Outcome::because(Bucket::AlreadyPresent, "no-stitch-needed"),
            Why::NoBetter => Outcome::because(Bucket::AlreadyPresent, "nothing-to-bring-back"),
            Why::Impossible(no_stitch) => {
                Outcome::because(Bucket::Conflict, "cannot-stitch").detail(no_stitch.to_string())
            }
        };
        let mut item = item(&transcript.path, outcome);
        item.own.insert(LOADS.into(), json!(by_loader(&decision.after)));
        if decision.why == Why::Better {
            item.own.insert("before".into(), json!(by_loader(&decision.before)));
            item.own.insert(EDITS.into(), edits(&decision.edits));
        }
        item.findings = targeted.iter().flat_map(Load::findings).collect();
        self.partial |= !targeted.iter().all(Load::is_whole);
        let splices = decision.splices();
        self.add(item, transcript, splices, backup);
    }

    /// Adds a transcript from which an earlier stitch is taken back.
    pub(crate) fn taken_back(&mut self, transcript: &Transcript, splices: Vec<Splice>) {
        self.add(item(&transcript.path, Outcome::plain(Bucket::Migrated)), transcript, splices, None);
    }

    /// Adds a file that nothing can be done with.
    pub(crate) fn unfit(&mut self, path: &Path, unfit: &Unfit) {
        let bucket = if unfit.code == "unreadable" || unfit.code == "not-a-transcript" {
            Bucket::Quarantined
        } else {
            Bucket::Conflict
        };
        self.items.push(item(path, Outcome::because(bucket, unfit.code).detail(unfit.message.clone())));
    }

    fn add(&mut self, item: Item, transcript: &Transcript, splices: Vec<Splice>, backup: Option<&Path>) {
        let id = ItemId(u32::try_from(self.items.len()).unwrap_or(u32::MAX));
        self.items.push(item);
        if splices.is_empty() {
            return;
        }
        let Transcript { path, fingerprint, .. } = transcript;
        if let (Some(folder), Some(name)) = (backup, path.file_name()) {
            let step = InstallFile::plan(path, *fingerprint, &folder.join(name));
            self.backups.push(Task { item: Some(id), step: Effect::Backup(step) });
        }
        self.settings.changed.push(path.as_path().into());
        let step = SpliceFile { target: path.as_path().into(), expect: *fingerprint, splices };
        self.splices.push(Task { item: Some(id), step: Effect::Splice(step) });
    }

    /// The items so far.
    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    pub(crate) fn finish(self) -> Plan<Effect> {
        let Self { items, backups, splices, settings, partial } = self;
        let header = Header {
            tool: String::new(),
            version: String::new(),
            blocks: vec![Block { kind: "transcript".into(), title: "transcripts".into(), inputs: 0 }],
            locks: Vec::new(),
            settings: json!(settings),
            partial,
            findings: Vec::new(),
        };
        let inputs: Vec<InputId> = items.iter().map(|item| item.input.clone()).collect();
        let waves = [Wave::publish(backups), Wave::publish(splices)];
        let lane = waves.into_iter().filter(|wave| !wave.tasks.is_empty()).collect();
        Plan::new(header, &inputs, items, vec![lane]).expect("because every file is an item")
    }
}

fn item(path: &Path, outcome: Outcome) -> Item {
    let name = path.display().to_string();
    let input = InputId::new("transcript", name.clone());
    Item { targets: vec![name.clone()], ..Item::new(input, name, outcome) }
}

/// Which lines change and why: ids only, which the splices of the journal hold.
fn edits(edits: &[Edit]) -> Value {
    edits.iter().map(|edit| json!({ "line": edit.line, "kind": edit.kind })).collect()
}

/// Files that were named more than once are looked at once.
pub(crate) fn without_repeats(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = std::collections::BTreeSet::new();
    let real = |file: &PathBuf| file.canonicalize().unwrap_or_else(|_| file.clone());
    files.into_iter().filter(|file| seen.insert(real(file))).collect()
}
