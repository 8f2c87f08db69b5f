//! Which profile or bundle is meant (formats/cowork.md A1, A2, F).

use std::path::{Path, PathBuf};

use camino::Utf8Path;
use legacy_readers::cowork::{
    self, Base, Choice, Disk, DiskImage, Environment, Kind, OwnerId, Platform, Profile, ProfileId, Purpose,
    ReadError, Session, Space, ThisDisk,
};
use migration_cli::{Refusal, Surroundings};
use migration_engine::{Bucket, Item, Outcome};
use serde::Serialize;
use session_model::{Anomaly, Finding, InputId};

use crate::bundle::Manifest;
use crate::options::Options;
use crate::plan::SESSION;

/// The folder of a base that holds the accounts.
const SESSIONS: &str = "local-agent-mode-sessions";

/// The code of the refusal where the application has never run and the user named no place.
pub(crate) const NO_BASE: &str = "no-base";

/// The system that the application of a profile runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum System {
    /// Windows.
    Windows,
    /// macOS.
    MacOs,
    /// Linux.
    Linux,
}

impl System {
    /// What the place of a base says.
    fn of_base(base: &Path) -> Self {
        let ends = |end: &str| base.ends_with(end);
        let either = |end: &str| ends(end) || ends(&format!("{end}-3p"));
        match () {
            () if either("Library/Application Support/Claude") => Self::MacOs,
            () if either(".config/Claude") => Self::Linux,
            () => Self::Windows,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
            Self::Linux => "Linux",
        }
    }
}

/// Where sessions are read from.
#[derive(Debug)]
pub(crate) struct Source {
    /// The profile's folder, or the bundle.
    pub(crate) path: PathBuf,
    /// The base, unless it is a bundle.
    pub(crate) base: Option<PathBuf>,
    /// Which profile it is, as far as that is known.
    pub(crate) id: Option<ProfileId>,
    /// What it ran on.
    pub(crate) system: System,
    /// Its sessions.
    pub(crate) sessions: Vec<Session>,
    /// Its spaces.
    pub(crate) spaces: Vec<Space>,
    /// The disk of its virtual machine.
    pub(crate) image: Option<DiskImage>,
    /// What a bundle says of where it was packed.
    pub(crate) manifest: Option<Manifest>,
    /// What reading it found.
    pub(crate) anomalies: Vec<Anomaly>,
    /// Where it was read, in the words of whoever named another host.
    pub(crate) said: Option<String>,
    /// Whether it was brought here for this.
    pub(crate) brought: bool,
    /// What of the session that is meant is not here, since it could not or must not be brought.
    pub(crate) left: Vec<Left>,
    /// How it was chosen or brought, where that is worth saying.
    pub(crate) findings: Vec<Finding>,
}

impl Source {
    /// Where it is, as `--from` takes it.
    pub(crate) fn place(&self) -> PathBuf {
        self.said.as_ref().map_or_else(|| self.path.clone(), PathBuf::from)
    }
}

/// Something of a session that stays where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    /// Where it is, for people.
    pub(crate) place: String,
    /// Why it stays.
    pub(crate) reason: &'static str,
}

impl Left {
    pub(crate) fn item(&self) -> Item {
        let input = InputId::new("session file", self.place.clone());
        let outcome = Outcome::because(Bucket::Skipped, self.reason);
        Item { needs: vec![SESSION], ..Item::new(input, self.place.clone(), outcome) }
    }
}

/// Where a session goes.
#[derive(Debug)]
pub(crate) struct Destination {
    /// The profile.
    pub(crate) profile: Profile,
    /// Its base.
    pub(crate) base: PathBuf,
    /// What it runs on.
    pub(crate) system: System,
}

/// What a path is.
enum Named {
    Base(PathBuf),
    Profile { base: PathBuf, profile: PathBuf },
    Bundle(PathBuf),
}

