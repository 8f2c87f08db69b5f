//! What becomes of one file, given what stands where it should go (formats/ao.md §9, D8).

use std::path::{Path, PathBuf};

use durable_files::{PathText, missing_dirs};
use migration_engine::steps::{InstallFile, Verbatim};
use migration_engine::{Bucket, Cx, Outcome, State};

use crate::FoundFile;

/// A place where a file should go, and what that means for the file there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The place.
    pub target: PathBuf,
    /// The bucket for this place alone: [`Bucket::Migrated`] if nothing stands there.
    pub outcome: Outcome,
    /// The folders that have to be made, outermost first.
    pub new_dirs: Vec<PathBuf>,
}

impl Destination {
    /// Looks at the destination of a file, and reads both if something stands there. From `root` on, which must be
    /// resolved, every folder on the way must be one itself: what is behind a symlink is not ours to write.
    pub fn survey(source: &Path, target: &Path, root: &Path, cx: &Cx<'_>) -> Self {
        let outcome = blocked(target, root).unwrap_or_else(|| compared(source, target, cx));
        let new_dirs = target.parent().map(missing_dirs).unwrap_or_default();
        Self { target: target.to_path_buf(), outcome, new_dirs }
    }

    /// Whether the client will find the file here, if all goes well.
    pub fn will_stand(&self) -> bool {
        matches!(self.outcome.bucket, Bucket::Migrated | Bucket::AlreadyPresent | Bucket::Superseded)
    }
}

/// The outermost folder on the way to `target` that is none.
fn blocked(target: &Path, root: &Path) -> Option<Outcome> {
    let on_the_way = target.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    on_the_way.filter_map(no_folder).last()
}

fn no_folder(path: &Path) -> Option<Outcome> {
    let found = std::fs::symlink_metadata(path).ok()?;
    let (reason, what) = if found.is_symlink() {
        ("destination-symlink", "is a symlink: nothing is written through it")
    } else if found.is_dir() {
        return None;
    } else {
        ("destination-not-a-folder", "is not a folder")
    };
    Some(Outcome::because(Bucket::Conflict, reason).detail(format!("{} {what}", path.display())))
}

fn compared(source: &Path, target: &Path, cx: &Cx<'_>) -> Outcome {
    match InstallFile::compare(source, target, cx) {
        Ok(State::Pending) => Outcome::plain(Bucket::Migrated),
        Ok(State::Done) => Outcome::plain(Bucket::AlreadyPresent),
        Ok(State::Superseded(more)) => Outcome::because(Bucket::Superseded, "resumed-since").detail(more),
        Ok(State::Conflict(found)) => Outcome::because(Bucket::Conflict, "destination-differs")
            .detail(format!("{}: {found}", target.display())),
        Err(error) => Outcome::because(Bucket::Failed, "unreadable").detail(error.to_string()),
    }
}

/// What becomes of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// The bucket, if all goes well.
    pub outcome: Outcome,
    /// The steps that bring it there: one for each destination where nothing stands.
    pub steps: Vec<InstallFile>,
}

/// Decides what becomes of a file with these destinations: at each, what its own state says. The file's one bucket is
/// that of the destination which most needs attention.
///
/// `touch` is the modification time for the copies, in nanoseconds since 1970; without it they keep the source's.
pub fn plan_file(file: &FoundFile, destinations: &[Destination], touch: Option<i64>) -> PlannedFile {
    let Some(fingerprint) = file.fingerprint else {
        let outcome = Outcome::because(Bucket::Skipped, "not-a-regular-file");
        return PlannedFile { outcome, steps: Vec::new() };
    };
    let install = |destination: &Destination| InstallFile {
        content: Verbatim { digest: file.digest, ..Verbatim::of(&file.path, fingerprint) },
        target: destination.target.clone().into(),
        new_dirs: destination.new_dirs.iter().cloned().map(PathText::from).collect(),
        mtime: touch.unwrap_or(fingerprint.mtime),
    };
    let pending = destinations.iter().filter(|destination| destination.outcome.bucket == Bucket::Migrated);
    let worst = destinations.iter().max_by_key(|destination| attention(destination.outcome.bucket));
    let outcome = worst.map_or(Outcome::plain(Bucket::AlreadyPresent), |worst| worst.outcome.clone());
    PlannedFile { outcome, steps: pending.map(install).collect() }
}

/// Trouble before work, work before what stands already.
fn attention(bucket: Bucket) -> u8 {
    match bucket {
        bucket if bucket.is_trouble() => 3,
        Bucket::Migrated => 2,
        Bucket::Superseded => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    use durable_files::Fingerprint;
    use migration_engine::NoProgress;

    fn cx() -> Cx<'static> {
        static STOP: AtomicBool = AtomicBool::new(false);
        Cx { stop: &STOP, progress: &NoProgress, now: session_model::Timestamp::now }
    }

    fn found(path: &Path) -> FoundFile {
        let fingerprint = Some(Fingerprint::of_file(path).unwrap());
        FoundFile { path: path.into(), relative: "from".into(), fingerprint, digest: None }
    }

    fn planned(source: &str, target: Option<&str>) -> PlannedFile {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("deep/to"));
        std::fs::write(&from, source).unwrap();
        if let Some(target) = target {
            std::fs::create_dir(dir.path().join("deep")).unwrap();
            std::fs::write(&to, target).unwrap();
        }
        plan_file(&found(&from), &[Destination::survey(&from, &to, dir.path(), &cx())], None)
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
    #[test]
    fn a_conflict_at_one_place_does_not_keep_the_copy_from_another() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name);
        std::fs::write(place("from"), "one\n").unwrap();
        std::fs::write(place("taken"), "another\n").unwrap();
        let destinations = ["free", "taken"]
            .map(|name| Destination::survey(&place("from"), &place(name), dir.path(), &cx()));
        let planned = plan_file(&found(&place("from")), &destinations, None);
        assert_eq!(planned.outcome.bucket, Bucket::Conflict);
        let targets: Vec<&Path> = planned.steps.iter().map(|step| &*step.target).collect();
        assert_eq!(targets, [place("free")]);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_symlink_or_a_file_in_the_place_of_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name);
        std::fs::write(place("from"), "one\n").unwrap();
        std::fs::create_dir_all(place("elsewhere")).unwrap();
        for (name, to) in [("link", "elsewhere"), ("dangling", "nowhere")] {
            std::os::unix::fs::symlink(place(to), place(name)).unwrap();
        }
        for (target, reason) in [
            ("link/to", "destination-symlink"),
            ("link/deep/to", "destination-symlink"),
            ("dangling/to", "destination-symlink"),
            ("from/to", "destination-not-a-folder"),
            ("link", "destination-differs"),
        ] {
            let outcome = Destination::survey(&place("from"), &place(target), dir.path(), &cx()).outcome;
            let expected = (Bucket::Conflict, Some(reason));
            assert_eq!((outcome.bucket, outcome.reason.as_deref()), expected, "{target}");
        }
    }
}
