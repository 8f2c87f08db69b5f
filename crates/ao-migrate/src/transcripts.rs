//! The transcripts of the sessions that migrate: found, compared with what stands at their destination, planned
//! (formats/ao.md §9).

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use migration_engine::steps::InstallFile;
use migration_engine::{Bucket, Cx, Item, ItemId, Outcome};
use session_model::{Finding, Harness, InputId, Timestamp};
use transcript_relocate::{
    Destination, FoundFile, FoundTranscript, Homes, Unreadable, cleanup_period_days, find_transcript,
    plan_file,
};

use crate::mapping::{Arrival, MappedSession};

const DAY: i128 = 86_400 * 1_000_000_000;

/// Everything there is to do about transcripts.
#[derive(Debug, Default)]
pub(crate) struct Transcripts {
    /// The files that a session refers to, each once, with the steps that copy it; last what cannot be read.
    pub(crate) files: Vec<(Item, Vec<InstallFile>)>,
    /// Which of the files resumes a session that is resumed by one, by the session's position: `None` if none will
    /// stand where Claude Code looks for it.
    pub(crate) resumed_from: HashMap<usize, Option<usize>>,
    /// What there is to say about sessions, by their position.
    pub(crate) findings: Vec<(usize, Finding)>,
    /// What there is to say about all of them.
    pub(crate) of_the_run: Option<Finding>,
}

impl Transcripts {
    /// Whether nothing speaks against resuming a session by hand: either no transcript resumes it, or one that stands.
    pub(crate) fn may_resume(&self, session: usize) -> bool {
        self.resumed_from.get(&session).is_none_or(Option::is_some)
    }
}

/// What decides over all of them.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) homes: &'a Homes,
    /// Whether copies get the time of the run.
    pub(crate) touch: bool,
    pub(crate) now: Timestamp,
    pub(crate) cx: &'a Cx<'a>,
    /// The id of the first session's item.
    pub(crate) first_session: u32,
}

/// A file and all the places it goes to: two sessions may share a transcript.
struct Copies {
    file: FoundFile,
    session: usize,
    destinations: Vec<Destination>,
}

/// Looks for the transcripts of these sessions, and plans their copies.
pub(crate) fn plan(sessions: &[MappedSession], setting: &Setting<'_>) -> Transcripts {
    let mut search = Search::default();
    for (number, session) in sessions.iter().enumerate() {
        let of_claude = |arrival: &&Arrival| arrival.row.harness == Some(Harness::ClaudeCode);
        if let Some(arrival) = session.arrival.as_deref().filter(of_claude) {
            let resumed_from = search.look_for(number, arrival, setting);
            search.transcripts.resumed_from.insert(number, resumed_from);
        }
    }
    let Search { mut transcripts, copies, unreadable, .. } = search;
    transcripts.files = copies.into_iter().map(|copies| copies.plan(setting)).collect();
    transcripts
        .files
        .extend(unreadable.into_iter().map(|(session, what)| quarantined(session, what, setting)));
    let keeps_days = cleanup_period_days(&setting.homes.write);
    transcripts.of_the_run = soon_cleaned_up(&transcripts.files, setting.now, keeps_days);
    transcripts
}

/// What was found so far.
#[derive(Default)]
struct Search {
    transcripts: Transcripts,
    copies: Vec<Copies>,
    /// Where each file is among the copies.
    known: HashMap<PathBuf, usize>,
    /// What cannot be read, with the session that refers to it.
    unreadable: Vec<(usize, Unreadable)>,
    known_unreadable: HashSet<PathBuf>,
}

impl Search {
    /// Looks for all that belongs to one session, and answers which of the copies will resume it.
    fn look_for(&mut self, session: usize, arrival: &Arrival, setting: &Setting<'_>) -> Option<usize> {
        let id = arrival.row.agent_session_id.as_str();
        if id.is_empty() || arrival.legacy_worktree.is_empty() {
            return None;
        }
        let directory = Path::new(&arrival.legacy_worktree);
        let found = match find_transcript(&setting.homes.read, directory, id, setting.now) {
            Ok(found) => found,
            Err(error) => {
                let finding = Finding::warning("agent-id-invalid", error.to_string());
                self.transcripts.findings.push((session, finding));
                return None;
            }
        };
        let name = PathBuf::from(format!("{id}.jsonl"));
        let findings = no_transcript(&found, &name, directory).into_iter().chain(found.findings);
        self.transcripts.findings.extend(findings.map(|finding| (session, finding)));
        let new = |what: &Unreadable| self.known_unreadable.insert(what.path.clone());
        self.unreadable.extend(found.unreadable.into_iter().filter(new).map(|what| (session, what)));
        let target_dir = setting.homes.transcript_dir(arrival.managed_path.as_std_path());
        let mut resumed_from = None;
        for file in found.files {
            let is_transcript = file.relative == name;
            let at = self.copy_of(file, session);
            let will_stand = self.copies[at].goes_to(&target_dir, setting);
            resumed_from = resumed_from.or((is_transcript && will_stand).then_some(at));
        }
        resumed_from
    }