/// The profile or bundle that `--from` names, else that of this machine.
pub(crate) fn source(options: &Options, purpose: Purpose, here: &Surroundings) -> Result<Source, Refusal> {
    if let Some(path) = &options.from {
        return source_at(&ThisDisk, &named(path, here)?, "--from");
    }
    let mut findings = Vec::new();
    let bases = own_bases(options, here)?;
    let base = chosen(&bases, purpose, "--from", &mut findings)?;
    let source = of_base(&ThisDisk, &base.path, None, "--from")?;
    Ok(Source { image: cowork::image_of(base, &bases).cloned(), findings, ..source })
}

/// The profile or bundle at a place of a disk.
pub(crate) fn source_at(disk: &dyn Disk, path: &Path, option: &str) -> Result<Source, Refusal> {
    match what_is(disk, path, option)? {
        Named::Base(base) => of_base(disk, &base, None, option),
        Named::Profile { base, profile } => of_base(disk, &base, Some(&profile), option),
        Named::Bundle(bundle) => of_bundle(disk, &bundle),
    }
}

fn of_base(disk: &dyn Disk, base: &Path, profile: Option<&Path>, option: &str) -> Result<Source, Refusal> {
    let survey = cowork::read_on(disk, base).map_err(|error| unreadable(&error))?;
    let store = survey.found;
    let wanted = |found: &&Profile| profile.is_none_or(|path| found.path == path);
    let meant: Vec<&Profile> = store.profiles.iter().filter(wanted).collect();
    let [profile] = meant.as_slice() else {
        return Err(not_one(base, &meant, &store.profiles, option, None));
    };
    let profile = (*profile).clone();
    let within =
        |anomaly: &Anomaly| anomaly.place.as_ref().is_none_or(|place| place.file.starts_with(&profile.path));
    Ok(Source {
        path: profile.path.clone(),
        base: Some(base.to_path_buf()),
        id: Some(profile.id.clone()),
        system: System::of_base(base),
        anomalies: survey.anomalies.into_iter().filter(within).collect(),
        sessions: profile.sessions,
        spaces: profile.spaces,
        image: store.image,
        manifest: None,
        said: None,
        brought: false,
        left: Vec::new(),
        findings: Vec::new(),
    })
}

fn of_bundle(disk: &dyn Disk, folder: &Path) -> Result<Source, Refusal> {
    let survey = cowork::read_bundle_on(disk, folder).map_err(|error| unreadable(&error))?;
    let manifest = Manifest::read(disk, folder)?;
    Ok(Source {
        path: folder.to_path_buf(),
        base: None,
        id: manifest.as_ref().and_then(Manifest::id),
        system: System::Windows,
        sessions: survey.found.sessions,
        spaces: Vec::new(),
        image: survey.found.image,
        anomalies: survey.anomalies,
        said: None,
        brought: false,
        left: Vec::new(),
        findings: Vec::new(),
        manifest,
    })
}

/// The profile that `--to` names, else that of this machine; of several, the one whose ids are the source's.
pub(crate) fn destination(
    options: &Options,
    source: Option<&ProfileId>,
    here: &Surroundings,
) -> Result<Destination, Refusal> {
    let (base, profile) = if let Some(path) = &options.to {
        match what_is(&ThisDisk, &named(path, here)?, "--to")? {
            Named::Base(base) => (base, None),
            Named::Profile { base, profile } => (base, Some(profile)),
            Named::Bundle(path) => return Err(not_a_profile(&path, "--to")),
        }
    } else {
        let bases = own_bases(options, here)?;
        (chosen(&bases, Purpose::Write, "--to", &mut Vec::new())?.path.clone(), None)
    };
    let store = cowork::read(&base).map_err(|error| unreadable(&error))?.found;
    let meant: Vec<&Profile> = match (&profile, source) {
        (Some(path), _) => store.profiles.iter().filter(|found| found.path == *path).collect(),
        (None, Some(id)) if store.profiles.len() > 1 => store.matching(id),
        (None, _) => store.profiles.iter().collect(),
    };
    let [found] = meant.as_slice() else {
        return Err(not_one(
            &base,
            &meant,
            &store.profiles,
            "--to",
            profile.is_none().then_some(source).flatten(),
        ));
    };
    Ok(Destination { profile: (*found).clone(), system: System::of_base(&base), base })
}

