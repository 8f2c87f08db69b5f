//! Which worktrees move, which stay, and what that means for the daemon (formats/ao.md §8.3, §8.4).

use std::collections::HashMap;
use std::path::Path;

use session_model::Finding;

use super::MoveWorktree;
use super::repository::Repository;
use super::survey::survey_move;
use crate::mapping::{Arrival, Existing, Hindrance, Mapped};
use migration_cli::shell_word;
use migration_engine::Bucket;

/// The worktrees that move, and what there is to say about each session, by the session's position.
#[derive(Debug, Default)]
pub(crate) struct Worktrees {
    pub(crate) moves: Vec<(usize, MoveWorktree)>,
    pub(crate) findings: Vec<(usize, Finding)>,
}

/// Decides for every session that arrives.
pub(crate) fn plan(mapped: &Mapped, existing: &Existing, move_them: bool) -> Worktrees {
    let mut repositories = Repositories::of(mapped, existing);
    let mut worktrees = Worktrees::default();
    for (position, session) in mapped.sessions.iter().enumerate() {
        let Some(arrival) = session.arrival.as_deref() else { continue };
        let is_new = session.outcome.bucket == Bucket::Migrated;
        let moves = move_them && is_new && worktrees.try_move(position, arrival, &mut repositories);
        let finding = resumable(arrival, moves, &mut repositories);
        worktrees.findings.push((position, finding));
    }
    worktrees
}

/// The projects' repositories, each asked once and only if somebody wants to know.
struct Repositories<'a> {
    paths: HashMap<&'a str, &'a str>,
    asked: HashMap<&'a str, Result<Repository, String>>,
}

impl<'a> Repositories<'a> {
    fn of(mapped: &'a Mapped, existing: &'a Existing) -> Self {
        let theirs = existing.projects.keys().filter_map(|id| Some((id.as_str(), existing.path_of(id)?)));
        let rows = mapped.projects.iter().filter_map(|project| project.row.as_ref());
        let ours = rows.map(|row| (row.id.as_str(), row.path.as_str()));
        Self { paths: theirs.chain(ours).collect(), asked: HashMap::new() }
    }

    /// The repository of a session's project, or what git said instead.
    fn ask(&mut self, arrival: &'a Arrival) -> Result<&Repository, &str> {
        let project = arrival.row.project_id.as_str();
        let asked = self.asked.entry(project).or_insert_with(|| {
            let path = Path::new(self.paths.get(project).copied().unwrap_or_default());
            Repository::survey(path).map_err(|said| format!("{}: {said}", shell_word(path)))
        });
        asked.as_ref().map_err(String::as_str)
    }
}

impl Worktrees {
    fn try_move<'a>(
        &mut self,
        position: usize,
        arrival: &'a Arrival,
        repositories: &mut Repositories<'a>,
    ) -> bool {
        let shares = arrival.hindrances.iter().any(|h| matches!(h, Hindrance::SharesWorktree(_)));
        if shares || arrival.legacy_worktree.is_empty() || arrival.row.branch.is_empty() {
            return false;
        }
        let (from, to) = (Path::new(&arrival.legacy_worktree), arrival.managed_path.as_std_path());
        match survey_move(repositories.ask(arrival), from, to, &arrival.row.branch) {
            Ok(step) => {
                self.moves.push((position, step));
                true
            }
            Err(refused) => {
                let from = shell_word(from);
                let message = format!("the worktree {from} stays where it is: {}", refused.found);
                self.findings.push((position, Finding::warning(refused.reason, message)));
                false
            }
        }
    }
}

/// Whether the daemon can resume the session: yes, or no because.
fn resumable<'a>(arrival: &'a Arrival, moves: bool, repositories: &mut Repositories<'a>) -> Finding {
    let mut reasons: Vec<String> = arrival.hindrances.iter().map(ToString::to_string).collect();
    if reasons.is_empty() && !moves {
        reasons = match repositories.ask(arrival) {
            Ok(repository) => repository.obstacles(&arrival.row.branch, arrival.managed_path.as_std_path()),
            Err(said) => vec![format!("git makes no worktree of {said}")],
        };
    }
    if reasons.is_empty() {
        return Finding::note("daemon-resumes", "resumable by the daemon: yes");
    }
    Finding::note(
        "daemon-cannot-resume",
        format!("resumable by the daemon: no, because {}", reasons.join("; ")),
    )
}
