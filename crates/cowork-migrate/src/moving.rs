//! Everything that a session's move has to know of both worlds, read and not judged yet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use legacy_readers::cowork::{self, Contents, Session, Sidecar, View, short_id};
use migration_cli::{Refusal, Surroundings};
use session_model::{Finding, ForeignPath, PathRoot, Survey};
use transcript_relocate::rewrite::{PathRules, RulesError};

use crate::content::Original;
use crate::drives::{Drives, Home, Place};
use crate::mapping::{Mapping, Worlds, homes_in};
use crate::options::Options;
use crate::places::{self, Destination, Left, Source, named};
use crate::{guard, scope};

/// A session between its two worlds.
#[derive(Debug)]
pub(crate) struct Moving {
    /// The sidecar, the session's folder and what is in it.
    pub(crate) session: Session,
    pub(crate) original: Original,
    pub(crate) sidecar: Sidecar,
    pub(crate) contents: Survey<Contents>,
    /// The disk of the virtual machine.
    pub(crate) image: Option<PathBuf>,
    pub(crate) destination: Destination,
    pub(crate) drives: Drives,
    /// The home of the new user.
    pub(crate) home: Option<Home>,
    pub(crate) archive: Place,
    /// The session's new folder.
    pub(crate) session_dir: Place,
    pub(crate) mapping: Arc<Mapping>,
    pub(crate) rules: PathRules,
    /// The bundle that it was brought to, from another host.
    pub(crate) brought: Option<PathBuf>,
    /// What of the session is not here at all.
    pub(crate) left: Vec<Left>,
    /// What there is to say about all of this.
    pub(crate) findings: Vec<Finding>,
}

impl Moving {
    /// What the sidecar says.
    pub(crate) fn view(&self) -> &View {
        &self.sidecar.view
    }

    /// The session's new sidecar.
    pub(crate) fn new_sidecar(&self) -> PathBuf {
        let name = self.session.path.file_name().unwrap_or_default();
        let folder = &self.destination.profile.path;
        if self.session.agent { folder.join("agent").join(name) } else { folder.join(name) }
    }

    /// The first digits of its id, which name what is kept of it in the archive.
    pub(crate) fn short(&self) -> &str {
        short_id(self.session.id()).unwrap_or(self.session.id())
    }

    /// Where the home inside the virtual machine goes.
    pub(crate) fn staging(&self) -> Option<Place> {
        self.view().vm_name().map(|vm| self.archive.join(vm))
    }

    /// Reads both worlds, and refuses what this tool does not move.
    pub(crate) fn survey(source: Source, options: &Options, here: &Surroundings) -> Result<Self, Refusal> {
        let destination = places::destination(options, source.id.as_ref(), here)?;
        if source.path == destination.profile.path {
            let hint = "name where it is with --from, and where it goes with --to";
            return Err(Refusal::usage("same-profile", "the session would be moved to where it is", hint));
        }
        let session = scope::selected(&source, options.session.as_deref())?.clone();
        let view = scope::readable(&session)?;
        let mut findings = source.findings.clone();
        findings.extend(scope::check(&source, view, &destination)?);
        let drives = Drives::new(&options.drive, &here.cwd)?;
        let old = OldWorld::of(&source, view, &drives, &options.map)?;
        let new = NewWorld::of(options, &session, &destination, &drives, here)?;
        findings.extend(about(&old, &new));
        let worlds = worlds(old, &new, &destination, view, options);
        let (mapping, rules, guesses) = Mapping::of(&worlds, Some(view)).map_err(|error| unusable(&error))?;
        findings.extend(guesses);
        let NewWorld { home, archive, session_dir, .. } = new;
        let original = Original::of(&session.path)?;
        let sidecar = Sidecar::read(&session.path).map_err(|anomaly| {
            Refusal::new("unreadable-sidecar", anomaly.to_string(), "quit the application, then try again")
        })?;
        original.must_be_as_planned()?;
        let image = match &options.vhdx {
            Some(image) => Some(named(image, here)?),
            None => source.image.map(|image| image.path),
        };
        let contents = cowork::contents(&session);
        let mut held = guard::held_places(source.base.as_deref(), &source.path, image.as_deref());
        held.extend(guard::held_places(Some(&destination.base), &destination.profile.path, None));
        guard::must_not_run(&held)?;
        Ok(Self {
            session,
            original,
            sidecar,
            contents,
            image,
            destination,
            drives,
            home,
            archive,
            session_dir,
            mapping,
            rules,
            brought: source.brought.then_some(source.path),
            left: source.left,
            findings,
        })
    }
}

/// What the old machine called its places, as far as that can be told.
pub(crate) struct OldWorld {
    pub(crate) home: Option<ForeignPath>,
    pub(crate) base: Option<ForeignPath>,
    pub(crate) profile: Option<ForeignPath>,
}

