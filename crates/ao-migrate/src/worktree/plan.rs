//! Which worktrees move, which stay, and what that means for the daemon (formats/ao.md §8.3, §8.4).

use std::path::Path;

use session_model::Finding;

use super::MoveWorktree;
use super::survey::survey_move;
use crate::mapping::{Arrival, Hindrance, MappedSession};
use migration_cli::shell_word;
use migration_engine::Bucket;

/// The worktrees that move, and what there is to say about each session, by the session's position.
#[derive(Debug, Default)]
pub(crate) struct Worktrees {
    pub(crate) moves: Vec<(usize, MoveWorktree)>,
    pub(crate) findings: Vec<(usize, Finding)>,
}

/// Decides for every session that arrives.
pub(crate) fn plan(sessions: &[MappedSession], move_them: bool) -> Worktrees {
    let mut worktrees = Worktrees::default();
    for (position, session) in sessions.iter().enumerate() {
        let Some(arrival) = session.arrival.as_deref() else { continue };
        let is_new = session.outcome.bucket == Bucket::Migrated;
        let moves = if move_them && is_new { worktrees.try_move(position, arrival) } else { false };
        let finding = resumable(arrival, moves);
        worktrees.findings.push((position, finding));
    }
    worktrees
}

impl Worktrees {
    fn try_move(&mut self, position: usize, arrival: &Arrival) -> bool {
        let shares = arrival.hindrances.iter().any(|h| matches!(h, Hindrance::SharesWorktree(_)));
        if shares || arrival.legacy_worktree.is_empty() || arrival.row.branch.is_empty() {
            return false;
        }
        let from = Path::new(&arrival.legacy_worktree);
        match survey_move(from, arrival.managed_path.as_std_path(), &arrival.row.branch) {
            Ok(step) => {
                self.moves.push((position, step));
                true
            }
            Err(refused) => {
                let message = format!("the worktree {} stays where it is: {}", from.display(), refused.found);
                self.findings.push((position, Finding::warning(refused.reason, message)));
                false
            }
        }
    }
}

/// Whether the daemon can resume the session: yes, or no because.
fn resumable(arrival: &Arrival, moves: bool) -> Finding {
    let mut reasons: Vec<String> = arrival.hindrances.iter().map(ToString::to_string).collect();
    if reasons.is_empty() && !moves {
        reasons.extend(held_branch(arrival));
    }
    if reasons.is_empty() {
        return Finding::note("daemon-resumes", "resumable by the daemon: yes");
    }
    Finding::note(
        "daemon-cannot-resume",
        format!("resumable by the daemon: no, because {}", reasons.join("; ")),
    )
}

/// The old worktree still has the branch checked out, and the command that frees it.
fn held_branch(arrival: &Arrival) -> Option<String> {
    let from = Path::new(&arrival.legacy_worktree);
    let managed = arrival.managed_path.as_path();
    let holds = !arrival.legacy_worktree.is_empty() && from.join(".git").exists();
    (holds && from != managed.as_std_path()).then(|| {
        let (from, to) = (shell_word(&arrival.legacy_worktree), shell_word(managed.as_str()));
        let parent = shell_word(managed.parent().unwrap_or(managed).as_str());
        let command = format!("mkdir -p {parent} && git -C {from} worktree move {from} {to}");
        format!(
            "the worktree {from} holds the branch {}; `{command}` moves it",
            shell_word(&arrival.row.branch)
        )
    })
}
