//! From what was asked and what the transcripts hold to a plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use durable_files::PathText;
use jsonl_stitch::load::{Load, Loader, by_loader};
use jsonl_stitch::{Decision, Why};
use migration_engine::steps::{Files, InstallFile, SpliceFile};
use migration_engine::{
    Block, Bucket, Cx, Header, Item, ItemId, Look, Outcome, Plan, State, Step, Task, Wave,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use session_model::{Finding, InputId, Splice};

use crate::edits;
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
    gains: BTreeMap<Loader, Gain>,
    partial: bool,
}

/// How many messages of the stitched transcripts a build shows.
#[derive(Debug, Default)]
struct Gain {
    before: u64,
    after: u64,
    of: u64,
}

impl Draft {
    /// Adds a transcript and what was decided about it.
    pub(crate) fn decided(
        &mut self,
        transcript: &Transcript,
        decision: Decision,
        targets: &[Loader],
        backup: Option<InstallFile>,
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
            item.own.insert(EDITS.into(), edits::said(&decision.edits));
            self.gain(&decision.before, &targeted);
        }
        item.findings = targeted.iter().flat_map(Load::findings).collect();
        self.partial |= !targeted.iter().all(Load::is_whole);
        let splices = decision.into_splices();
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

    fn gain(&mut self, before: &[Load], after: &[Load]) {
        for load in after {
            let gain = self.gains.entry(load.loader).or_default();
            let shown = |before: &&Load| before.loader == load.loader;
            gain.before += before.iter().find(shown).map_or(0, |before| before.shown);
            gain.after += load.shown;
            gain.of += load.of;
        }
    }

    /// Where a copy of a transcript would go: a place of its own, that nothing else is at.
    pub(crate) fn backup(
        &self,
        transcript: &Transcript,
        folder: &Path,
        cx: &Cx<'_>,
    ) -> Result<InstallFile, Unfit> {
        let Transcript { path, fingerprint, .. } = transcript;
        let copy = folder.join(path.file_name().unwrap_or_default());
        let step = InstallFile::plan(path, *fingerprint, &copy);
        let is_ours =
            |task: &Task<Effect>| matches!(&task.step, Effect::Backup(other) if other.target == step.target);
        let is_itself =
            copy.canonicalize().is_ok_and(|copy| path.canonicalize().is_ok_and(|path| path == copy));
        let is_other = || {
            let found = step.inspect(&mut Files::default(), None, Look::Full, cx);
            !matches!(found, Ok(State::Pending | State::Done))
        };
        if is_itself || self.backups.iter().any(is_ours) || is_other() {
            return Err(Unfit {
                code: "backup-occupied",
                message: format!(
                    "cannot keep a copy of {} at {}: something else is there",
                    path.display(),
                    copy.display()
                ),
                hint: "name another folder: --backup DIR".into(),
            });
        }
        Ok(step)
    }

    fn add(
        &mut self,
        item: Item,
        transcript: &Transcript,
        splices: Vec<Splice>,
        backup: Option<InstallFile>,
    ) {
        let id = ItemId(u32::try_from(self.items.len()).unwrap_or(u32::MAX));
        self.items.push(item);
        if splices.is_empty() {
            return;
        }
        let Transcript { path, fingerprint, .. } = transcript;
        let backup = backup.map(|step| Task { item: Some(id), step: Effect::Backup(step) });
        self.backups.extend(backup);
        self.settings.changed.push(path.as_path().into());
        let step = SpliceFile { target: path.as_path().into(), expect: *fingerprint, splices };
        self.splices.push(Task { item: Some(id), step: Effect::Splice(step) });
    }

    /// The items so far.
    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    pub(crate) fn finish(self) -> Plan<Effect> {
        let Self { items, backups, splices, settings, gains, partial } = self;
        let header = Header {
            tool: String::new(),
            version: String::new(),
            blocks: vec![Block { kind: "transcript".into(), title: "transcripts".into(), inputs: 0 }],
            locks: Vec::new(),
            concerns: backups.iter().chain(&splices).map(|task| task.step.target().clone()).collect(),
            settings: json!(settings),
            partial,
            findings: shown(&gains).into_iter().collect(),
        };
        let inputs: Vec<InputId> = items.iter().map(|item| item.input.clone()).collect();
        let waves = [Wave::publish(backups), Wave::publish(splices)];
        let lane = waves.into_iter().filter(|wave| !wave.tasks.is_empty()).collect();
        Plan::new(header, &inputs, items, vec![lane]).expect("because every file is an item")
    }
}

/// What a stitch is for, in words.
fn shown(gains: &BTreeMap<Loader, Gain>) -> Option<Finding> {
    let shown = gains.iter().map(|(loader, Gain { before, after, of })| {
        let instead = if before == after { String::new() } else { format!(" instead of {before}") };
        format!("{} shows {after} of {of} messages{instead}", loader.name())
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    (!gains.is_empty()).then(|| Finding::note("shown", shown))
}

fn item(path: &Path, outcome: Outcome) -> Item {
    let name = path.display().to_string();
    let input = InputId::new("transcript", name.clone());
    Item { targets: vec![name.clone()], ..Item::new(input, name, outcome) }
}

/// Files that were named more than once are looked at once.
pub(crate) fn without_repeats(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = std::collections::BTreeSet::new();
    let real = |file: &PathBuf| file.canonicalize().unwrap_or_else(|_| file.clone());
    files.into_iter().filter(|file| seen.insert(real(file))).collect()
}
