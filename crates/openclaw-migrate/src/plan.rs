//! From what was found to a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use durable_files::{Fingerprint, PathText, missing_dirs};
use legacy_readers::openclaw::{Content, MAP, SESSION, Session, Source, Workspace};
use migration_cli::Refusal;
use migration_engine::steps::{InstallFile, Verbatim};
use migration_engine::{Block, Bucket, Header, Item, ItemId, Outcome, Plan, Task, Wave};
use rayon::prelude::*;
use serde_json::json;
use session_model::{Anomaly, Finding, InputId, Survey};
use session_store::transcript::Standing;
use session_store::{
    AgentId, Format, InstallTranscript, KeyedEntry, MergeEntries, STORE, is_session_id, says_all_of,
    says_the_same,
};

use crate::backup::{self, Backup};
use crate::destination::{self, Entry, Existing, Found};
use crate::effect::Effect;
use crate::keys::{self, Claimant, Keys};
use crate::session::{self, Arriving, Common, file_name};
use crate::settings::{Arrival, Settings};
use crate::step::{BackUp, RemoveOriginal};

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) workspace: PathBuf,
    pub(crate) agent: AgentId,
    pub(crate) format: Format,
    pub(crate) makes_backup: bool,
    pub(crate) removes_originals: bool,
    pub(crate) patience: u64,
    /// Where the store is, or will be.
    pub(crate) folder: PathBuf,
}

/// A plan under construction.
struct Draft<'a> {
    asked: &'a Asked,
    items: Vec<Item>,
    transcripts: Vec<Task<Effect>>,
    entries: Vec<Task<Effect>>,
    new_keys: BTreeSet<String>,
    removals: Vec<ItemId>,
    arrivals: Vec<Arrival>,
}

/// A session of the old format, and all that was found out for it.
struct Candidate<'a> {
    source: &'a Source,
    session: &'a Session,
    arriving: Arriving,
    found: Found,
}

