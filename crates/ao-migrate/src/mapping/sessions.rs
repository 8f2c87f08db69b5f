//! What becomes of the session files, beside each other and beside what the database holds (formats/ao.md §6).

use std::collections::{BTreeMap, BTreeSet};

use legacy_readers::ao::{Legacy, Owner, SessionFile};
use migration_engine::{Bucket, Outcome};
use session_model::{ActivityState, Finding, SessionKind};

use super::candidates::{self, Candidate};
use super::existing::{Existing, Held};
use super::num::{self, Claim};
use super::project::{self, Considered};
use super::rows::{SessionRow, WorktreeRow};
use super::{Arrival, MappedSession, Settings, resume, session};

/// A candidate on its way into the database.
struct Draft<'a> {
    candidate: Candidate<'a>,
    row: SessionRow,
    /// The orchestrator that comes before this one, in whose worktree it would run.
    shares_with: Option<String>,
    findings: Vec<Finding>,
}

/// Maps every session file, in the order of the survey.
pub(super) fn map_all(
    legacy: &Legacy,
    projects: &[Considered],
    existing: &Existing,
    settings: &Settings<'_>,
) -> Vec<MappedSession> {
    let mut sifted = candidates::sift(legacy, projects, settings);
    settle_same_ids(&mut sifted, existing);
    let mut decided: Vec<Result<Draft<'_>, Outcome>> =
        sifted.into_iter().map(|sifted| sifted.map(|live| Draft::new(live, existing))).collect();
    settle_within_projects(&mut decided, existing);
    note_hazards(&mut decided, projects, existing);
    let decided = legacy.sessions.iter().zip(decided);
    decided.map(|(file, decided)| mapped(file, decided, existing, settings)).collect()
}