impl OldWorld {
    pub(crate) fn of(
        source: &Source,
        view: &View,
        drives: &Drives,
        moved: &[crate::options::Moved],
    ) -> Result<Self, Refusal> {
        let around = source.base.as_deref().and_then(|base| Home::around(base, drives));
        let manifest = source.manifest.as_ref();
        let named = homes_in(view);
        let home = match (&around, manifest.and_then(|manifest| manifest.home.clone())) {
            (Some(around), _) if !around.assumed => Some(around.foreign.clone()),
            // The sidecar knows the drive of a home that only its name is known of.
            (Some(around), _) => {
                let same_user = |home: &&ForeignPath| home.file_name() == around.foreign.file_name();
                Some(named.iter().find(same_user).unwrap_or(&around.foreign).clone())
            }
            (None, Some(home)) => Some(home),
            (None, None) => only(&named, moved)?,
        };
        let base = match (&around, &home) {
            (Some(around), Some(home)) => {
                let base = source.base.as_deref().unwrap_or(&source.path);
                below(home, &around.local, base)
            }
            _ => manifest.and_then(|manifest| manifest.base.clone()),
        };
        let profile = match (&source.base, manifest) {
            (Some(local), _) => base.as_ref().and_then(|base| below(base, local, &source.path)),
            (None, Some(manifest)) => {
                let profile = format!("local-agent-mode-sessions/{}/{}", manifest.account, manifest.profile);
                base.as_ref().map(|base| base.join(&profile))
            }
            (None, None) => None,
        };
        Ok(Self { home, base, profile })
    }
}

/// Without any other sign, the one home that the sidecar's paths lie in, if the user does not say which.
pub(crate) fn only(
    named: &[ForeignPath],
    moved: &[crate::options::Moved],
) -> Result<Option<ForeignPath>, Refusal> {
    let is_said = |home: &ForeignPath| moved.iter().any(|moved| moved.from.same_place(home));
    let unsaid: Vec<&ForeignPath> = named.iter().filter(|home| !is_said(home)).collect();
    match unsaid.as_slice() {
        [] => Ok(None),
        [home] => Ok(Some((*home).clone())),
        [one, ..] => {
            let listed: Vec<String> = unsaid.iter().map(ToString::to_string).collect();
            let message =
                format!("expected the session to name one user's home, found {}", listed.join(", "));
            let hint = format!("say where each is now: --map '{one}=C:\\Users\\…'");
            Err(Refusal::usage("several-homes", message, hint))
        }
    }
}

/// What the machine calls a place below one of which both names are known.
fn below(foreign: &ForeignPath, local: &Path, path: &Path) -> Option<ForeignPath> {
    Some(foreign.join(path.strip_prefix(local).ok()?.to_str()?))
}

fn foreign_base(base: &Path, home: Option<&Home>, drives: &Drives) -> Option<ForeignPath> {
    drives.foreign(base).or_else(|| home.and_then(|home| below(&home.foreign, &home.local, base)))
}

/// What the new machine calls its places, and where they are here.
struct NewWorld {
    home: Option<Home>,
    base: ForeignPath,
    archive: Place,
    session_dir: Place,
}

impl NewWorld {
    fn of(
        options: &Options,
        session: &Session,
        destination: &Destination,
        drives: &Drives,
        here: &Surroundings,
    ) -> Result<Self, Refusal> {
        let home = Home::around(&destination.base, drives).or_else(|| own_home(here));
        let base =
            foreign_base(&destination.base, home.as_ref(), drives).ok_or_else(|| unnamed(destination))?;
        must_lie_on_its_drive(destination, home.as_ref(), drives)?;
        let archive = archive(options, drives, home.as_ref(), here)?;
        must_not_be_loaded(&archive.local, destination)?;
        let session_dir = session_dir(session, destination, &base)?;
        Ok(Self { home, base, archive, session_dir })
    }
}

/// Folders are made where `--drive` leads: never on the disk of another machine.
fn must_lie_on_its_drive(
    destination: &Destination,
    home: Option<&Home>,
    drives: &Drives,
) -> Result<(), Refusal> {
    let Some(home) = home.filter(|home| home.assumed) else { return Ok(()) };
    let Some(elsewhere) = drives.local(&home.foreign) else { return Ok(()) };
    let message = format!(
        "expected {} to lie where --drive says its drive is, and {} would be {} there",
        destination.base.display(),
        home.foreign,
        elsewhere.display()
    );
    let hint =
        "--drive is about the machine that the session goes to: name the folder that is its drive here";
    Err(Refusal::usage("drive-elsewhere", message, hint))
}

