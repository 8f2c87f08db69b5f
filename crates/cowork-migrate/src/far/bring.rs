//! Bringing a session here: everything of it that travels, into a bundle of the tool's own.
//!
//! The bundle stays below the state folder, so that what came before a break does not come again, and so that a run
//! that was interrupted still finds what it moves.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use durable_files::{
    Digest, DirLock, Traits, create_private_dirs, publish_over, remove_file_if_there, remove_tree_if_there,
    room_at, sync_dir, write_file,
};
use legacy_readers::cowork::{
    Contents, Disk, Item as Found, Kind, Purpose, Session, ThisDisk, View, contents_on,
};
use migration_cli::{Mode, Refusal, Surroundings};
use migration_engine::{Cx, StateRoot, StepError};
use remote_transfer::{FileAttributes, part_of, pull_files};
use session_model::{Anomaly, Finding, Timestamp};

use super::disk::{FarDisk, shown, spelled};
use super::{FarPlace, changed, not_brought, reach};
use crate::bundle::{MANIFEST, Manifest};
use crate::drives::Drives;
use crate::moving::OldWorld;
use crate::options::Options;
use crate::places::{self, Left, Source};
use crate::plan::further_folder;
use crate::plan::session_files::left_behind;
use crate::scope;

/// What is wanted of a session, and what has to be in order before anything of it comes.
pub(crate) struct Wish<'w> {
    /// Whether the disk of its virtual machine comes too, if it may hold something of it.
    pub(crate) image: &'w dyn Fn(&View) -> bool,
    /// What refuses it by what is known without its files.
    pub(crate) check: &'w dyn Fn(&Source, &View) -> Result<(), Refusal>,
}

/// What became of a wish.
pub(crate) enum Bringing {
    /// It is here, as a bundle; locked until there is a run of it, if there will be one.
    Here(Box<Source>, Option<DirLock>),
    /// Nothing may be written, and this would have to come first.
    Outlined(Outline),
}

/// What would come.
#[derive(Debug)]
pub(crate) struct Outline {
    /// The sidecar there.
    pub(crate) session: String,
    /// Every file that would come.
    pub(crate) files: Vec<String>,
    /// What would stay there.
    pub(crate) left: Vec<Left>,
    pub(crate) findings: Vec<Finding>,
}

/// How many files are asked for at a time.
const TOGETHER: usize = 64;

/// A file that is wanted, as it was when it was looked at.
struct Wanted {
    there: PathBuf,
    /// Below the bundle.
    here: PathBuf,
    bytes: u64,
    mtime: Timestamp,
}

/// Everything that is wanted.
struct Parcel {
    sidecar: PathBuf,
    folders: Vec<PathBuf>,
    /// The sidecar last: it makes the session exist.
    files: Vec<Wanted>,
    left: Vec<Left>,
    manifest: Option<Vec<u8>>,
}

/// Brings the session that the options mean; where nothing may be written, only tells what would come, unless it is all
/// here already.
pub(crate) fn bring(
    place: &FarPlace,
    wish: &Wish<'_>,
    (options, root, mode): (&Options, &StateRoot, Mode),
    here: &Surroundings,
    cx: &Cx<'_>,
) -> Result<Bringing, Refusal> {
    reach(place, options, here, cx, |disk, path| {
        let source = place.source(disk, path, Purpose::Write)?;
        let session = scope::selected(&source, options.session.as_deref())?;
        let view = scope::readable(session)?;
        (wish.check)(&source, view)?;
        let contents = contents_on(disk, session);
        let image = source.image.as_ref().filter(|_| (wish.image)(view));
        let mut parcel = Parcel::of(disk, session, &contents.found);
        parcel.files.splice(
            0..0,
            image.map(|image| Wanted {
                there: image.path.clone(),
                here: image.path.file_name().unwrap_or_default().into(),
                bytes: image.bytes,
                mtime: image.mtime,
            }),
        );
        let old = OldWorld::of(&source, view, &Drives::default(), &options.map)?;
        parcel.manifest = Manifest::of(&source, old).map(|manifest| manifest.text());
        let bundle = pulled(root).join(name_of(disk, &session.path));
        let mut lock = None;
        let mut findings = vec![unwatched(disk)];
        findings.extend(stays_there(session, &contents.anomalies));
        if mode == Mode::DryRun && !parcel.is_whole(&bundle) {
            findings.push(parcel.to_come(disk, &bundle));
            return Ok(Bringing::Outlined(parcel.outline(findings)));
        }
        if mode == Mode::Apply {
            create_private_dirs(&bundle)?;
            lock = Some(DirLock::take(&bundle)?);
            findings.push(parcel.come(disk, &bundle, cx).map_err(|refusal| stays_here(refusal, &bundle))?);
            disk.forget();
            if contents_on(disk, session) != contents || parcel.sidecar_changed(disk) {
                let changed = changed(format!("{} changed while it was being read", shown(&session.path)));
                return Err(stays_here(changed, &bundle));
            }
        }
        let mut brought =
            places::source_at(&ThisDisk, &transcript_relocate::resolve_physically(&bundle), "--from")?;
        findings.extend(source.findings.iter().cloned());
        // A bundle does not say that its session was an agent's.
        brought.sessions.iter_mut().for_each(|brought| brought.agent = session.agent);
        let said = source.said.clone();
        let source = Source { said, brought: true, left: parcel.left, findings, ..brought };
        Ok(Bringing::Here(Box::new(source), lock))
    })
}

