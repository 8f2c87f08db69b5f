//! Whether git would make the worktree that the daemon asks it for, and what to do if not (formats/ao.md §8.3).

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use migration_cli::shell_word;

use super::git::{self, Listed};
use super::survey::is_movable;

/// A project's repository, with all that decides over its worktrees.
#[derive(Debug)]
pub(super) struct Repository {
    path: PathBuf,
    /// The main one first.
    pub(super) worktrees: Vec<Listed>,
    branches: HashSet<String>,
}

/// What stands where the daemon would make a worktree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Site {
    Free,
    EmptyFolder,
    /// The very worktree that the daemon wants.
    Made,
    /// git knows of a worktree there, but its folder is gone.
    Gone {
        locked: bool,
    },
    Occupied,
}

impl Repository {
    /// Asks git; the error is what it said.
    pub(super) fn survey(path: &Path) -> Result<Self, String> {
        let worktrees = git::list(path)?;
        let branches = git::branches(path)?.into_iter().collect();
        Ok(Self { path: path.to_path_buf(), worktrees, branches })
    }

    /// What keeps the daemon from having `branch` in a worktree at `managed`, each with the command that mends it.
    pub(super) fn obstacles(&self, branch: &str, managed: &Path) -> Vec<String> {
        let mut site = self.site(branch, managed);
        let mut obstacles: Vec<String> = self.in_the_way(site, managed).into_iter().collect();
        if !self.branches.contains(branch) {
            let (branch, repository) = (shell_word(branch), shell_word(&self.path));
            obstacles
                .push(format!("the branch {branch} is not in {repository}, nor fetched from its origin"));
        }
        for holder in self.worktrees.iter().filter(|listed| listed.path != managed) {
            if holder.branch.as_deref() == Some(branch) {
                let (obstacle, left) = self.held_by(holder, branch, site, managed);
                obstacles.push(obstacle);
                site = left;
            }
        }
        obstacles
    }

    fn site(&self, branch: &str, managed: &Path) -> Site {
        let listed = self.worktrees.iter().find(|listed| listed.path == managed);
        match listed {
            Some(Listed { gone: true, locked, .. }) => Site::Gone { locked: *locked },
            Some(listed) if !listed.busy && listed.branch.as_deref() == Some(branch) => Site::Made,
            None if std::fs::symlink_metadata(managed).is_err() => Site::Free,
            None if std::fs::read_dir(managed).is_ok_and(|mut found| found.next().is_none()) => {
                Site::EmptyFolder
            }
            _ => Site::Occupied,
        }
    }

    fn in_the_way(&self, site: Site, managed: &Path) -> Option<String> {
        let place = shell_word(managed);
        match site {
            Site::Free | Site::EmptyFolder | Site::Made => None,
            Site::Gone { locked } => {
                let prune = self.prune(managed, locked);
                Some(format!("git knows a worktree {place} whose folder is gone; `{prune}` mends that"))
            }
            Site::Occupied => {
                Some(format!("{place}, where it would be, exists already; move that away, then ask again"))
            }
        }
    }

    /// Why `holder` is in the way, and what the place for it will be like once that is mended.
    fn held_by(&self, holder: &Listed, branch: &str, site: Site, managed: &Path) -> (String, Site) {
        let (branch, place) = (shell_word(branch), shell_word(&holder.path));
        let holds = format!("the worktree {place} holds the branch {branch}");
        let is_main = self.worktrees.first() == Some(holder);
        let said = match site {
            _ if holder.gone => {
                let prune = self.prune(&holder.path, holder.locked);
                format!(
                    "git keeps the branch {branch} for the worktree {place}, whose folder is gone; `{prune}` frees it"
                )
            }
            _ if holder.busy => format!(
                "{holds} for a rebase or bisection that has not ended; `git -C {place} status` says how to end it"
            ),
            Site::Occupied => holds,
            Site::Free | Site::EmptyFolder if !is_main && is_movable(&holder.path, managed).is_ok() => {
                let command = self.move_there(holder, site, managed);
                return (format!("{holds}; `{command}` moves it"), Site::Made);
            }
            _ => format!(
                "{holds}; `git -C {place} switch --detach` frees it and leaves its files where they are"
            ),
        };
        (said, site)
    }

    fn prune(&self, worktree: &Path, locked: bool) -> String {
        format!("{}{} prune", self.unlock(worktree, locked), self.git())
    }

    /// git moves a worktree *into* a folder that exists.
    fn move_there(&self, holder: &Listed, site: Site, managed: &Path) -> String {
        let (from, to) = (shell_word(&holder.path), shell_word(managed));
        let room = match site {
            Site::EmptyFolder => format!("rmdir {to}"),
            _ => format!("mkdir -p {}", shell_word(managed.parent().unwrap_or(managed))),
        };
        let unlock = self.unlock(&holder.path, holder.locked);
        format!("{room} && {unlock}{} move {from} {to}", self.git())
    }

    fn unlock(&self, worktree: &Path, locked: bool) -> String {
        if locked { format!("{} unlock {} && ", self.git(), shell_word(worktree)) } else { String::new() }
    }

    fn git(&self) -> String {
        format!("git -C {} worktree", shell_word(&self.path))
    }
}
