//! Git worktrees, moved to where the daemon will look for them, uncommitted work and all.

mod git;
pub(crate) mod plan;
mod repository;
mod step;
mod survey;
#[cfg(test)]
mod tests;

pub(crate) use step::MoveWorktree;