/// Where bundles lie that were brought from other hosts.
pub(crate) fn pulled(root: &StateRoot) -> PathBuf {
    root.path().join("pulled")
}

/// The refusal, and where to find what came all the same.
pub(crate) fn stays_here(refusal: Refusal, bundle: &Path) -> Refusal {
    let bundle = durable_files::PathText::from(bundle.to_path_buf());
    let hint = format!("{}; what came is kept in {}", refusal.hint, bundle.display());
    Refusal { hint, ..refusal }
}

/// What is not brought, and what could not be read there: the bundle does not know of it.
fn stays_there(session: &Session, anomalies: &[Anomaly]) -> impl Iterator<Item = Finding> {
    let unread = anomalies.iter().map(|anomaly| Finding::warning(anomaly.code.clone(), anomaly.to_string()));
    unread.chain(session.further.iter().map(|further| further_folder(&shown(further))))
}

/// One bundle for one session of one host, whoever asks for it.
fn name_of(disk: &FarDisk<'_>, sidecar: &Path) -> String {
    let whose = format!("{}\n{}", disk.peer(), shown(sidecar));
    Digest::of(whose.as_bytes()).to_string()[..16].to_owned()
}

/// Here one sees who has a file open; there nobody tells.
fn unwatched(disk: &FarDisk<'_>) -> Finding {
    let message =
        format!("whether Claude runs on {} cannot be seen from here: it must have been quit", disk.peer());
    Finding::note("far-unwatched", message)
}

impl Parcel {
    fn of(disk: &FarDisk<'_>, session: &Session, contents: &Contents) -> Self {
        let name = |path: &Path| PathBuf::from(path.file_name().unwrap_or_default());
        let mut parcel = Self {
            sidecar: session.path.clone(),
            folders: Vec::new(),
            files: Vec::new(),
            left: Vec::new(),
            manifest: None,
        };
        if session.directory.is_some() {
            let folder = name(&contents.directory);
            parcel.folders.push(folder.clone());
            contents.items.iter().for_each(|found| parcel.add(found, &contents.directory, &folder));
            let unnameable = disk.unnameable(&contents.directory).into_iter();
            parcel.left.extend(unnameable.map(|place| Left { place, reason: "unnameable" }));
        }
        parcel.files.push(Wanted {
            there: session.path.clone(),
            here: name(&session.path),
            bytes: session.bytes,
            mtime: session.mtime,
        });
        parcel
    }

    fn add(&mut self, found: &Found, directory: &Path, folder: &Path) {
        let (there, here) = (directory.join(&found.relative), folder.join(&found.relative));
        match left_behind(found) {
            Some(reason) => self.left.push(Left { place: shown(&there), reason }),
            None if found.kind == Kind::Folder => self.folders.push(here),
            None => self.files.push(Wanted { there, here, bytes: found.bytes, mtime: found.mtime }),
        }
    }

    fn missing<'a>(&'a self, bundle: &'a Path) -> impl Iterator<Item = &'a Wanted> {
        self.files.iter().filter(move |file| !file.is_here(bundle))
    }

    /// Whether everything is here, and nothing else.
    fn is_whole(&self, bundle: &Path) -> bool {
        let manifest = fs::read(bundle.join(MANIFEST)).ok();
        self.missing(bundle).next().is_none()
            && self.folders.iter().all(|folder| bundle.join(folder).is_dir())
            && manifest == self.manifest
            && self.unwanted(bundle).is_empty()
    }

    fn outline(self, findings: Vec<Finding>) -> Outline {
        let files = self.files.iter().filter(|file| file.there != self.sidecar);
        let files = files.map(|file| shown(&file.there)).collect();
        Outline { session: shown(&self.sidecar), files, left: self.left, findings }
    }

    fn to_come(&self, disk: &FarDisk<'_>, bundle: &Path) -> Finding {
        let (files, bytes) = sum(self.missing(bundle));
        let message = format!(
            "{files} of {} files, {bytes} bytes, would come from {}; what becomes of the transcript is planned once it is here",
            self.files.len(),
            disk.peer()
        );
        Finding::note("far-to-come", message)
    }

