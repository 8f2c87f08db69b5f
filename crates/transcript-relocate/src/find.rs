//! Finding everything that belongs to one session.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use durable_files::{CopyError, Digest, FileError, Fingerprint, InContext, Quiet, digest_file};
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

/// What was found of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundTranscript {
    /// The transcript first, then its companions by name; empty if there is no transcript.
    pub files: Vec<FoundFile>,
    /// What there is to say: state that stays behind, sessions that the picker will not list.
    pub findings: Vec<Finding>,
}

/// Why nothing could be found out about a session.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The id is not the name of one file: it could lead anywhere.
    #[error("expected a session id that is a single file name, found one with a separator or `..`")]
    NotAFileName,
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file that changed a moment ago could not be read.
    #[error(transparent)]
    Unreadable(CopyError),
}

/// Looks for the transcript of the session `id` that ran in `directory`, in each of these configuration roots in turn.
///
/// The directory is resolved where it still exists, else taken literally. Both Unicode spellings of it are tried, and
/// for a long one every folder whose name begins alike, since builds of the client hash long paths differently.
pub fn find_transcript(
    roots: &[PathBuf],
    directory: &Path,
    id: &str,
    now: Timestamp,
) -> Result<FoundTranscript, FindError> {
    if id.is_empty() || id.contains(['/', '\\', '\0']) || matches!(id, "." | "..") {
        return Err(FindError::NotAFileName);
    }
    let resolved = directory.canonicalize();
    let spellings = [resolved.as_deref().unwrap_or(directory), directory];
    for root in roots {
        for dir in slug_dirs(&root.join("projects"), &spellings)? {
            if std::fs::symlink_metadata(dir.join(format!("{id}.jsonl"))).is_ok_and(|found| found.is_file()) {
                return collect(root, &dir, id, now);
            }
        }
    }
    Ok(FoundTranscript::default())
}

/// The folders that may hold the transcripts of a directory, the likeliest first.
fn slug_dirs(projects: &Path, spellings: &[&Path]) -> Result<Vec<PathBuf>, FileError> {
    let mut dirs = Vec::new();
    for spelling in spellings {
        let path = spelling.to_string_lossy();
        for slug in spelled(&path).map(|path| project_slug(&path)) {
            let dir = projects.join(&slug);
            if !dirs.contains(&dir) {
                dirs.push(dir);
            }
            if slug.len() > LONGEST {
                dirs.extend(alike(projects, &path)?);
            }
        }
    }
    Ok(dirs)
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

fn alike(projects: &Path, path: &str) -> Result<Vec<PathBuf>, FileError> {
    let names = names_in(projects)?;
    Ok(names
        .into_iter()
        .filter(|dir| file_name(dir).is_some_and(|name| may_be_slug_of(name, path)))
        .collect())
}

fn collect(root: &Path, dir: &Path, id: &str, now: Timestamp) -> Result<FoundTranscript, FindError> {
    let transcript = dir.join(format!("{id}.jsonl"));
    let mut found = FoundTranscript::default();
    let mut paths = vec![transcript.clone()];
    walk(&dir.join(id), &mut paths)?;
    for path in paths {
        found.files.push(look_at(dir, path, now)?);
    }
    found.findings.extend(memory(dir));
    found.findings.extend(headless(&transcript)?);
    found.findings.extend(left_behind(root, id));
    Ok(found)
}

fn walk(at: &Path, paths: &mut Vec<PathBuf>) -> Result<(), FileError> {
    for path in names_in(at)? {
        let metadata = std::fs::symlink_metadata(&path).doing("look at", &path)?;
        if metadata.is_dir() {
            walk(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

fn look_at(slug_dir: &Path, path: PathBuf, now: Timestamp) -> Result<FoundFile, FindError> {
    let metadata = std::fs::symlink_metadata(&path).doing("look at", &path)?;
    let fingerprint = metadata.is_file().then(|| Fingerprint::of(&metadata));
    let digest = match fingerprint {
        Some(fingerprint) if fingerprint.is_young(now.as_nanosecond()) => {
            Some(digest_file(&path, &mut Quiet).map_err(FindError::Unreadable)?.digest)
        }
        _ => None,
    };
    let relative = path.strip_prefix(slug_dir).expect("because it was found below it").to_path_buf();
    Ok(FoundFile { path, relative, fingerprint, digest })
}

/// The entries of a folder in the order of their names; a folder that is not there, or is none, has none.
fn names_in(dir: &Path) -> Result<Vec<PathBuf>, FileError> {
    let entries = match std::fs::symlink_metadata(dir) {
        Ok(metadata) if metadata.is_dir() => std::fs::read_dir(dir).doing("list", dir)?,
        _ => return Ok(Vec::new()),
    };
    let paths: BTreeSet<PathBuf> =
        entries.map(|entry| entry.doing("list", dir).map(|entry| entry.path())).collect::<Result<_, _>>()?;
    Ok(paths.into_iter().collect())
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
fn headless(transcript: &Path) -> Result<Option<Finding>, FileError> {
    use std::io::Read;
    const ENOUGH: u64 = 64 << 10;
    let mut start = Vec::new();
    let file = std::fs::File::open(transcript).doing("open", transcript)?;
    file.take(ENOUGH).read_to_end(&mut start).doing("read", transcript)?;
    let begun_headless = memchr::memmem::find(&start, br#""entrypoint":"sdk-cli""#).is_some();
    Ok(begun_headless.then(|| {
        Finding::note(
            "headless",
            "begun without a terminal: the client's picker will not list it, resume it by id",
        )
    }))
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
                matches!(
                    find_transcript(&[], "/w".as_ref(), id, Timestamp::MAX),
                    Err(FindError::NotAFileName)
                ),
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
}
