//! The client's own folders.

use std::path::{Path, PathBuf};

use crate::project_slug;

/// How long the client keeps transcripts unless its settings say otherwise, in days (formats/claude-code.md).
const DEFAULT_CLEANUP_DAYS: u64 = 30;

/// The configuration roots of the client: where transcripts are looked for, and where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Homes {
    /// Looked through in this order.
    pub read: Vec<PathBuf>,
    /// The one that the client of the new place will use.
    pub write: PathBuf,
    /// Its `projects`, resolved: below it, no symlink is written through.
    projects: PathBuf,
}

impl Homes {
    /// Roots to read, and one to write to. That one, and `projects` in it, may be symlinks of the user's (people keep
    /// such folders on other disks and in repositories): they are resolved here, once.
    pub fn new(read: Vec<PathBuf>, write: PathBuf) -> Self {
        let projects = resolve_physically(&write.join("projects"));
        Self { read, write, projects }
    }

    /// The folder below which all transcripts go, resolved.
    pub fn projects(&self) -> &Path {
        &self.projects
    }

    /// The folder in which the client looks for the transcripts of sessions that run in `directory`, which must be
    /// resolved already (see [`resolve_physically`]).
    pub fn transcript_dir(&self, directory: &Path) -> PathBuf {
        self.projects.join(project_slug(&directory.to_string_lossy()))
    }
}

/// The path with the symlinks of its longest existing ancestor resolved, and the rest appended as it is: what
/// `realpath` will say once the directory has been made.
pub fn resolve_physically(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    for ancestor in path.ancestors() {
        if let Ok(resolved) = ancestor.canonicalize() {
            return rest.iter().rev().fold(resolved, |resolved, part| resolved.join(part));
        }
        rest.extend(ancestor.file_name());
    }
    path.to_path_buf()
}

/// After how many days without a change a client with this root deletes a transcript: `cleanupPeriodDays` of its
/// settings, else the client's default.
pub fn cleanup_period_days(root: &Path) -> u64 {
    let path = root.join("settings.json");
    let settings = if path.is_file() { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    serde_json::from_slice::<serde_json::Value>(&settings)
        .ok()
        .and_then(|settings| settings.get("cleanupPeriodDays")?.as_u64())
        .unwrap_or(DEFAULT_CLEANUP_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_symlinked_data_directory_does_not_hide_the_transcript() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        std::fs::create_dir(base.join("real")).unwrap();
        std::os::unix::fs::symlink(base.join("real"), base.join("link")).unwrap();
        assert_eq!(resolve_physically(&base.join("link/not/yet")), base.join("real/not/yet"));
        assert_eq!(resolve_physically(&base.join("nowhere")), base.join("nowhere"));
    }

    #[test]
    fn the_settings_say_how_long_the_client_keeps_transcripts() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(cleanup_period_days(dir.path()), 30);
        std::fs::write(dir.path().join("settings.json"), r#"{"cleanupPeriodDays": 7}"#).unwrap();
        assert_eq!(cleanup_period_days(dir.path()), 7);
        std::fs::write(dir.path().join("settings.json"), r#"{"cleanupPeriodDays": "long"#).unwrap();
        assert_eq!(cleanup_period_days(dir.path()), 30);
    }
}
