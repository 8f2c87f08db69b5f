//! Whether a worktree may be moved (formats/ao.md §8.4).

use std::path::Path;

use durable_files::{Fingerprint, missing_dirs};

use migration_cli::shell_word;

use super::git::Listed;
use super::repository::Repository;
use super::step::MoveWorktree;

/// Why a worktree stays where it is; its session migrates without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// A stable, kebab-case name.
    pub(super) reason: &'static str,
    /// What was found, in one sentence.
    pub(super) found: String,
}

fn refused(reason: &'static str, found: impl Into<String>) -> Refused {
    Refused { reason, found: found.into() }
}

/// The step that moves the worktree of `branch` from `from` to `to`, or why there is none. The repository is that of
/// the session's project, or what git said instead.
pub(super) fn survey_move(
    repository: Result<&Repository, &str>,
    from: &Path,
    to: &Path,
    branch: &str,
) -> Result<MoveWorktree, Refused> {
    let Ok(from) = from.canonicalize() else {
        return Err(refused("worktree-gone", format!("{} does not exist", shell_word(from))));
    };
    if std::fs::symlink_metadata(to).is_ok() {
        return Err(refused("managed-path-exists", format!("{} exists already", shell_word(to))));
    }
    let listed = &repository.map_err(|said| refused("repository-gone", said))?.worktrees;
    let Some((main, linked)) = listed.split_first() else {
        return Err(refused("repository-gone", "git lists no worktree"));
    };
    let Some(ours) = linked.iter().find(|worktree| worktree.path == from) else {
        let found = format!("it is not a linked worktree of {}", shell_word(&main.path));
        return Err(refused("not-a-linked-worktree", found));
    };
    check(ours, listed, branch)?;
    is_movable(&from, to)?;
    Ok(MoveWorktree {
        repository: main.path.clone().into(),
        new_dirs: to.parent().map(missing_dirs).unwrap_or_default().into_iter().map(Into::into).collect(),
        from: from.into(),
        to: to.into(),
    })
}

/// Whether git is able to move the linked worktree at `from` to `to`.
pub(super) fn is_movable(from: &Path, to: &Path) -> Result<(), Refused> {
    if from.join(".gitmodules").exists() {
        return Err(refused("submodules", "git does not move worktrees with submodules"));
    }
    if device_of(from) != device_of(to) {
        let found = "git does not move worktrees from one file system to another";
        return Err(refused("other-file-system", found));
    }
    Ok(())
}

fn check(ours: &Listed, all: &[Listed], branch: &str) -> Result<(), Refused> {
    if ours.locked {
        return Err(refused("worktree-locked", "the worktree is locked; `git worktree unlock` frees it"));
    }
    if ours.busy {
        return Err(refused("rebase-or-bisection", "a rebase or bisection in it has not ended"));
    }
    if ours.branch.as_deref() != Some(branch) {
        let found = ours.branch.as_deref().unwrap_or("no branch");
        return Err(refused("other-branch", format!("the worktree has {found} checked out, not {branch}")));
    }
    match all.iter().find(|other| other.path != ours.path && other.branch.as_deref() == Some(branch)) {
        Some(other) => {
            let found = format!("{branch} is checked out in {} as well", shell_word(&other.path));
            Err(refused("branch-checked-out-elsewhere", found))
        }
        None => Ok(()),
    }
}

/// The file system that holds a path, or would hold it.
fn device_of(path: &Path) -> Option<u64> {
    path.ancestors().find_map(|ancestor| Fingerprint::of_file(ancestor).ok()).map(|found| found.dev)
}
