//! Everything put together: items, and steps in one lane of waves (formats/ao.md §10).

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use migration_engine::{Block, Bucket, Header, Item, ItemId, Lane, Outcome, Plan, PlanError, Task, Wave};
use session_model::{Finding, InputId};
use sqlite_writer::{InsertRow, TakeSnapshot};

use crate::database;
use crate::effect::Effect;
use crate::mapping::{Mapped, MappedProject, MappedSession};
use crate::transcripts::Transcripts;
use crate::worktree::MoveWorktree;

/// How many transcripts are staged before they are recorded with one sync.
const TRANSCRIPTS_A_WAVE: usize = 256;

/// What was decided, part by part.
pub(crate) struct Decided {
    pub(crate) mapped: Mapped,
    pub(crate) transcripts: Transcripts,
    /// The worktrees that move, by the position of their session.
    pub(crate) moves: Vec<(usize, MoveWorktree)>,
    /// What there is to say about sessions, by their position.
    pub(crate) findings: Vec<(usize, Finding)>,
    pub(crate) snapshot: TakeSnapshot,
    /// The folder of the database, in which its rows need room.
    pub(crate) data_dir: Arc<Path>,
}

/// The plan: in one lane the snapshot, the transcripts, the worktrees, and last the rows in one transaction.
pub(crate) fn assemble(
    inputs: Vec<InputId>,
    decided: Decided,
    header: Header,
) -> Result<Plan<Effect>, PlanError> {
    let Decided { mapped, transcripts, moves, findings, snapshot, data_dir } = decided;
    let ids = Ids::of(&mapped);
    let rows = rows(&mapped, &ids, &data_dir);
    let mut items = items(mapped, &ids);
    for (session, finding) in findings.into_iter().chain(transcripts.findings) {
        items[ids.session(session).0 as usize].findings.push(finding);
    }
    for (session, file) in transcripts.resumed_from {
        let item = &mut items[ids.session(session).0 as usize];
        item.resumed_from = file.map(|file| ItemId(count(ids.after_sessions + file)));
        item.resume = item.resume.take().filter(|_| file.is_some());
    }
    let mut lane = Lane::new();
    if !rows.is_empty() {
        lane.push(Wave::publish(vec![Task { item: None, step: snapshot.into() }]));
    }
    let mut copies = Vec::new();
    for (item, steps) in transcripts.files {
        let id = Some(ItemId(count(items.len())));
        items.push(item);
        copies.extend(steps.into_iter().map(|step| Task { item: id, step: step.into() }));
    }
    lane.extend(in_waves(copies));
    let moves =
        moves.into_iter().map(|(session, step)| Task { item: Some(ids.session(session)), step: step.into() });
    lane.extend(some_wave(moves.collect(), Wave::publish));
    lane.extend(some_wave(rows, Wave::transaction));
    let inputs =
        inputs.into_iter().chain(items.iter().skip(ids.after_sessions).map(|item| item.input.clone()));
    Plan::new(header, &inputs.collect::<Vec<_>>(), items, if lane.is_empty() { vec![] } else { vec![lane] })
}

/// The kinds of input, in the order of the report (formats/ao.md D11).
pub(crate) fn blocks() -> Vec<Block> {
    let block = |kind: &str, title: &str| Block { kind: kind.into(), title: title.into(), inputs: 0 };
    vec![
        block("project", "registry entries"),
        block("session", "session files"),
        block("transcript", "transcripts"),
    ]
}

/// Where each input stands among the items: projects, then sessions, then transcripts.
struct Ids {
    projects: HashMap<String, ItemId>,
    first_session: usize,
    after_sessions: usize,
}

impl Ids {
    fn of(mapped: &Mapped) -> Self {
        let projects = mapped.projects.iter().zip(0..).map(|(project, id)| (project.id.clone(), ItemId(id)));
        let first_session = mapped.projects.len();
        Self {
            projects: projects.collect(),
            first_session,
            after_sessions: first_session + mapped.sessions.len(),
        }
    }

    fn session(&self, position: usize) -> ItemId {
        ItemId(count(self.first_session + position))
    }
}

fn items(mapped: Mapped, ids: &Ids) -> Vec<Item> {
    let projects = mapped.projects.into_iter().map(project_item);
    let sessions = mapped.sessions.into_iter().map(|session| session_item(session, ids));
    projects.chain(sessions).collect()
}

fn project_item(project: MappedProject) -> Item {
    let mut item = Item::new(project.input, project.id, project.outcome);
    item.findings = project.findings;
    item
}

fn session_item(session: MappedSession, ids: &Ids) -> Item {
    let mut item = Item::new(session.input, session.id, session.outcome);
    item.source = Some(item.input.id.clone());
    item.findings = session.findings;
    if let Some(arrival) = session.arrival {
        item.needs.extend(ids.projects.get(&arrival.row.project_id));
        item.targets = vec![arrival.managed_path.into()];
        item.resume = arrival.resume;
    }
    item
}

/// Projects first: sessions refer to them.
fn rows(mapped: &Mapped, ids: &Ids, data_dir: &Arc<Path>) -> Vec<Task<Effect>> {
    let mut rows = Vec::new();
    let mut push = |item, step: InsertRow| {
        rows.push(Task { item: Some(item), step: step.needing_room_in(Arc::clone(data_dir)).into() });
    };
    for (project, id) in mapped.projects.iter().zip(0..) {
        if let Some(row) = project.row.as_ref().filter(|_| is_new(&project.outcome)) {
            push(ItemId(id), database::insert_project(row));
        }
    }
    for (position, session) in mapped.sessions.iter().enumerate() {
        let Some(arrival) = session.arrival.as_ref().filter(|_| is_new(&session.outcome)) else { continue };
        push(ids.session(position), database::insert_session(&arrival.row));
        if let Some(row) = &arrival.worktree_row {
            push(ids.session(position), database::insert_worktree(row));
        }
    }
    rows
}

fn is_new(outcome: &Outcome) -> bool {
    outcome.bucket == Bucket::Migrated
}

fn in_waves(mut copies: Vec<Task<Effect>>) -> Vec<Wave<Effect>> {
    let mut waves = Vec::new();
    while !copies.is_empty() {
        let rest = copies.split_off(copies.len().min(TRANSCRIPTS_A_WAVE));
        waves.push(Wave::publish(std::mem::replace(&mut copies, rest)));
    }
    waves
}

fn some_wave(tasks: Vec<Task<Effect>>, wave: fn(Vec<Task<Effect>>) -> Wave<Effect>) -> Option<Wave<Effect>> {
    (!tasks.is_empty()).then(|| wave(tasks))
}

fn count(number: usize) -> u32 {
    u32::try_from(number).expect("because a plan has fewer than 2^32 items")
}