/// Ids are unique in the whole database, and neither of two projects that claim one has priority.
fn settle_same_ids(sifted: &mut [Result<Candidate<'_>, Outcome>], existing: &Existing) {
    let mut claimants: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for candidate in sifted.iter().flatten() {
        claimants.entry(&candidate.file.id).or_default().push(candidate.project);
    }
    for decision in sifted {
        let Ok(candidate) = decision else { continue };
        let claimants = &claimants[candidate.file.id.as_str()];
        if claimants.len() > 1 && !existing.sessions.contains_key(&candidate.file.id) {
            let detail = format!("these projects have a session with this id: {}", claimants.join(", "));
            *decision = Err(Outcome::because(Bucket::Conflict, "same-id-in-two-projects").detail(detail));
        }
    }
}

impl<'a> Draft<'a> {
    /// An id that the database has keeps the number that it has there.
    fn new(candidate: Candidate<'a>, existing: &Existing) -> Self {
        let mut findings = Vec::new();
        let mut row = session::row(&candidate, &mut findings);
        row.num = existing.number_of(&row.id).unwrap_or_default();
        Self { candidate, row, shares_with: None, findings }
    }

    /// Whether the database has the id in another project.
    fn is_elsewhere(&self, existing: &Existing) -> bool {
        existing.project_of(&self.row.id).is_some_and(|project| project != self.row.project_id)
    }
}

/// Gives numbers, then decides which orchestrator comes first.
fn settle_within_projects(decided: &mut [Result<Draft<'_>, Outcome>], existing: &Existing) {
    let mut by_project: BTreeMap<&str, Vec<&mut Draft<'_>>> = BTreeMap::new();
    for draft in decided.iter_mut().flatten() {
        by_project.entry(draft.candidate.project).or_default().push(draft);
    }
    let mut held = existing.held();
    for (project, mut drafts) in by_project {
        let held = held.remove(project).unwrap_or_default();
        drafts.retain(|draft| !draft.is_elsewhere(existing));
        give_numbers(&mut drafts, existing, held.numbers.clone());
        rank_orchestrators(&mut drafts, &held);
    }
}

/// Numbers those that the database does not have.
fn give_numbers(drafts: &mut [&mut Draft<'_>], existing: &Existing, taken: BTreeSet<i64>) {
    let drafts = drafts.iter_mut().map(|draft| &mut **draft);
    let mut new: Vec<&mut Draft<'_>> =
        drafts.filter(|draft| !existing.sessions.contains_key(&draft.row.id)).collect();
    let claims = new.iter().map(|draft| Claim { id: &draft.row.id, created_at: &draft.row.created_at });
    let numbers = num::assign(&claims.collect::<Vec<_>>(), taken);
    new.iter_mut().zip(numbers).for_each(|(draft, number)| draft.number(number));
}

impl Draft<'_> {
    fn number(&mut self, number: i64) {
        self.row.num = number;
        let finding = match num::natural(&self.row.id) {
            Some(natural) if natural == number => return,
            Some(natural) => {
                let message = format!("the number {natural} is taken: the session has {number}");
                Finding::warning("num-assigned", message)
            }
            None => {
                let message = format!("the id gives no number: the session has {number}");
                Finding::note("num-assigned", message)
            }
        };
        self.findings.push(finding);
    }
}

/// All orchestrators of a project share one worktree, so only the one that the daemon picks can be resumed in it: that
/// with the lowest number (formats/ao.md §8.4).
fn rank_orchestrators(drafts: &mut [&mut Draft<'_>], held: &Held<'_>) {
    let is_orchestrator = |draft: &&&mut Draft<'_>| draft.row.kind == SessionKind::Orchestrator;
    let ours = drafts.iter().filter(is_orchestrator).map(|draft| (draft.row.num, draft.row.id.as_str()));
    let theirs = held.orchestrators.iter().copied();
    let Some(first) = ours.chain(theirs).min().map(|(_, id)| id.to_owned()) else { return };
    for draft in drafts.iter_mut() {
        if draft.row.kind == SessionKind::Orchestrator && draft.row.id != first {
            let message =
                format!("the project's orchestrator is {first}, whose worktree this one would share");
            draft.findings.push(Finding::warning("second-orchestrator", message));
            draft.shares_with = Some(first.clone());
        }
    }
}

/// The daemon names its own sessions `{project}-{number}`: it may one day want an id that a session of another project
/// has (formats/ao.md §6.1).
fn note_hazards(decided: &mut [Result<Draft<'_>, Outcome>], projects: &[Considered], existing: &Existing) {
    let ours = projects.iter().map(|considered| considered.mapped.id.as_str());
    let ids: BTreeSet<&str> = ours.chain(existing.projects.keys().map(String::as_str)).collect();
    for draft in decided.iter_mut().flatten() {
        let id = &draft.row.id;
        let (stem, digits) = id.split_at(num::split(id));
        let Some(other) = stem.strip_suffix('-').filter(|stem| ids.contains(stem)) else { continue };
        if !digits.is_empty() && other != draft.row.project_id {
            let message = format!("the daemon may want this id for a new session of the project {other}");
            draft.findings.push(Finding::warning("id-of-other-project", message));
        }
    }
}

fn mapped(
    file: &SessionFile,
    decided: Result<Draft<'_>, Outcome>,
    existing: &Existing,
    settings: &Settings<'_>,
) -> MappedSession {
    let (outcome, findings, arrival) = match decided {
        Ok(draft) => draft.arrive(existing, settings),
        Err(outcome) => (outcome, Vec::new(), None),
    };
    let project = match &file.owner {
        Owner::Project(id) | Owner::Unknown(id) => Some(id.to_string()),
        Owner::Ambiguous(_) => None,
    };
    let (input, id) = (file.input.clone(), file.id.clone());
    MappedSession { input, id, project, outcome, findings, arrival }
}

impl Draft<'_> {
    fn arrive(
        self,
        existing: &Existing,
        settings: &Settings<'_>,
    ) -> (Outcome, Vec<Finding>, Option<Box<Arrival>>) {
        let managed_path = self.candidate.home.managed.of(&self.row.id, self.row.kind);
        let legacy_worktree = self.row.workspace_path.clone();
        let mut row = self.row;
        let mut worktree_row = None;
        if settings.restorable {
            row.is_terminated = true;
            row.activity_state = ActivityState::Exited;
            if self.shares_with.is_none() {
                row.workspace_path = managed_path.to_string();
                worktree_row = Some(WorktreeRow::of(&row));
            }
        }
        let outcome = match existing.differing_session(&row) {
            None => Outcome::plain(Bucket::Migrated),
            Some(columns) if columns.is_empty() => Outcome::plain(Bucket::AlreadyPresent),
            Some(columns) => return (project::row_differs(&columns), self.findings, None),
        };
        let arrival = Arrival {
            hindrances: resume::hindrances(&row, self.shares_with.as_deref()),
            resume: resume::command(&row, &managed_path),
            worktree_row,
            legacy_worktree,
            managed_path,
            row,
        };
        (outcome, self.findings, Some(Box::new(arrival)))
    }
}

impl WorktreeRow {
    /// The worktree of a session whose row is written as restorable.
    fn of(row: &SessionRow) -> Self {
        Self {
            session_id: row.id.clone(),
            repo_name: "__root__".into(),
            branch: row.branch.clone(),
            base_sha: String::new(),
            worktree_path: row.workspace_path.clone(),
            preserved_ref: String::new(),
            state: "active".into(),
        }
    }
}
