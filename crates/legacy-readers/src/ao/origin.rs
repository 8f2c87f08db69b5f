//! A repository's own word on where it came from.

use std::path::Path;
use std::process::{Command, Stdio};

/// The URL of the remote `origin`, or `None` when the folder is no repository, has no origin, or git is not there.
///
/// Git is asked only when `.git` stands in the folder itself: it would answer for an enclosing repository as well
/// (formats/ao.md §5). What the environment says about repositories is not passed on for the same reason.
pub(super) fn ask(folder: &Path) -> Option<String> {
    if !folder.join(".git").exists() {
        return None;
    }
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["config", "--local", "--includes", "--get", "remote.origin.url"]);
    if let Some(parent) = folder.parent() {
        git.env("GIT_CEILING_DIRECTORIES", parent); // a broken `.git` must not send git up to the next one
    }
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_COUNT"] {
        git.env_remove(variable);
    }
    let output = git.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let url = String::from_utf8(output.stdout).ok()?;
    let url = url.trim();
    (output.status.success() && !url.is_empty()).then(|| url.to_owned())
}
