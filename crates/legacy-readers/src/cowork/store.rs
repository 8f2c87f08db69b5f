//! A base folder: its accounts, their profiles, and what lies in those (formats/cowork.md A2).

use std::io;
use std::path::{Path, PathBuf};

use session_model::{Anomaly, InputId, Place, Survey};

use super::disk::{self, Disk, Entry, Kind, ThisDisk};
use super::ids::OwnerId;
use super::image::{self, DiskImage};
use super::session::{self, Session, Sessions};
use super::space::{self, Space};
use crate::files::is_absence;
use crate::text::spelled;

/// The folder of a base that holds the accounts.
pub(super) const SESSIONS: &str = "local-agent-mode-sessions";

/// Everything that a base holds of sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Store {
    /// The base.
    pub base: PathBuf,
    /// Its profiles, in the order of their folders.
    pub profiles: Vec<Profile>,
    /// Folders beside accounts and profiles that are none.
    pub not_entered: Vec<PathBuf>,
    /// The disk of the virtual machine.
    pub image: Option<DiskImage>,
}

/// One profile of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The profile's folder.
    pub path: PathBuf,
    /// Which profile this is.
    pub id: ProfileId,
    /// Its sessions in the order of their sidecars' names, those of `agent/` last.
    pub sessions: Vec<Session>,
    /// Folders of sessions that no sidecar names, each an input of kind "session folder".
    pub orphans: Vec<PathBuf>,
    /// Its spaces.
    pub spaces: Vec<Space>,
}

/// The names of an account's and a profile's folder. One login has the same ids on every machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileId {
    /// The account.
    pub account: OwnerId,
    /// The profile.
    pub profile: OwnerId,
}

/// A folder with one session or more, apart from any base: what somebody carried away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The folder.
    pub path: PathBuf,
    /// The sessions in it.
    pub sessions: Vec<Session>,
    /// Folders of sessions that no sidecar names.
    pub orphans: Vec<PathBuf>,
    /// A disk image that lies beside them.
    pub image: Option<DiskImage>,
}

/// Why a folder that the user named could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not there.
    #[error("reading {what} {}: expected it to exist, found nothing there", path.display())]
    Missing {
        /// "the base folder" or "the bundle".
        what: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// It is there and cannot be listed.
    #[error("reading {what} {}: expected a readable folder, the system says: {}", path.display(), source.kind())]
    Unreadable {
        /// "the base folder" or "the bundle".
        what: &'static str,
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ProfileId {
    /// Whether both may be one profile, where either may have short names.
    pub fn may_be(&self, other: &Self) -> bool {
        self.account.may_be(&other.account) && self.profile.may_be(&other.profile)
    }
}

impl Store {
    /// The profiles that may be the given one of another machine. Several are a question for the user; none means that
    /// this login never ran here, and ids are never made up.
    pub fn matching(&self, id: &ProfileId) -> Vec<&Profile> {
        self.profiles.iter().filter(|profile| profile.id.may_be(id)).collect()
    }

    /// The sessions of all profiles.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.profiles.iter().flat_map(|profile| &profile.sessions)
    }
}

/// Reads what a base holds of sessions, changing nothing.
///
/// Bad content is part of the [`Survey`]; see [`ReadError`] for what is an error.
pub fn read(base: &Path) -> Result<Survey<Store>, ReadError> {
    read_on(&ThisDisk, base)
}

/// The same on any disk.
pub fn read_on(disk: &dyn Disk, base: &Path) -> Result<Survey<Store>, ReadError> {
    check_named(disk, base)?;
    Ok(survey(disk, base))
}

/// A base that the user named must be there.
pub(super) fn check_named(disk: &dyn Disk, base: &Path) -> Result<(), ReadError> {
    list_named(disk, "the base folder", base).map(drop)
}

/// Reads a bundle: sidecars, the folders of their sessions, and maybe a disk image, all in one folder.
pub fn read_bundle(folder: &Path) -> Result<Survey<Bundle>, ReadError> {
    read_bundle_on(&ThisDisk, folder)
}

/// The same on any disk.
pub fn read_bundle_on(disk: &dyn Disk, folder: &Path) -> Result<Survey<Bundle>, ReadError> {
    let entries = list_named(disk, "the bundle", folder)?;
    let Sessions { all: sessions, orphans, mut anomalies } = session::read(disk, &entries, false);
    anomalies.extend(session::duplicates(&sessions));
    let image = image::in_folder(disk, folder, &mut anomalies);
    let inputs = inputs(&sessions, &orphans);
    let found = Bundle { path: folder.to_path_buf(), sessions, orphans, image };
    Ok(Survey { found, inputs, anomalies })
}

fn list_named(disk: &dyn Disk, what: &'static str, folder: &Path) -> Result<Vec<Entry>, ReadError> {
    disk::list(disk, folder).map_err(|source| {
        let path = folder.to_path_buf();
        if source.kind() == io::ErrorKind::NotFound {
            ReadError::Missing { what, path }
        } else {
            ReadError::Unreadable { what, path, source }
        }
    })
}

/// The same as [`read`], of a base that nobody named.
pub(super) fn survey(disk: &dyn Disk, base: &Path) -> Survey<Store> {
    let mut reading = Reading { disk, store: Store::default(), inputs: Vec::new(), anomalies: Vec::new() };
    reading.store.base = base.to_path_buf();
    reading.store.image = image::of_base(disk, base, &mut reading.anomalies);
    let folder = base.join(SESSIONS);
    match disk::list(disk, &folder) {
        Ok(accounts) => reading.accounts(accounts),
        Err(error) if is_absence(&error) => {
            let message = "expected the folder of local sessions, found none";
            reading.anomalies.push(Anomaly::new("no-sessions", message).at(Place::new(folder)));
        }
        Err(error) => reading.anomalies.push(disk::unreadable(&folder, &error)),
    }
    Survey { found: reading.store, inputs: reading.inputs, anomalies: reading.anomalies }
}

/// A survey that comes together.
struct Reading<'d> {
    disk: &'d dyn Disk,
    store: Store,
    inputs: Vec<InputId>,
    anomalies: Vec<Anomaly>,
}