/// The bases of this machine.
fn own_bases(options: &Options, here: &Surroundings) -> Result<Vec<Base>, Refusal> {
    let base = options.base.as_deref().map(|base| named(base, here)).transpose()?;
    let survey = cowork::bases(&environment(here), base.as_deref());
    Ok(survey.map_err(|error| unreadable(&error))?.found)
}

/// Where the application keeps its own in a home, whatever system that is of.
pub(crate) fn source_of_home(disk: &dyn Disk, home: &Path, purpose: Purpose) -> Result<Source, Refusal> {
    let mut bases: Vec<Base> = Vec::new();
    for platform in [Platform::Windows, Platform::MacOs, Platform::Linux] {
        let survey = cowork::bases_on(disk, &Environment::of_home(platform, home), None);
        bases.extend(survey.map_err(|error| unreadable(&error))?.found);
    }
    let mut findings = Vec::new();
    let base = chosen(&bases, purpose, "--from", &mut findings)?;
    let source = of_base(disk, &base.path, None, "--from")?;
    Ok(Source { image: cowork::image_of(base, &bases).cloned(), findings, ..source })
}

/// The one base that comes into question.
fn chosen<'b>(
    bases: &'b [Base],
    purpose: Purpose,
    option: &str,
    findings: &mut Vec<Finding>,
) -> Result<&'b Base, Refusal> {
    match cowork::choose(bases, purpose) {
        Choice::Named(base) | Choice::Only(base) => Ok(base),
        Choice::Newest { chosen, others } => {
            findings.push(Finding::note(
                "newest-base",
                format!("several bases are there; {chosen} is the one whose log is newest"),
            ));
            findings.extend(others.into_iter().map(of_candidate));
            Ok(chosen)
        }
        Choice::Undecided(several) => {
            let message =
                "several bases of the application are here, and which of them is in use cannot be told";
            let hint = format!("name one: --base DIR, or {option} PROFILE");
            Err(Refusal::new("several-bases", message, hint)
                .findings(several.into_iter().map(of_candidate).collect()))
        }
        Choice::Nothing => {
            let message = "expected the application's base in its usual places, found none with sessions";
            Err(Refusal::new(NO_BASE, message, format!("name it: {option} PROFILE")))
        }
    }
}

fn of_candidate(base: &Base) -> Finding {
    let time =
        |time: Option<session_model::Timestamp>| time.map_or("never".to_owned(), |time| time.to_string());
    let active = base.newest_activity.and_then(cowork::Millis::instant);
    let message = format!(
        "{base}: {} readable sessions, last activity {}, log of {}",
        base.readable,
        time(active),
        time(base.newest_log)
    );
    Finding::note("base", message)
}

fn environment(here: &Surroundings) -> Environment {
    let platform = match () {
        () if cfg!(windows) => Platform::Windows,
        () if cfg!(target_os = "macos") => Platform::MacOs,
        () => Platform::Linux,
    };
    Environment {
        platform,
        home: here.home.clone(),
        local_app_data: here.path_var("LOCALAPPDATA"),
        app_data: here.path_var("APPDATA"),
        user_data_dir: here.path_var("CLAUDE_USER_DATA_DIR"),
    }
}

/// Whose profile stands at a place of a disk, if that is one.
pub(crate) fn owner_at(disk: &dyn Disk, path: &Path) -> Result<Option<ProfileId>, Refusal> {
    let owner = |path: &Path| OwnerId::from_name(path.file_name()?);
    let id =
        |profile: &Path| Some(ProfileId { account: owner(profile.parent()?)?, profile: owner(profile)? });
    let base = match what_is(disk, path, "--from")? {
        Named::Profile { profile, .. } => return Ok(id(&profile)),
        Named::Bundle(bundle) => return Ok(Manifest::read(disk, &bundle)?.as_ref().and_then(Manifest::id)),
        Named::Base(base) => base,
    };
    let below = |folder: &Path| {
        let names = disk.list(folder).unwrap_or_default().into_iter();
        names.map(|(name, _)| folder.join(name)).filter(|path| owner(path).is_some()).collect::<Vec<_>>()
    };
    let profiles: Vec<PathBuf> =
        below(&sessions_of(&base)).iter().flat_map(|account| below(account)).collect();
    Ok(if let [only] = profiles.as_slice() { id(only) } else { None })
}