/// The application takes every sidecar below its profiles for a session (A6).
fn must_not_be_loaded(archive: &Path, destination: &Destination) -> Result<(), Refusal> {
    let sessions = places::sessions_of(&destination.base);
    if !archive.starts_with(&sessions) {
        return Ok(());
    }
    let message = format!("expected --archive outside {}, found {}", sessions.display(), archive.display());
    let hint =
        "whatever lies there may be loaded as a session; name another folder, best in the new user's home";
    Err(Refusal::usage("archive-in-profile", message, hint))
}

/// On Windows itself, whoever has moved the base is still at home.
fn own_home(here: &Surroundings) -> Option<Home> {
    let local = here.home.clone().filter(|_| cfg!(windows))?;
    Some(Home { foreign: local.to_str()?.parse().ok()?, local, assumed: false })
}

fn worlds<'o>(
    old: OldWorld,
    new: &NewWorld,
    destination: &Destination,
    view: &View,
    options: &'o Options,
) -> Worlds<'o> {
    Worlds {
        homes: old.home.zip(new.home.as_ref().map(|home| home.foreign.clone())),
        bases: old.base.zip(Some(new.base.clone())),
        profiles: old.profile.zip(below(&new.base, &destination.base, &destination.profile.path)),
        moved: &options.map,
        session_dir: Some(new.session_dir.foreign.clone()),
        staging: view.vm_name().map(|vm| new.archive.foreign.join(vm)),
        links: options.links.into(),
    }
}

fn session_dir(session: &Session, destination: &Destination, base: &ForeignPath) -> Result<Place, Refusal> {
    let profile = &destination.profile.path;
    let folder = if session.agent { profile.join("agent") } else { profile.clone() };
    let name = session.directory.as_deref().and_then(Path::file_name).and_then(std::ffi::OsStr::to_str);
    let local = folder.join(name.unwrap_or(session.id()));
    let foreign = below(base, &destination.base, &local).ok_or_else(|| unnamed(destination))?;
    Ok(Place { local, foreign })
}

/// The folder that `--archive` names, else one in the new user's home.
pub(crate) fn archive(
    options: &Options,
    drives: &Drives,
    home: Option<&Home>,
    here: &Surroundings,
) -> Result<Place, Refusal> {
    let Some(said) = &options.archive else {
        let home = home.ok_or_else(|| {
            Refusal::usage(
                "no-archive",
                "cannot tell the new user's home, where the archive would go",
                "--archive DIR",
            )
        })?;
        let home = Place { local: home.local.clone(), foreign: home.foreign.clone() };
        return Ok(home.join("cowork-archive"));
    };
    let unreachable = |drive: char, what: &str| {
        let hint = format!("say where its drive lies: --drive '{drive}:=DIR'");
        Refusal::usage("archive-unreachable", what, hint)
    };
    if cfg!(not(windows))
        && let Ok(foreign) = said.as_str().parse::<ForeignPath>()
        && foreign.style() == session_model::PathStyle::Windows
    {
        let letter = if let PathRoot::Drive(letter) = foreign.root() { *letter } else { 'C' };
        let local = drives.local(&foreign).ok_or_else(|| {
            unreachable(letter, &format!("cannot tell where {foreign} lies on this machine"))
        })?;
        return Ok(Place { local, foreign });
    }
    let local = named(said, here)?;
    let of_home = || home.and_then(|home| below(&home.foreign, &home.local, &local));
    let foreign = drives.foreign(&local).or_else(of_home).ok_or_else(|| {
        unreachable('C', &format!("cannot tell what {} is called on the Windows machine", local.display()))
    })?;
    Ok(Place { local, foreign })
}

fn about(old: &OldWorld, new: &NewWorld) -> Vec<Finding> {
    let mut findings = Vec::new();
    if old.home.is_none() {
        let message =
            "the session does not say whose home it is from; paths of a home stay unless --map moves them";
        findings.push(Finding::warning("home-unknown", message));
    }
    let Some(home) = &new.home else {
        let message =
            "the profile does not lie in a home; paths of the old home stay unless --map moves them";
        findings.push(Finding::warning("new-home-unknown", message));
        return findings;
    };
    if home.assumed {
        let message =
            format!("the drive of the new home is assumed: {}; --drive says where drives lie", home.foreign);
        findings.push(Finding::note("drive-assumed", message));
    }
    if new.archive.foreign.below(&home.foreign).is_none() {
        let message =
            format!("some builds show only files of the home, and the archive is {}", new.archive.foreign);
        findings.push(Finding::warning("archive-outside-home", message));
    }
    findings
}

fn unnamed(destination: &Destination) -> Refusal {
    let message = format!("cannot tell what {} is called on the Windows machine", destination.base.display());
    Refusal::usage("destination-unnamed", message, "say where its drive lies: --drive 'C:=DIR'")
}

fn unusable(error: &RulesError) -> Refusal {
    Refusal::usage(
        "mapping",
        format!("cannot map the session's paths: {error}"),
        "--map 'SRC=DST' says where a folder is now",
    )
}
