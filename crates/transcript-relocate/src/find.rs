//! Finding everything that belongs to one session.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use durable_files::{Digest, FileError, Fingerprint, InContext, Quiet, digest_file};
use session_model::{Finding, Timestamp};

use crate::slug::{LONGEST, may_be_slug_of, project_slug};

/// One file that belongs to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Where it is.
    pub path: PathBuf,
    /// Where it is below its slug directory: what the destination keeps.
    pub relative: PathBuf,
    /// What it looks like; `None` for anything but a regular file (a symlink, a socket), which is not carried.
    pub fingerprint: Option<Fingerprint>,
    /// What it holds, where it changed so recently that the fingerprint alone proves nothing.
    pub digest: Option<Digest>,
}

/// A file or folder in which something of a session is, or may be, and which cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where it is.
    pub path: PathBuf,
    /// What was being done, on what, and what the system said.
    pub why: String,
}

/// What was found of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundTranscript {
    /// The transcript first, then its companions by name; empty if there is no transcript.
    pub files: Vec<FoundFile>,
    /// What cannot be read, each once. A folder may hold any number of files.
    pub unreadable: Vec<Unreadable>,
    /// What there is to say: state that stays behind, sessions that the picker will not list.
    pub findings: Vec<Finding>,
}

/// The id is not the name of one file: it could lead anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a session id that is a single file name, found one with a separator or `..`")]
pub struct NotAFileName;

