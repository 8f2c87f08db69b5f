//! The list of what was written into a new folder, one line each, in the run's own folder.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use durable_files::{
    Digest, Digested, FileError, Fingerprint, InContext, PathText, Traits, create_private_dirs, is_one_file,
    publish_over, sync_dir, write_file,
};
use serde::{Deserialize, Serialize};

use super::super::files::compare_content;
use crate::{Cause, Cx, Look, State, StepError};

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    lines: Vec<Line>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    path: PathText,
    #[serde(flatten)]
    kind: Kind,
}

/// What one of them is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Folder,
    File { digest: Digest, file: Fingerprint },
    Symlink { target: PathText },
}

impl Kind {
    /// A file that was not written yet.
    pub(super) fn of_content(content: Digested) -> Self {
        let file = Fingerprint { dev: 0, ino: 0, size: content.len, mtime: 0, ctime: 0 };
        Self::File { digest: content.digest, file }
    }
}

impl Manifest {
    pub(super) fn add(&mut self, path: &PathText, kind: Kind) {
        self.lines.push(Line { path: path.clone(), kind });
    }

    /// Files, folders, symlinks, and the bytes of the files.
    pub(super) fn counts(&self) -> (u64, u64, u64, u64) {
        self.lines.iter().fold((0, 0, 0, 0), |(files, folders, symlinks, bytes), line| match &line.kind {
            Kind::File { file, .. } => (files + 1, folders, symlinks, bytes + file.size),
            Kind::Folder => (files, folders + 1, symlinks, bytes),
            Kind::Symlink { .. } => (files, folders, symlinks + 1, bytes),
        })
    }

    /// Writes it durably, in the place of one that an interrupted attempt has left.
    pub(super) fn write(&self, path: &Path) -> Result<Digest, StepError> {
        let mut bytes = Vec::with_capacity(256 * self.lines.len());
        for line in &self.lines {
            serde_json::to_writer(&mut bytes, line).expect("because manifests are plain data with text keys");
            bytes.push(b'\n');
        }
        let folder = path.parent().unwrap_or(path);
        create_private_dirs(folder)?;
        let staged = path.with_extension("tmp");
        let written = write_file(&bytes, &staged, Traits::PRIVATE)?;
        publish_over(&staged, path)?;
        sync_dir(folder)?;
        Ok(written.digest)
    }

    /// Reads one that must have this digest.
    pub(super) fn read(path: &Path, expected: Digest) -> Result<Self, StepError> {
        let altered = |found: String| {
            let path = path.display();
            Cause::new("manifest", format!("cannot tell what was installed: {path} {found}")).item()
        };
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(altered("is gone".into())),
            read => read.doing("read", path)?,
        };
        let found = Digest::of(&bytes);
        if found != expected {
            return Err(altered(format!("has the digest {found}, and {expected} was written")));
        }
        let lines = serde_json::Deserializer::from_slice(&bytes).into_iter().collect::<Result<_, _>>();
        Ok(Self { lines: lines.map_err(|error| altered(error.to_string()))? })
    }

    /// How a folder stands to it: the same, the same and more, or something else.
    pub(super) fn compare(&self, root: &Path, look: Look, cx: &Cx<'_>) -> Result<State, StepError> {
        if !std::fs::symlink_metadata(root).doing("look at", root)?.is_dir() {
            return Ok(State::Conflict("something that is not a folder is there".into()));
        }
        let (mut more, mut changed) = (Vec::new(), Vec::new());
        for line in &self.lines {
            cx.check()?;
            let name = line.path.display();
            match line.kind.compare(&root.join(&line.path), look, cx)? {
                State::Done | State::Pending => {}
                State::Superseded(found) => more.push(format!("{name}: {found}")),
                State::Conflict(found) => changed.push(format!("{name}: {found}")),
            }
        }
        if !changed.is_empty() {
            return Ok(State::Conflict(summary(&changed)));
        }
        more.extend(self.new_names(root)?);
        Ok(if more.is_empty() { State::Done } else { State::Superseded(summary(&more)) })
    }

    /// What is in the folder and not in the list. A disk that folds names may list one of ours as another.
    fn new_names(&self, root: &Path) -> Result<Vec<String>, FileError> {
        let mut unlisted: HashSet<&Path> = self.lines.iter().map(|line| &*line.path).collect();
        let folders = self.lines.iter().filter(|line| matches!(line.kind, Kind::Folder));
        let mut unknown = Vec::new();
        for folder in folders.map(|line| &*line.path).chain([Path::new("")]) {
            let at = root.join(folder);
            for entry in std::fs::read_dir(&at).doing("look into", &at)? {
                let path = folder.join(entry.doing("look into", &at)?.file_name());
                if !unlisted.remove(&*path) {
                    unknown.push(path);
                }
            }
        }
        let is_ours = |path: &PathBuf| {
            unlisted.iter().any(|ours| is_one_file(&root.join(ours), &root.join(path)).unwrap_or(false))
        };
        unknown.retain(|path| !is_ours(path));
        unknown.sort_unstable();
        Ok(unknown.iter().map(|path| format!("{}: it is new", path.display())).collect())
    }
}

impl Kind {
    fn compare(&self, path: &Path, look: Look, cx: &Cx<'_>) -> Result<State, StepError> {
        let found = match std::fs::symlink_metadata(path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(State::Conflict("it is gone".into()));
            }
            found => found.doing("look at", path)?,
        };
        let is_same = match self {
            Self::Folder => found.is_dir(),
            Self::Symlink { target } => {
                found.is_symlink() && std::fs::read_link(path).doing("read", path)? == **target
            }
            Self::File { file, .. } if look == Look::Quick && Fingerprint::of(&found).same_file(file) => true,
            Self::File { digest, file } => return compare_content(path, file.size, *digest, cx),
        };
        Ok(if is_same { State::Done } else { State::Conflict("something else is there".into()) })
    }
}

/// The first few of them, and how many more there are.
fn summary(found: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = found[..found.len().min(SHOWN)].join("; ");
    match found.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}