/// The folder of a base that holds its accounts.
pub(crate) fn sessions_of(base: &Path) -> PathBuf {
    base.join(SESSIONS)
}

/// A path that the user named, as the file system knows it.
pub(crate) fn named(path: &Utf8Path, here: &Surroundings) -> Result<PathBuf, Refusal> {
    if path.as_str().starts_with("ssh://") {
        let message = format!("expected a path of this machine, found {path}");
        let hint =
            "over SSH sessions are only read: by `inventory`, by `pack --from`, and by the move with --from";
        return Err(Refusal::usage("remote", message, hint));
    }
    Ok(transcript_relocate::resolve_physically(&here.named(path)?))
}

fn what_is(disk: &dyn Disk, path: &Path, option: &str) -> Result<Named, Refusal> {
    let is_folder = |path: &Path| disk.look(path).is_ok_and(|found| found.kind == Kind::Folder);
    if !is_folder(path) {
        let message = format!("expected a folder at {}, which {option} names, found none", path.display());
        return Err(Refusal::new("missing", message, "check the path"));
    }
    if is_folder(&path.join(SESSIONS)) {
        return Ok(Named::Base(path.to_path_buf()));
    }
    if let Some(base) = base_of_profile(path) {
        return Ok(Named::Profile { base: base.to_path_buf(), profile: path.to_path_buf() });
    }
    if holds_sidecars(disk, path) {
        Ok(Named::Bundle(path.to_path_buf()))
    } else {
        Err(not_a_profile(path, option))
    }
}

/// The base of `<base>/local-agent-mode-sessions/<account>/<profile>`.
fn base_of_profile(path: &Path) -> Option<&Path> {
    let sessions = path.parent()?.parent()?;
    sessions.parent().filter(|_| sessions.file_name() == Some(SESSIONS.as_ref()))
}

fn holds_sidecars(disk: &dyn Disk, folder: &Path) -> bool {
    let names = disk.list(folder).unwrap_or_default().into_iter();
    names
        .map(|(name, _)| name.into_encoded_bytes())
        .any(|name| name.starts_with(b"local_") && name.ends_with(b".json"))
}

fn not_a_profile(path: &Path, option: &str) -> Refusal {
    let message =
        format!("expected {option} to be a profile of the application, found none at {}", path.display());
    let hint = format!(
        "a profile is <base>/{SESSIONS}/<account>/<profile>; the base will do if it has one profile; where Cowork has \
         never run, start it once and sign in"
    );
    Refusal::new("not-a-profile", message, hint)
}

/// None or several of the profiles of a base are meant.
fn not_one(
    base: &Path,
    meant: &[&Profile],
    all: &[Profile],
    option: &str,
    wanted: Option<&ProfileId>,
) -> Refusal {
    let listed = if meant.is_empty() { all.iter().collect() } else { meant.to_vec() };
    let findings = listed.iter().map(|profile| {
        let message = format!("{}: {} sessions", profile.path.display(), profile.sessions.len());
        Finding::note("profile", message)
    });
    let name_it = format!("name the profile's folder: {option} PROFILE");
    let sign_in = "start the application there once, with the same login, and quit it";
    let (code, found, hint) = match (meant.len(), all.len()) {
        (_, 0) => ("no-profile", "none".to_owned(), sign_in.to_owned()),
        (0, _) if wanted.is_some() => ("no-such-profile", "only others".to_owned(), sign_in.to_owned()),
        (0, _) => ("no-such-profile", "others".to_owned(), name_it),
        (several, _) => ("several-profiles", several.to_string(), name_it),
    };
    let of_session = wanted.map_or_else(String::new, |id| {
        format!(
            " of the session's account and organisation, {}/{},",
            id.account.as_str(),
            id.profile.as_str()
        )
    });
    let message =
        format!("expected one profile{of_session} for {option} in {}, found {found}", base.display());
    Refusal::new(code, message, hint).findings(findings.collect())
}

fn unreadable(error: &ReadError) -> Refusal {
    Refusal::new("unreadable", error.to_string(), "check the path and its permissions")
}