/// Decides what becomes of every file.
pub(crate) fn plan(
    survey: Survey<Workspace>,
    existing: &Existing,
    asked: &Asked,
) -> Result<Plan<Effect>, Refusal> {
    let Survey { found: workspace, mut inputs, anomalies } = survey;
    let cwd = asked.workspace.display().to_string();
    let common = Common { format: asked.format, cwd: &cwd, has_backup: asked.makes_backup };
    let candidates: Vec<Candidate<'_>> =
        workspace.sources.par_iter().filter_map(|source| candidate(source, common, &asked.folder)).collect();
    let claimants: Vec<Claimant<'_>> = candidates
        .iter()
        .map(|one| Claimant { id: &one.source.id, explicit: session::explicit_key(one.session) })
        .collect();
    let map = workspace.map.as_ref().map_or(&[][..], |map| &map.entries);
    let assigned = keys::assign(&asked.agent, &claimants, map, &existing.keys);

    let mut draft = Draft::new(asked);
    let mut decided: BTreeMap<&Path, (&Candidate<'_>, Keys)> =
        candidates.iter().zip(assigned).map(|(one, keys)| (one.source.path.as_path(), (one, keys))).collect();
    for source in &workspace.sources {
        match decided.remove(source.path.as_path()) {
            Some((candidate, keys)) => draft.session(candidate, &keys, existing),
            None => draft.other(source),
        }
    }
    draft.map(&workspace, existing);
    let is_settled = draft.transcripts.is_empty() && draft.entries.is_empty() && draft.removals.is_empty();
    let backup = if asked.makes_backup && !is_settled { Some(choose_backup(&workspace)?) } else { None };
    let places = draft.places();
    inputs.sort_by_key(|input| places.get(&*input.id).copied());
    drop(places);
    let run_findings = anomalies.into_iter().filter(|anomaly| anomaly.code == "no-sessions-folder");
    draft.finish(&workspace, &inputs, backup, run_findings.map(|anomaly| of_the_run(&anomaly)).collect())
}

fn candidate<'a>(source: &'a Source, common: Common<'_>, folder: &Path) -> Option<Candidate<'a>> {
    let Content::Session(session) = &source.content else { return None };
    if common.format == Format::OpenClaw && !is_session_id(&source.id) {
        return None;
    }
    let arriving = session::arriving(source, session, common);
    let found = destination::found(folder, &source.id, &arriving.conversion);
    Some(Candidate { source, session, arriving, found })
}

/// All old files that can be copied, in their order.
fn choose_backup(workspace: &Workspace) -> Result<Backup, Refusal> {
    let files = copied(workspace);
    backup::choose(&workspace.folder, &files).map_err(|error| {
        let message = format!("cannot look at the backups in {}: {error}", workspace.folder.display());
        Refusal::new("backup-unreadable", message, "make them readable, or say --no-backup")
    })
}

/// The files of which copies are made: also those that cannot be migrated, and the map.
fn copied(workspace: &Workspace) -> Vec<Verbatim> {
    let sessions = workspace.sources.iter().filter_map(|source| match &source.content {
        Content::Session(session) => {
            Some(Verbatim { digest: session.digest, ..Verbatim::of(&source.path, session.fingerprint) })
        }
        Content::Quarantined(anomaly) if !matches!(anomaly.code.as_str(), "unreadable" | "not-a-file") => {
            Some(Verbatim::of(&source.path, Fingerprint::of_file(&source.path).ok()?))
        }
        Content::Quarantined(_) | Content::Skipped(_) => None,
    });
    let map = workspace.map.iter().filter_map(|map| Some(Verbatim::of(&map.path, map.fingerprint?)));
    sessions.chain(map).collect()
}

fn of_the_run(anomaly: &Anomaly) -> Finding {
    Finding::warning(anomaly.code.clone(), anomaly.to_string())
}

impl<'a> Draft<'a> {
    fn new(asked: &'a Asked) -> Self {
        Self {
            asked,
            items: Vec::new(),
            transcripts: Vec::new(),
            entries: Vec::new(),
            new_keys: BTreeSet::new(),
            removals: Vec::new(),
            arrivals: Vec::new(),
        }
    }

    fn next_item(&self) -> ItemId {
        ItemId(u32::try_from(self.items.len()).expect("because a folder holds fewer files"))
    }

    /// A file that is no session, or none that can be read.
    fn other(&mut self, source: &Source) {
        let outcome = match &source.content {
            Content::Skipped(anomaly) => {
                Outcome::because(Bucket::Skipped, &anomaly.code).detail(&anomaly.message)
            }
            Content::Quarantined(anomaly) if anomaly.code == "changed-while-reading" => {
                Outcome::because(Bucket::Failed, &anomaly.code).detail(&anomaly.message)
            }
            Content::Quarantined(anomaly) => {
                Outcome::because(Bucket::Quarantined, &anomaly.code).detail(anomaly.to_string())
            }
            Content::Session(_) => Outcome::because(Bucket::Quarantined, "id-not-allowed")
                .detail("OpenClaw takes ids of letters, digits, `.`, `_` and `-`, at most 128"),
        };
        self.items.push(item(source, outcome));
    }

    fn session(&mut self, candidate: &Candidate<'_>, keys: &Keys, existing: &Existing) {
        let Candidate { source, arriving, found, .. } = candidate;
        let (mut outcome, more) = outcome(arriving, keys, *found, existing);
        let transcript = self.asked.folder.join(file_name(&source.id));
        if outcome.bucket == Bucket::Migrated && destination::is_in_use(&transcript) {
            let detail = "OpenClaw has its transcript open: stop it, or wait until it is done";
            outcome = Outcome::because(Bucket::Conflict, "transcript-in-use").detail(detail);
        }
        if let (Bucket::Migrated, Some((key, other))) =
            (outcome.bucket, existing.shares(&transcript, &source.id))
        {
            let detail = format!("the store has session {other} under {key}, whose transcript it would be");
            outcome = Outcome::because(Bucket::Conflict, "transcript-shared").detail(detail);
        }
        let arrives = matches!(outcome.bucket, Bucket::Migrated | Bucket::AlreadyPresent);
        let id = self.next_item();
        let mut item = item(source, outcome);
        item.findings = [arriving.findings.clone(), keys.findings.clone(), more].concat();
        let named: Vec<String> = keys.primary.iter().chain(&keys.aliases).cloned().collect();
        if let Some(key) = named.first() {
            item.own.insert("key".to_owned(), json!(key));
        }
        if item.planned.bucket == Bucket::Migrated {
            item.targets = vec![transcript.display().to_string()];
            self.arrive(id, candidate, keys, existing, &transcript);
        }
        if arrives {
            if self.asked.removes_originals {
                self.removals.push(id);
            }
            self.arrivals.push(Arrival {
                input: item.input.id.clone(),
                session: source.id.clone(),
                keys: named,
                transcript: transcript.into(),
                conversion: arriving.conversion.clone(),
                copy: None,
            });
        }
        self.items.push(item);
    }

    /// The steps that bring a session into the store.
    fn arrive(
        &mut self,
        id: ItemId,
        candidate: &Candidate<'_>,
        keys: &Keys,
        existing: &Existing,
        transcript: &Path,
    ) {
        let Candidate { source, session, arriving, found } = candidate;
        if *found == Found::Nothing {
            let file = InstallFile {
                content: arriving.conversion.clone(),
                target: transcript.into(),
                new_dirs: missing_dirs(&self.asked.folder).into_iter().map(PathText::from).collect(),
                mtime: session.fingerprint.mtime,
            };
            let step = InstallTranscript { file, store: self.store(), format: self.asked.format };
            self.transcripts.push(Task { item: Some(id), step: Effect::Transcript(step) });
        }
        // What is there already may have gone on since: another key leads to that.
        let there = keys.primary.as_ref().filter(|_| keys.is_there).and_then(|key| existing.entries.get(key));
        let entry = there.map_or(&arriving.entry, |there| &there.text);
        let primary = keys.primary.iter().filter(|_| !keys.is_there);
        let new: Vec<String> = primary.chain(&keys.aliases).cloned().collect();
        self.new_keys.extend(new.iter().cloned());
        let step = MergeEntries {
            store: self.store(),
            format: self.asked.format,
            session: source.id.clone(),
            transcript: file_name(&source.id),
            entries: new.into_iter().map(|key| KeyedEntry { key, entry: entry.clone() }).collect(),
            is_known: keys.is_there,
        };
        self.entries.push(Task { item: Some(id), step: Effect::Entries(step) });
    }

    fn store(&self) -> PathText {
        self.asked.folder.join(STORE).into()
    }

    /// The map of routing keys: an input of its own.
    fn map(&mut self, workspace: &Workspace, existing: &Existing) {
        let Some(map) = &workspace.map else { return };
        let input = InputId::new(MAP, map.path.display().to_string());
        let is_new = |(key, _): &(String, String)| self.new_keys.contains(key);
        let outcome = if let Some(damage) = map.damage.first() {
            Outcome::because(Bucket::Quarantined, &damage.code).detail(damage.to_string())
        } else if map.entries.iter().any(is_new) {
            Outcome::plain(Bucket::Migrated)
        } else if map.entries.is_empty() {
            Outcome::because(Bucket::Skipped, "empty-map")
        } else {
            Outcome::plain(Bucket::AlreadyPresent)
        };
        let mut item = Item::new(input, "session_map.json", outcome);
        let sources = workspace.sources.iter().map(|source| &source.id);
        let known: BTreeSet<&String> = sources.chain(existing.keys.values()).collect();
        let dangling = map.entries.iter().filter(|(_, id)| !known.contains(id));
        item.findings = dangling
            .map(|(key, id)| {
                let message =
                    format!("{key} leads to session {id}, of which there is no file; no entry is made");
                Finding::warning("map-entry-without-file", message)
            })
            .collect();
        item.findings.extend(map.damage.iter().skip(1).map(of_the_run));
        if self.asked.removes_originals && self.all_go() && map.damage.is_empty() {
            item.needs.clone_from(&self.removals);
            self.removals.push(self.next_item());
        }
        self.items.push(item);
    }

    /// Whether no session's file stays.
    fn all_go(&self) -> bool {
        let stays = |item: &&Item| item.planned.bucket != Bucket::Skipped;
        self.items.iter().filter(stays).count() == self.removals.len()
    }

    fn finish(
        mut self,
        workspace: &Workspace,
        inputs: &[InputId],
        backup: Option<Backup>,
        findings: Vec<Finding>,
    ) -> Result<Plan<Effect>, Refusal> {
        let copies = self.copies(workspace, backup.as_ref());
        let made = copies.len() as u64;
        let store = self.store();
        let removals = self.removal_tasks(workspace, backup.as_ref());
        let mut lane = Vec::new();
        if !copies.is_empty() {
            lane.push(Wave::publish(copies));
        }
        if !self.transcripts.is_empty() {
            lane.push(Wave::publish(std::mem::take(&mut self.transcripts)));
        }
        if !self.entries.is_empty() {
            lane.push(Wave::publish(std::mem::take(&mut self.entries)));
        }
        if !removals.is_empty() {
            lane.push(Wave::retire(removals));
        }
        self.arrivals.sort_by(|one, other| one.input.cmp(&other.input));
        let settings = Settings {
            workspace: self.asked.workspace.clone().into(),
            sessions: workspace.folder.clone().into(),
            is_there: findings.is_empty(),
            store,
            format: self.asked.format,
            patience: self.asked.patience,
            backup: backup.map(|backup| (backup.folder.into(), made)),
            arrivals: self.arrivals,
        };
        let header = Header {
            tool: String::new(), // the driver knows it, and the version and the locks
            version: String::new(),
            blocks: blocks(),
            locks: Vec::new(),
            concerns: Vec::new(),
            settings: serde_json::to_value(settings).expect("because settings are plain data with text keys"),
            partial: false,
            findings,
        };
        let lanes = if lane.is_empty() { Vec::new() } else { vec![lane] };
        Plan::new(header, inputs, self.items, lanes).map_err(|error| {
            Refusal::failure("plan", error.to_string(), "this is a defect of the tool: please report it")
        })
    }

    /// Where each input's item stands.
    fn places(&self) -> BTreeMap<&str, ItemId> {
        let ids = (0..).map(ItemId);
        self.items.iter().map(|item| item.input.id.as_str()).zip(ids).collect()
    }

    /// The steps that copy the old files, and where each arrival's copy will be.
    fn copies(&mut self, workspace: &Workspace, backup: Option<&Backup>) -> Vec<Task<Effect>> {
        let Some(backup) = backup else { return Vec::new() };
        let new_dirs: Vec<PathText> = missing_dirs(&backup.folder).into_iter().map(PathText::from).collect();
        let removals: BTreeSet<ItemId> = self.removals.iter().copied().collect();
        let places = self.places();
        let (mut tasks, mut all) = (Vec::new(), BTreeMap::new());
        for (file, (copy, is_there)) in copied(workspace).into_iter().zip(&backup.copies) {
            let name = file.source.display().to_string();
            let item = places.get(name.as_str()).copied();
            all.insert(name, copy);
            if !is_there {
                let mtime = file.expect.mtime;
                let new_dirs = new_dirs.clone();
                let file = InstallFile { content: file, target: copy.into(), new_dirs, mtime };
                let is_removed = item.is_some_and(|item| removals.contains(&item));
                tasks.push(Task { item, step: Effect::Backup(BackUp { file, is_removed }) });
            }
        }
        for arrival in &mut self.arrivals {
            arrival.copy = all.get(&arrival.input).map(|copy| PathText::from(copy.as_path()));
        }
        tasks
    }

    /// The steps that remove old files, each of which has its copy.
    fn removal_tasks(&self, workspace: &Workspace, backup: Option<&Backup>) -> Vec<Task<Effect>> {
        let Some(backup) = backup else { return Vec::new() };
        let files = copied(workspace).into_iter().zip(&backup.copies);
        let files: BTreeMap<String, _> =
            files.map(|(file, (copy, _))| (file.source.display().to_string(), (file, copy))).collect();
        let of_item = |id: &ItemId| {
            let (file, copy) = files.get(&self.items[id.0 as usize].input.id)?;
            let step = RemoveOriginal { source: file.source.clone(), expect: file.expect, copy: copy.into() };
            Some(Task { item: Some(*id), step: Effect::Remove(step) })
        };
        self.removals.iter().filter_map(of_item).collect()
    }
}

/// The kinds of input, in the order of reports.
fn blocks() -> Vec<Block> {
    let block = |kind: &str, title: &str| Block { kind: kind.into(), title: title.into(), inputs: 0 };
    vec![block(SESSION, "session files"), block(MAP, "session map")]
}

fn item(source: &Source, outcome: Outcome) -> Item {
    let path = source.path.display().to_string();
    let mut item = Item::new(InputId::new(SESSION, path.clone()), source.id.clone(), outcome);
    item.source = Some(path);
    item
}

/// The bucket of a session (formats/openclaw.md §11, "Merge"), and what there is to say about that.
fn outcome(arriving: &Arriving, keys: &Keys, found: Found, existing: &Existing) -> (Outcome, Vec<Finding>) {
    let Some(primary) = &keys.primary else {
        let detail = "every key it could have leads to another session";
        return (Outcome::because(Bucket::Conflict, "no-key").detail(detail), Vec::new());
    };
    let is_whole = matches!(found, Found::Transcript(Standing::Equal | Standing::Longer));
    if !keys.is_there {
        return match found {
            Found::Nothing => (Outcome::plain(Bucket::Migrated), Vec::new()),
            _ if is_whole => {
                let finding =
                    Finding::note("transcript-there", "its transcript was there already, and stays");
                (Outcome::plain(Bucket::Migrated), vec![finding])
            }
            _ => (conflict(found), Vec::new()),
        };
    }
    let Some(there) = existing.entries.get(primary) else {
        return (conflict(found), Vec::new());
    };
    match standing(there, arriving, found) {
        Some(Bucket::AlreadyPresent | Bucket::Superseded) if is_whole && !keys.aliases.is_empty() => {
            (Outcome::plain(Bucket::Migrated), Vec::new()) // a routing key does not lead there yet
        }
        Some(Bucket::Superseded) if !is_whole => {
            let message = "the store has a newer entry, whose transcript does not begin with these messages; both are kept";
            (Outcome::plain(Bucket::Superseded), vec![Finding::warning("transcript-differs", message)])
        }
        Some(bucket) => (Outcome::plain(bucket), Vec::new()),
        None if found == Found::Nothing && !there.has_transcript => {
            let detail = "the store has an entry of it, but not the transcript that this leads to; mend or remove the entry";
            (Outcome::because(Bucket::Conflict, "transcript-missing").detail(detail), Vec::new())
        }
        None => (conflict(found), Vec::new()),
    }
}

/// How an entry that is there stands to ours.
fn standing(there: &Entry, arriving: &Arriving, found: Found) -> Option<Bucket> {
    let is_newer = there.updated_at > arriving.updated_at;
    let says_all = says_all_of(&there.text, &arriving.entry);
    match found {
        Found::Transcript(Standing::Equal) if says_the_same(&there.text, &arriving.entry) => {
            Some(Bucket::AlreadyPresent)
        }
        Found::Transcript(Standing::Equal | Standing::Longer) if is_newer || says_all => {
            Some(Bucket::Superseded)
        }
        _ if is_newer && there.has_transcript => Some(Bucket::Superseded),
        _ => None,
    }
}

fn conflict(found: Found) -> Outcome {
    let (reason, detail) = match found {
        Found::Transcript(Standing::Differs(line)) => (
            "transcript-differs",
            format!("the transcript that is there differs from line {line} on; both are kept"),
        ),
        Found::Other => (
            "transcript-occupied",
            "what is in the place of its transcript is none, or cannot be read".into(),
        ),
        Found::NameTooLong => (
            "name-too-long",
            "its transcript would have a longer name than the file system takes; give its file a shorter one"
                .into(),
        ),
        _ => ("entry-differs", "the store says other things of it, and not newer ones; both are kept".into()),
    };
    Outcome::because(Bucket::Conflict, reason).detail(detail)
}