    /// Brings what is not here.
    fn come(&self, disk: &FarDisk<'_>, bundle: &Path, cx: &Cx<'_>) -> Result<Finding, Refusal> {
        let bundle = &transcript_relocate::resolve_physically(bundle); // whose names may be long on Windows
        self.clear(bundle)?;
        let (files, bytes) = sum(self.missing(bundle));
        let parts = self.missing(bundle).filter_map(|file| fs::metadata(file.part(bundle)).ok());
        let here: u64 = parts.map(|part| part.len()).sum();
        room_at(bundle)?.must_hold(bundle, bytes.saturating_sub(here), files)?;
        for folder in &self.folders {
            create_private_dirs(&bundle.join(folder))?;
        }
        cx.progress.begin("reading the other host", bytes, files);
        let (mut came, mut meter) = (0, *cx);
        let missing: Vec<remote_transfer::Wanted> =
            self.missing(bundle).map(|file| file.wanted(bundle)).collect();
        for some in missing.chunks(TOGETHER) {
            let pulled = pull_files(&mut disk.sftp(), some, &mut meter).map_err(not_brought)?;
            came += pulled.iter().map(|file| file.came).sum::<u64>();
            for _ in &pulled {
                cx.progress.step_done();
            }
        }
        cx.progress.end();
        if let Some(manifest) = &self.manifest {
            let path = bundle.join(MANIFEST);
            let staged = durable_files::beside(&path, "pull", "part");
            remove_file_if_there(&staged)?;
            write_file(manifest, &staged, Traits::PRIVATE).map_err(StepError::from)?;
            publish_over(&staged, &path)?;
            sync_dir(bundle)?;
        }
        self.clear(bundle)?;
        let message = format!(
            "{files} of {} files came from {}, {came} bytes; they stay in {} until no run needs them",
            self.files.len(),
            disk.peer(),
            durable_files::PathText::from(bundle.clone()).display()
        );
        Ok(Finding::note("far-came", message))
    }

    /// Whether the sidecar is no longer what came, by what is told of it.
    fn sidecar_changed(&self, disk: &FarDisk<'_>) -> bool {
        let now = disk.look(&self.sidecar).ok();
        let came = self.files.last();
        now.map(|now| (now.bytes, now.mtime)) != came.map(|came| (came.bytes, came.mtime))
    }

    /// Removes from the bundle what is not wanted (any more).
    fn clear(&self, bundle: &Path) -> Result<(), Refusal> {
        for path in self.unwanted(bundle) {
            match path.symlink_metadata() {
                Ok(found) if found.is_dir() => remove_tree_if_there(&path)?,
                _ => drop(remove_file_if_there(&path)?),
            }
        }
        Ok(())
    }

    fn unwanted(&self, bundle: &Path) -> Vec<PathBuf> {
        let parts = self.missing(bundle).map(|file| file.part(bundle));
        let mut files: BTreeSet<PathBuf> = parts.collect();
        files.extend(self.files.iter().map(|file| bundle.join(&file.here)));
        files.extend(self.manifest.iter().map(|_| bundle.join(MANIFEST)));
        let folders: BTreeSet<&Path> = self.folders.iter().map(|folder| &**folder).collect();
        let (mut unwanted, mut below) = (Vec::new(), vec![PathBuf::new()]);
        while let Some(folder) = below.pop() {
            for (name, kind) in ThisDisk.list(&bundle.join(&folder)).unwrap_or_default() {
                let path = folder.join(name);
                match kind {
                    Kind::File if files.contains(&bundle.join(&path)) => {}
                    Kind::Folder if folders.contains(&*path) => below.push(path),
                    _ => unwanted.push(bundle.join(path)),
                }
            }
        }
        unwanted
    }
}

impl Wanted {
    fn wanted(&self, bundle: &Path) -> remote_transfer::Wanted {
        const FILE: u32 = 0o100_000;
        let told = FileAttributes { size: Some(self.bytes), mode: Some(FILE), mtime: Some(self.seconds()) };
        remote_transfer::Wanted { source: spelled(&self.there), target: bundle.join(&self.here), told }
    }

    fn seconds(&self) -> u32 {
        u32::try_from(self.mtime.as_second()).unwrap_or(0)
    }

    /// Where the beginning of it stands after a break.
    fn part(&self, bundle: &Path) -> PathBuf {
        part_of(&bundle.join(&self.here), self.bytes, self.seconds())
    }

    /// Whether it came before, as it is now.
    fn is_here(&self, bundle: &Path) -> bool {
        let found = ThisDisk.look(&bundle.join(&self.here));
        found.is_ok_and(|found| {
            let when = (found.mtime.as_second(), self.mtime.as_second());
            found.kind == Kind::File && found.bytes == self.bytes && when.0 == when.1
        })
    }
}

/// How many, and how many bytes.
fn sum<'a>(files: impl Iterator<Item = &'a Wanted>) -> (u64, u64) {
    files.fold((0, 0u64), |(count, bytes), file| (count + 1, bytes.saturating_add(file.bytes)))
}
