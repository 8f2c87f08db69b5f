//! The folder in which a session is resumed by hand: it need not be there yet (formats/ao.md §8.5, §10).

use std::collections::HashSet;

use session_model::Finding;

use crate::mapping::{Arrival, MappedSession};
use crate::transcripts::Transcripts;
use crate::worktree::plan::Worktrees;

const NOT_YET: &str = "the daemon makes it when it resumes a session (see --restorable), --move-worktrees brings \
                       the old worktree";

/// The sessions whose resume command begins in a folder that will not be there after the run, by their position.
pub(crate) fn missing(
    sessions: &[MappedSession],
    transcripts: &Transcripts,
    worktrees: &Worktrees,
) -> Vec<(usize, Finding)> {
    let moved: HashSet<usize> = worktrees.moves.iter().map(|(position, _)| *position).collect();
    let is_missing = |(position, session): &(usize, &MappedSession)| {
        let has_command = |arrival: &&Arrival| arrival.resume.is_some() && transcripts.may_resume(*position);
        let arrival = session.arrival.as_deref().filter(has_command);
        arrival.is_some_and(|arrival| !arrival.managed_path.exists() && !moved.contains(position))
    };
    let message = format!("the folder of its resume command is not there yet: {NOT_YET}");
    let finding = |position| (position, Finding::note("resume-folder-missing", message.clone()));
    sessions.iter().enumerate().filter(is_missing).map(|(position, _)| finding(position)).collect()
}

/// The same, said once for all sessions.
pub(crate) fn of_the_run(missing: &[(usize, Finding)]) -> Option<Finding> {
    let count = missing.len();
    let message = format!("resume commands whose folder is not there yet: {count}; {NOT_YET}");
    (count > 0).then(|| Finding::note("resume-folder-missing", message))
}