    fn copy_of(&mut self, file: FoundFile, session: usize) -> usize {
        *self.known.entry(file.path.clone()).or_insert_with(|| {
            self.copies.push(Copies { file, session, destinations: Vec::new() });
            self.copies.len() - 1
        })
    }
}

/// Why there is no transcript to copy: what cannot be read is not called missing.
fn no_transcript(found: &FoundTranscript, name: &Path, directory: &Path) -> Option<Finding> {
    if found.files.iter().any(|file| file.relative == name) {
        return None;
    }
    let directory = directory.display();
    let (code, message) = if found.unreadable.is_empty() {
        (
            "transcript-missing",
            format!("no transcript of {directory} was found: Claude Code will not resume it"),
        )
    } else {
        (
            "transcript-unreadable",
            format!("no transcript of {directory} can be read: Claude Code will not resume it"),
        )
    };
    Some(Finding::warning(code, message))
}

fn quarantined(session: usize, what: Unreadable, setting: &Setting<'_>) -> (Item, Vec<InstallFile>) {
    let outcome = Outcome::because(Bucket::Quarantined, "unreadable").detail(what.why);
    let name = what.path.file_name().unwrap_or(what.path.as_os_str()).display().to_string();
    (item(&what.path, name, outcome, session, setting), Vec::new())
}

fn item(path: &Path, name: String, outcome: Outcome, session: usize, setting: &Setting<'_>) -> Item {
    let source = path.display().to_string();
    let mut item = Item::new(InputId::new("transcript", source.clone()), name, outcome);
    item.source = Some(source);
    item.needs = vec![ItemId(setting.first_session + u32::try_from(session).expect("because ids are u32"))];
    item
}

impl Copies {
    /// Answers whether the file will stand in the folder of these transcripts.
    fn goes_to(&mut self, target_dir: &Path, setting: &Setting<'_>) -> bool {
        let target = target_dir.join(&self.file.relative);
        if target == self.file.path {
            return true;
        }
        if let Some(known) = self.destinations.iter().find(|known| known.target == target) {
            return known.will_stand();
        }
        let root = setting.homes.projects();
        let destination = Destination::survey(&self.file.path, &target, root, setting.cx);
        let will_stand = destination.will_stand();
        self.destinations.push(destination);
        will_stand
    }

    fn plan(self, setting: &Setting<'_>) -> (Item, Vec<InstallFile>) {
        let touch = setting.touch.then(|| i64::try_from(setting.now.as_nanosecond()).unwrap_or(i64::MAX));
        let name = self.file.relative.display().to_string();
        let planned = plan_file(&self.file, &self.destinations, touch);
        let mut item = item(&self.file.path, name, planned.outcome, self.session, setting);
        item.targets = self.destinations.iter().map(|known| known.target.display().to_string()).collect();
        (item, planned.steps)
    }
}

/// The client deletes transcripts by their modification time, which a faithful copy keeps.
fn soon_cleaned_up(files: &[(Item, Vec<InstallFile>)], now: Timestamp, keeps_days: u64) -> Option<Finding> {
    let age = |step: &InstallFile| (now.as_nanosecond() - i128::from(step.mtime)) / DAY;
    let old = files.iter().filter(|(_, steps)| steps.iter().any(|step| age(step) >= i128::from(keeps_days)));
    let count = old.count();
    (count > 0).then(|| {
        let message = format!(
            "{count} of the copied files last changed more than {keeps_days} days ago, and Claude Code deletes transcripts \
             after that: --touch gives the copies the time of the run, cleanupPeriodDays in its settings.json spares all"
        );
        Finding::warning("older-than-cleanup", message)
    })
}