/// Looks for the transcript of the session `id` that ran in `directory`, in each of these configuration roots in turn.
///
/// The directory is resolved where it still exists, else taken literally. Both Unicode spellings of it are tried, and
/// for a long one every folder whose name begins alike, since builds of the client hash long paths differently.
/// What cannot be read keeps nothing else from being found.
pub fn find_transcript(
    roots: &[PathBuf],
    directory: &Path,
    id: &str,
    now: Timestamp,
) -> Result<FoundTranscript, NotAFileName> {
    if id.is_empty() || id.contains(['/', '\\', '\0']) || matches!(id, "." | "..") {
        return Err(NotAFileName);
    }
    let resolved = directory.canonicalize();
    let spellings = [resolved.as_deref().unwrap_or(directory), directory];
    let mut found = FoundTranscript::default();
    for root in roots {
        for dir in found.slug_dirs(&root.join("projects"), &spellings) {
            if found.is_file(&dir.join(format!("{id}.jsonl"))) {
                found.collect(root, &dir, id, now);
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// A path as it is, then composed and decomposed: the client normalises on some platforms.
fn spelled(path: &str) -> impl Iterator<Item = String> {
    use unicode_normalization::UnicodeNormalization;
    let (composed, decomposed) = (path.nfc().collect::<String>(), path.nfd().collect::<String>());
    let other = |other: String| (other != path).then_some(other);
    std::iter::once(path.to_owned())
        .chain(other(composed))
        .chain(other(decomposed))
        .collect::<Vec<_>>()
        .into_iter()
}

impl FoundTranscript {
    /// The folders that may hold the transcripts of a directory, the likeliest first.
    fn slug_dirs(&mut self, projects: &Path, spellings: &[&Path]) -> Vec<PathBuf> {
        let mut dirs = Vec::new();
        for spelling in spellings {
            let path = spelling.to_string_lossy();
            for slug in spelled(&path).map(|path| project_slug(&path)) {
                let dir = projects.join(&slug);
                if !dirs.contains(&dir) {
                    dirs.push(dir);
                }
                if slug.len() > LONGEST {
                    let is_alike = |name: &str| may_be_slug_of(name, &path);
                    let names = self.names_in(projects).into_iter();
                    dirs.extend(names.filter(|dir| file_name(dir).is_some_and(is_alike)));
                }
            }
        }
        dirs
    }

    /// Whether a regular file stands there. A folder that does not tell is remembered as unreadable.
    fn is_file(&mut self, path: &Path) -> bool {
        self.metadata(path).is_some_and(|metadata| metadata.is_file())
    }

    fn metadata(&mut self, path: &Path) -> Option<std::fs::Metadata> {
        match std::fs::symlink_metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(error) => {
                self.not_read(&FileError::new("look at", path, error));
                None
            }
        }
    }

    /// Remembers what is in the way: of a path that cannot even be looked at, the folder that does not let us in.
    fn not_read(&mut self, error: &FileError) {
        if error.is_not_found() {
            return;
        }
        let there = |path: &&Path| std::fs::symlink_metadata(path).is_ok();
        let path = error.path.ancestors().find(there).unwrap_or(&error.path).to_path_buf();
        if self.unreadable.iter().all(|known| known.path != path) {
            self.unreadable.push(Unreadable { path, why: error.to_string() });
        }
    }

    fn collect(&mut self, root: &Path, dir: &Path, id: &str, now: Timestamp) {
        let transcript = dir.join(format!("{id}.jsonl"));
        let mut paths = vec![transcript.clone()];
        self.companions(&dir.join(id), &mut paths);
        for path in paths {
            match look_at(dir, &path, now) {
                Ok(file) => self.files.push(file),
                Err(why) => self.unreadable.push(Unreadable { path, why }),
            }
        }
        self.findings.extend(memory(dir));
        self.findings.extend(headless(&transcript));
        self.findings.extend(left_behind(root, id));
    }

    /// The files of the companion folder. A link in its place is one of them, and not followed.
    fn companions(&mut self, folder: &Path, paths: &mut Vec<PathBuf>) {
        match self.metadata(folder) {
            Some(found) if found.is_dir() => self.walk(folder, paths),
            Some(found) if found.is_symlink() => paths.push(folder.to_path_buf()),
            _ => {}
        }
    }

    fn walk(&mut self, at: &Path, paths: &mut Vec<PathBuf>) {
        for path in self.names_in(at) {
            match self.metadata(&path) {
                Some(found) if found.is_dir() => self.walk(&path, paths),
                Some(_) => paths.push(path),
                None => {}
            }
        }
    }

    /// The entries of a folder in the order of their names; one that is not there, or cannot be read, has none.
    fn names_in(&mut self, dir: &Path) -> Vec<PathBuf> {
        let list = || -> io::Result<BTreeSet<PathBuf>> {
            std::fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
        };
        let names = list().doing("list", dir).map_err(|error| self.not_read(&error));
        names.unwrap_or_default().into_iter().collect()
    }
}

/// What a file looks like, once it is certain that it can be read: a plan must not promise what copying cannot do.
fn look_at(slug_dir: &Path, path: &Path, now: Timestamp) -> Result<FoundFile, String> {
    let metadata = std::fs::symlink_metadata(path).doing("look at", path).map_err(|why| why.to_string())?;
    let fingerprint = metadata.is_file().then(|| Fingerprint::of(&metadata));
    let digest = match fingerprint {
        Some(fingerprint) if fingerprint.is_young(now.as_nanosecond()) => {
            Some(digest_file(path, &mut Quiet).map_err(|why| why.to_string())?.digest)
        }
        Some(_) => {
            File::open(path).doing("open", path).map_err(|why| why.to_string())?;
            None
        }
        None => None,
    };
    let relative = path.strip_prefix(slug_dir).expect("because it was found below it").to_path_buf();
    Ok(FoundFile { path: path.to_path_buf(), relative, fingerprint, digest })
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name().and_then(OsStr::to_str)
}

/// Memory belongs to the project, not to the session: it is named, not copied.
fn memory(slug_dir: &Path) -> Option<Finding> {
    let memory = slug_dir.join("memory");
    memory.is_dir().then(|| {
        Finding::note("memory-stays", format!("the project's memory is not copied: {}", memory.display()))
    })
}

/// The client's picker does not list sessions that were begun headless: they are resumed by id (measured).
fn headless(transcript: &Path) -> Option<Finding> {
    use std::io::Read;
    const ENOUGH: u64 = 64 << 10;
    let mut start = Vec::new();
    File::open(transcript).ok()?.take(ENOUGH).read_to_end(&mut start).ok()?;
    let begun_headless = memchr::memmem::find(&start, br#""entrypoint":"sdk-cli""#).is_some();
    begun_headless.then(|| {
        Finding::note(
            "headless",
            "begun without a terminal: the client's picker will not list it, resume it by id",
        )
    })
}

/// State of the session that is kept elsewhere, by its id.
fn left_behind(root: &Path, id: &str) -> Option<Finding> {
    let places = ["file-history", "tasks", "todos", "session-env"];
    let left: Vec<String> = places
        .iter()
        .map(|place| root.join(place).join(id))
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect();
    (!left.is_empty()).then(|| Finding::note("left-behind", format!("kept where it is: {}", left.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay_out(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join("projects").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "{}\n").unwrap();
        }
    }

    fn found(roots: &[PathBuf], directory: &str, id: &str) -> Vec<String> {
        let found = find_transcript(roots, directory.as_ref(), id, Timestamp::MAX).unwrap();
        found.files.iter().map(|file| file.relative.display().to_string()).collect()
    }

    #[test]
    fn companions_come_along_and_neighbours_stay() {
        let root = tempfile::tempdir().unwrap();
        lay_out(
            root.path(),
            &[
                "-w-a/id.jsonl",
                "-w-a/id/subagents/x.jsonl",
                "-w-a/id/tool-results/t",
                "-w-a/other.jsonl",
                "-w-a/memory/m",
            ],
        );
        let roots = [root.path().to_path_buf()];
        assert_eq!(found(&roots, "/w/a", "id"), ["id.jsonl", "id/subagents/x.jsonl", "id/tool-results/t"]);
        assert_eq!(found(&roots, "/w/a", "gone"), [""; 0]);
        let findings = find_transcript(&roots, "/w/a".as_ref(), "id", Timestamp::MAX).unwrap().findings;
        assert_eq!(findings[0].code, "memory-stays");
    }

    #[test]
    fn an_id_that_is_a_path_leads_nowhere() {
        for id in ["", ".", "..", "../other/id", "a/b", "a\\b", "a\0b"] {
            assert!(
                matches!(find_transcript(&[], "/w".as_ref(), id, Timestamp::MAX), Err(NotAFileName)),
                "{id:?}"
            );
        }
    }

    #[test]
    fn a_transcript_is_found_under_either_spelling_and_under_another_hash() {
        let root = tempfile::tempdir().unwrap();
        let long = format!("/{}", "x".repeat(230));
        let other_hash = format!("{}-zzzz/id.jsonl", &project_slug(&long)[..200]);
        lay_out(root.path(), &["-w-cafe--/id.jsonl", &other_hash]);
        let roots = [root.path().to_path_buf()];
        assert_eq!(found(&roots, "/w/café/", "id"), ["id.jsonl"]); // stored decomposed
        assert_eq!(found(&roots, &long, "id"), ["id.jsonl"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_among_the_companions_is_named_and_never_followed() {
        let root = tempfile::tempdir().unwrap();
        lay_out(root.path(), &["-w-a/id.jsonl", "-w-a/id/t"]);
        std::os::unix::fs::symlink("/etc", root.path().join("projects/-w-a/id/link")).unwrap();
        let found =
            find_transcript(&[root.path().to_path_buf()], "/w/a".as_ref(), "id", Timestamp::MAX).unwrap();
        let link = found.files.iter().find(|file| file.relative.ends_with("link")).unwrap();
        assert_eq!(link.fingerprint, None);
        assert_eq!(found.files.len(), 3);
    }
    #[cfg(unix)]
    #[test]
    fn a_companion_folder_behind_a_symlink_is_named_and_never_followed() {
        let root = tempfile::tempdir().unwrap();
        lay_out(root.path(), &["-w-a/id.jsonl"]);
        std::os::unix::fs::symlink("/etc", root.path().join("projects/-w-a/id")).unwrap();
        assert_eq!(found(&[root.path().to_path_buf()], "/w/a", "id"), ["id.jsonl", "id"]);
    }
}
