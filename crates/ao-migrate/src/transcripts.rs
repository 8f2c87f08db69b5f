//! The transcripts of the sessions that migrate: found, compared with what stands at their destination, planned
//! (formats/ao.md §9).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use migration_engine::steps::InstallFile;
use migration_engine::{Bucket, Cx, Item, ItemId, Outcome};
use session_model::{Finding, Harness, InputId, Timestamp};
use transcript_relocate::{
    Destination, FindError, FoundFile, FoundTranscript, Homes, cleanup_period_days, find_transcript,
    plan_file,
};

use crate::mapping::{Arrival, MappedSession};

const DAY: i128 = 86_400 * 1_000_000_000;

/// Everything there is to do about transcripts.
#[derive(Debug, Default)]
pub(crate) struct Transcripts {
    /// The files that a session refers to, each once, with the steps that copy it.
    pub(crate) files: Vec<(Item, Vec<InstallFile>)>,
    /// What there is to say about sessions, by their position.
    pub(crate) findings: Vec<(usize, Finding)>,
    /// What there is to say about all of them.
    pub(crate) of_the_run: Option<Finding>,
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
    destinations: Result<Vec<Destination>, String>,
}

/// Looks for the transcripts of these sessions, and plans their copies.
pub(crate) fn plan(sessions: &[MappedSession], setting: &Setting<'_>) -> Transcripts {
    let mut transcripts = Transcripts::default();
    let mut copies: Vec<Copies> = Vec::new();
    let mut known: HashMap<PathBuf, usize> = HashMap::new();
    for (number, session) in sessions.iter().enumerate() {
        let Some(arrival) = session.arrival.as_deref().filter(|arrival| may_have_transcript(arrival)) else {
            continue;
        };
        let found = match find(arrival, setting) {
            Ok(found) => found,
            Err(finding) => {
                transcripts.findings.push((number, finding));
                continue;
            }
        };
        transcripts.findings.extend(found.findings.into_iter().map(|finding| (number, finding)));
        let target_dir = setting.homes.transcript_dir(arrival.managed_path.as_std_path());
        for file in found.files {
            let at = *known.entry(file.path.clone()).or_insert_with(|| {
                copies.push(Copies { file, session: number, destinations: Ok(Vec::new()) });
                copies.len() - 1
            });
            copies[at].goes_to(&target_dir, setting.cx);
        }
    }
    transcripts.files = copies.into_iter().map(|copies| copies.plan(setting)).collect();
    let keeps_days = cleanup_period_days(&setting.homes.write);
    transcripts.of_the_run = soon_cleaned_up(&transcripts.files, setting.now, keeps_days);
    transcripts
}

fn may_have_transcript(arrival: &Arrival) -> bool {
    arrival.row.harness == Some(Harness::ClaudeCode)
        && !arrival.row.agent_session_id.is_empty()
        && !arrival.legacy_worktree.is_empty()
}

fn find(arrival: &Arrival, setting: &Setting<'_>) -> Result<FoundTranscript, Finding> {
    let (directory, id) = (Path::new(&arrival.legacy_worktree), arrival.row.agent_session_id.as_str());
    match find_transcript(&setting.homes.read, directory, id, setting.now) {
        Ok(found) if found.files.is_empty() => {
            let message =
                format!("no transcript of {} was found: Claude Code will not resume it", directory.display());
            Err(Finding::warning("transcript-missing", message))
        }
        Ok(found) => Ok(found),
        Err(error @ FindError::NotAFileName) => Err(Finding::warning("agent-id-invalid", error.to_string())),
        Err(error) => Err(Finding::warning("transcript-unreadable", error.to_string())),
    }
}

impl Copies {
    fn goes_to(&mut self, target_dir: &Path, cx: &Cx<'_>) {
        let Ok(destinations) = &mut self.destinations else { return };
        let target = target_dir.join(&self.file.relative);
        if target == self.file.path || destinations.iter().any(|known| known.target == target) {
            return;
        }
        match Destination::survey(&self.file.path, &target, cx) {
            Ok(destination) => destinations.push(destination),
            Err(error) => self.destinations = Err(error.to_string()),
        }
    }

    fn plan(self, setting: &Setting<'_>) -> (Item, Vec<InstallFile>) {
        let touch = setting.touch.then(|| i64::try_from(setting.now.as_nanosecond()).unwrap_or(i64::MAX));
        let source = self.file.path.display().to_string();
        let input = InputId::new("transcript", source.clone());
        let name = self.file.relative.display().to_string();
        let (outcome, steps, targets) = match &self.destinations {
            Err(error) => {
                let outcome = Outcome::because(Bucket::Failed, "unreadable").detail(error.clone());
                (outcome, Vec::new(), Vec::new())
            }
            Ok(destinations) => {
                let planned = plan_file(&self.file, destinations, touch);
                let targets = destinations.iter().map(|known| known.target.display().to_string()).collect();
                (planned.outcome, planned.steps, targets)
            }
        };
        let mut item = Item::new(input, name, outcome);
        item.source = Some(source);
        item.targets = targets;
        item.needs =
            vec![ItemId(setting.first_session + u32::try_from(self.session).expect("because ids are u32"))];
        (item, steps)
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
