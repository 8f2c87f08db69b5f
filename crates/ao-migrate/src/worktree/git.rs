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

/// One line of `git worktree list`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Where it is.
    pub(super) path: PathBuf,
    /// The branch it has checked out, without `refs/heads/`.
    pub(super) branch: Option<String>,
    /// Whether it is locked against being moved.
    pub(super) locked: bool,
}

/// The worktrees of the repository that `directory` belongs to, the main one first.
pub(super) fn list(directory: &Path) -> Result<Vec<Listed>, String> {
    git(directory, ["worktree", "list", "--porcelain", "-z"]).map(|listing| parse_list(&listing))
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
        }
    }
    worktrees
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
