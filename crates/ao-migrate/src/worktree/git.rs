//! Asking git, and nothing that git's configuration could add.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs git in a directory; the error is what git said first, in one line.
pub(super) fn git<A: AsRef<OsStr>>(
    directory: &Path,
    args: impl IntoIterator<Item = A>,
) -> Result<Vec<u8>, String> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(directory)
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
        .args(args);
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_NAMESPACE"] {
        command.env_remove(variable);
    }
    command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0").stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("git cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or("git failed and said nothing").to_owned())
}

/// One worktree that `git worktree list` names.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Where it is.
    pub(super) path: PathBuf,
    /// The branch it holds, without `refs/heads/`: no other worktree may check that out.
    pub(super) branch: Option<String>,
    /// Whether it holds the branch for a rebase or bisection that has not ended, without having it checked out.
    pub(super) busy: bool,
    /// Whether it is locked against being moved and pruned.
    pub(super) locked: bool,
    /// Whether its folder is gone; git holds its branch all the same.
    pub(super) gone: bool,
}

/// The worktrees of the repository that `directory` belongs to, the main one first.
pub(super) fn list(directory: &Path) -> Result<Vec<Listed>, String> {
    let mut worktrees = parse_list(&git(directory, ["worktree", "list", "--porcelain", "-z"])?);
    for worktree in &mut worktrees {
        // git does not call a locked one prunable
        worktree.gone |= worktree.locked && !worktree.path.join(".git").exists();
        if worktree.branch.is_none() && !worktree.gone {
            worktree.branch = branch_in_work(&worktree.path);
            worktree.busy = worktree.branch.is_some();
        }
    }
    Ok(worktrees)
}

fn parse_list(listing: &[u8]) -> Vec<Listed> {
    let mut worktrees = Vec::new();
    for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let text = String::from_utf8_lossy(line);
        if let Some(path) = line.strip_prefix(b"worktree ") {
            worktrees.push(Listed { path: path_from(path), ..Listed::default() });
        } else if let Some(last) = worktrees.last_mut() {
            if let Some(branch) = text.strip_prefix("branch refs/heads/") {
                last.branch = Some(branch.to_owned());
            }
            last.locked |= text == "locked" || text.starts_with("locked ");
            last.gone |= text == "prunable" || text.starts_with("prunable ");
        }
    }
    worktrees
}

/// The branch that a rebase or bisection in a worktree will go back to.
fn branch_in_work(worktree: &Path) -> Option<String> {
    let admin = git(worktree, ["rev-parse", "--absolute-git-dir"]).ok()?;
    let admin = path_from(admin.strip_suffix(b"\n").unwrap_or(&admin));
    ["rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"].into_iter().find_map(|file| {
        let name = std::fs::read_to_string(admin.join(file)).ok()?;
        let name = name.trim_end();
        Some(name.strip_prefix("refs/heads/").unwrap_or(name).to_owned())
    })
}

/// The branches of a repository: its own, and those that were fetched from its origin.
pub(super) fn branches(directory: &Path) -> Result<Vec<String>, String> {
    let format = ["for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes/origin"];
    let listing = git(directory, format)?;
    let names = String::from_utf8_lossy(&listing);
    let short = |name: &str| {
        name.strip_prefix("refs/heads/").or(name.strip_prefix("refs/remotes/origin/")).map(str::to_owned)
    };
    Ok(names.lines().filter_map(short).collect())
}

#[cfg(unix)]
fn path_from(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(bytes).into()
}

#[cfg(not(unix))]
fn path_from(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}
