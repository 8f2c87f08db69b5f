//! What becomes of one file, given what stands where it should go (formats/ao.md §9, D8).

use std::path::{Path, PathBuf};

use durable_files::{PathText, missing_dirs};
use migration_engine::steps::InstallFile;
use migration_engine::{Bucket, Cx, Outcome, State, StepError};

use crate::FoundFile;

/// A place where a file should go, and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The place.
    pub target: PathBuf,
    /// How what stands there compares with the file.
    pub state: State,
    /// The folders that have to be made, outermost first.
    pub new_dirs: Vec<PathBuf>,
}

impl Destination {
    /// Looks at the destination of a file, and reads both if something stands there.
    pub fn survey(source: &Path, target: &Path, cx: &Cx<'_>) -> Result<Self, StepError> {
        let state = InstallFile::compare(source, target, cx)?;
        let new_dirs = target.parent().map(missing_dirs).unwrap_or_default();
        Ok(Self { target: target.to_path_buf(), state, new_dirs })
    }
}

/// What becomes of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// The bucket, if all goes well.
    pub outcome: Outcome,
    /// The steps that bring it there: none unless the bucket is [`Bucket::Migrated`].
    pub steps: Vec<InstallFile>,
}

/// Decides what becomes of a file with these destinations. One conflict among several is enough to leave it alone.
///
/// `touch` is the modification time for the copies, in nanoseconds since 1970; without it they keep the source's.
pub fn plan_file(file: &FoundFile, destinations: &[Destination], touch: Option<i64>) -> PlannedFile {
    let Some(fingerprint) = file.fingerprint else {
        return PlannedFile::untouched(Outcome::because(Bucket::Skipped, "not-a-regular-file"));
    };
    if let Some((target, found)) = destinations.iter().find_map(conflict) {
        let outcome = Outcome::because(Bucket::Conflict, "destination-differs");
        return PlannedFile::untouched(outcome.detail(format!("{}: {found}", target.display())));
    }
    let steps: Vec<InstallFile> = destinations
        .iter()
        .filter(|destination| destination.state == State::Pending)
        .map(|destination| InstallFile {
            source: file.path.clone().into(),
            expect: fingerprint,
            digest: file.digest,
            target: destination.target.clone().into(),
            new_dirs: destination.new_dirs.iter().cloned().map(PathText::from).collect(),
            mtime: touch.unwrap_or(fingerprint.mtime),
        })
        .collect();
    if !steps.is_empty() {
        return PlannedFile { outcome: Outcome::plain(Bucket::Migrated), steps };
    }
    let grown = destinations.iter().find_map(|destination| match &destination.state {
        State::Superseded(more) => Some(more.clone()),
        _ => None,
    });
    PlannedFile::untouched(match grown {
        Some(more) => Outcome::because(Bucket::Superseded, "resumed-since").detail(more),
        None => Outcome::plain(Bucket::AlreadyPresent),
    })
}

impl PlannedFile {
    fn untouched(outcome: Outcome) -> Self {
        Self { outcome, steps: Vec::new() }
    }
}

fn conflict(destination: &Destination) -> Option<(&Path, &str)> {
    match &destination.state {
        State::Conflict(found) => Some((&destination.target, found)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    use durable_files::Fingerprint;
    use migration_engine::NoProgress;

    fn planned(source: &str, target: Option<&str>) -> PlannedFile {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("deep/to"));
        std::fs::write(&from, source).unwrap();
        if let Some(target) = target {
            std::fs::create_dir(dir.path().join("deep")).unwrap();
            std::fs::write(&to, target).unwrap();
        }
        let fingerprint = Some(Fingerprint::of_file(&from).unwrap());
        let file = FoundFile { path: from.clone(), relative: "from".into(), fingerprint, digest: None };
        let cx =
            Cx { stop: &AtomicBool::new(false), progress: &NoProgress, now: session_model::Timestamp::now };
        plan_file(&file, &[Destination::survey(&from, &to, &cx).unwrap()], None)
    }

    #[test]
    fn nothing_that_stands_at_the_destination_is_ever_overwritten() {
        let bucket = |target| planned("one\ntwo\n", target).outcome.bucket;
        assert_eq!(bucket(None), Bucket::Migrated);
        assert_eq!(bucket(Some("one\ntwo\n")), Bucket::AlreadyPresent);
        assert_eq!(bucket(Some("one\ntwo\nthree\n")), Bucket::Superseded);
        assert_eq!(bucket(Some("one\n")), Bucket::Conflict, "a shorter prefix of the source");
        assert_eq!(bucket(Some("ONE\ntwo\n")), Bucket::Conflict);
        assert!(planned("x", Some("y")).steps.is_empty());
        assert_eq!(planned("x", None).steps[0].new_dirs.len(), 1);
    }
}
