//! (being built)

pub mod mapping;
mod worktree;