impl Reading<'_> {
    fn accounts(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            if let Some(account) = self.owner(&entry, "an account's folder") {
                let profiles = disk::list_if_there(self.disk, &entry.path, &mut self.anomalies);
                self.profiles(&account, profiles);
            }
        }
    }

    fn profiles(&mut self, account: &OwnerId, entries: Vec<Entry>) {
        for entry in entries {
            if let Some(profile) = self.owner(&entry, "a profile's folder") {
                self.profile(ProfileId { account: account.clone(), profile }, entry.path);
            }
        }
    }

    /// The id that a folder is named for; of anything else at most its path is kept.
    fn owner(&mut self, entry: &Entry, what: &str) -> Option<OwnerId> {
        match (OwnerId::from_name(&entry.name), entry.kind) {
            (Some(id), Kind::Folder) => return Some(id),
            (Some(_), other) => self.anomalies.push(disk::wrong_kind(&entry.path, what, other)),
            (None, Kind::Folder | Kind::Link) => self.store.not_entered.push(entry.path.clone()),
            (None, Kind::File | Kind::Special) => {}
        }
        None
    }

    fn profile(&mut self, id: ProfileId, path: PathBuf) {
        let entries = disk::list_if_there(self.disk, &path, &mut self.anomalies);
        let agents = self.agents(&entries);
        let (mut own, agents) =
            (session::read(self.disk, &entries, false), session::read(self.disk, &agents, true));
        own.all.extend(agents.all);
        own.orphans.extend(agents.orphans);
        self.anomalies.extend(own.anomalies.into_iter().chain(agents.anomalies));
        self.anomalies.extend(session::duplicates(&own.all));
        self.inputs.extend(inputs(&own.all, &own.orphans));
        let spaces = space::read(self.disk, &entries, &mut self.anomalies);
        let Sessions { all: sessions, orphans, .. } = own;
        self.store.profiles.push(Profile { path, id, sessions, orphans, spaces });
    }

    fn agents(&mut self, profile: &[Entry]) -> Vec<Entry> {
        let Some(Entry { path, kind, .. }) = profile.iter().find(|entry| entry.name == "agent") else {
            return Vec::new();
        };
        if *kind == Kind::Folder {
            return disk::list_if_there(self.disk, path, &mut self.anomalies);
        }
        self.anomalies.push(disk::wrong_kind(path, "a folder", *kind));
        Vec::new()
    }
}

fn inputs(sessions: &[Session], orphans: &[PathBuf]) -> Vec<InputId> {
    let folders = sessions.iter().flat_map(|session| &session.further).chain(orphans);
    let folders = folders.map(|path| InputId::new("session folder", spelled(path)));
    sessions.iter().map(|session| session.input.clone()).chain(folders).collect()
}
