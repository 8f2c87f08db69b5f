//! The sessions of one folder: of a profile, of its `agent/`, or of a bundle (formats/cowork.md A2, A3).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use session_model::{Anomaly, InputId, Place, Timestamp};

use super::disk::{self, Disk, Entry, Kind};
use super::ids::{is_plain_name, is_short, short_id};
use super::sidecar::Sidecar;
use super::view::View;
use crate::text::spelled;

/// One sidecar, and the folder of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Kind "session", id = the sidecar's path.
    pub input: InputId,
    /// The sidecar.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its modification time.
    pub mtime: Timestamp,
    /// Whether it lies in the profile's `agent/`.
    pub agent: bool,
    /// What it says.
    pub content: Content,
    /// The session's folder, where there is one.
    pub directory: Option<PathBuf>,
    /// Further folders that are its own: one by its short id beside one by its whole id, and the later runs of an
    /// agent. Each is an input of kind "session folder", and none is looked into.
    pub further: Vec<PathBuf>,
}

/// What a sidecar says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// It could be read. To rewrite it, read it again with [`Sidecar::read`]: a survey does not keep whole files.
    Read(Box<View>),
    /// It could not: the app would skip it as well. Code `parse-error`, `missing-member`, `wrong-type`, `wrong-kind` or
    /// `unreadable`.
    Quarantined(Anomaly),
}

/// What one folder holds of sessions.
#[derive(Default)]
pub(super) struct Sessions {
    pub(super) all: Vec<Session>,
    /// Folders of sessions that no sidecar names.
    pub(super) orphans: Vec<PathBuf>,
    pub(super) anomalies: Vec<Anomaly>,
}

impl Session {
    /// What its sidecar says, if it could be read.
    pub fn view(&self) -> Option<&View> {
        match &self.content {
            Content::Read(view) => Some(view),
            Content::Quarantined(_) => None,
        }
    }

    /// `sessionId`; of a sidecar that cannot be read, what its name says.
    pub fn id(&self) -> &str {
        let of_name = || self.path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        self.view().map_or_else(of_name, |view| &view.session_id)
    }
}

/// Whether the app loads a file of this name as a session: copies under another name become sessions too.
fn is_sidecar_name(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"local_") && name.ends_with(b".json")
}

/// Reads every sidecar among the entries of a folder, and finds each its session's folder.
pub(super) fn read(disk: &dyn Disk, entries: &[Entry], agent: bool) -> Sessions {
    let mut found = Sessions::default();
    for entry in entries.iter().filter(|entry| is_sidecar_name(&entry.name)) {
        let session = found.session(disk, entry, agent);
        found.all.push(session);
    }
    found.directories(entries);
    found
}

/// The app loads one of several sidecars with one id, and nobody can tell which.
pub(super) fn duplicates(sessions: &[Session]) -> Vec<Anomaly> {
    let mut first: BTreeMap<&str, &Session> = BTreeMap::new();
    let mut anomalies = Vec::new();
    for session in sessions.iter().filter(|session| session.view().is_some()) {
        if let Some(first) = first.get(session.id()) {
            let message = format!("its `sessionId` is also that of {}", first.path.display());
            anomalies.push(Anomaly::new("duplicate-session-id", message).at(Place::new(&session.path)));
        } else {
            first.insert(session.id(), session);
        }
    }
    anomalies
}

impl Sessions {
    fn session(&mut self, disk: &dyn Disk, entry: &Entry, agent: bool) -> Session {
        let found = disk.look(&entry.path).ok();
        let content = self.content(disk, &entry.path);
        Session {
            input: InputId::new("session", spelled(&entry.path)),
            path: entry.path.clone(),
            bytes: found.filter(|found| found.kind == Kind::File).map_or(0, |file| file.bytes),
            mtime: found.map_or(Timestamp::UNIX_EPOCH, |found| found.mtime),
            agent,
            content,
            directory: None,
            further: Vec::new(),
        }
    }

    fn content(&mut self, disk: &dyn Disk, path: &Path) -> Content {
        let sidecar = match Sidecar::read_on(disk, path) {
            Ok(sidecar) => sidecar,
            Err(anomaly) => return Content::Quarantined(anomaly),
        };
        self.anomalies.extend(sidecar.anomalies);
        let view = sidecar.view;
        let mut odd = |member: &str| {
            let message = format!("expected `{member}` to be letters, digits, `-` and `_`, found others");
            self.anomalies.push(Anomaly::new("odd-id", message).at(Place::new(path)));
        };
        if !is_plain_name(&view.session_id) {
            odd("sessionId");
        }
        if view.cli_session_id.as_deref().is_some_and(|id| !is_plain_name(id)) {
            odd("cliSessionId");
        }
        if view.vm_process_name.is_some() && view.vm_name().is_none() {
            odd("vmProcessName");
        }
        Content::Read(Box::new(view))
    }

    /// Gives every session its folder; what is left over is an orphan.
    fn directories(&mut self, entries: &[Entry]) {
        let mut places = Places::of(entries);
        for session in &mut self.all {
            places.hand_out(session, &mut self.anomalies);
        }
        self.orphans = places.orphans();
        for orphan in &self.orphans {
            let message = "a session's folder without a sidecar: the app does not show it";
            self.anomalies.push(Anomaly::new("no-sidecar", message).at(Place::new(orphan)));
        }
    }
}

/// The folders that may be sessions', by name, each with whether a session has claimed it.
struct Places<'a>(BTreeMap<&'a str, (&'a Entry, bool)>);

impl<'a> Places<'a> {
    fn of(entries: &'a [Entry]) -> Self {
        let may_be = |entry: &&Entry| matches!(entry.kind, Kind::Folder | Kind::Link);
        let named = entries.iter().filter(may_be).filter_map(|entry| Some((entry.name.to_str()?, entry)));
        let named = named.filter(|(name, entry)| {
            is_short(name) || (name.starts_with("local_") && !is_sidecar_name(&entry.name))
        });
        Self(named.map(|(name, entry)| (name, (entry, false))).collect())
    }

    /// Gives a session its folder, and names the others that are its own.
    fn hand_out(&mut self, session: &mut Session, anomalies: &mut Vec<Anomaly>) {
        let id = session.id();
        let named = [Some(id), short_id(id)].into_iter().flatten().filter_map(|name| self.claim(name));
        let mut named = named.collect::<Vec<_>>().into_iter();
        let runs = self.claim_runs(id);
        match named.next() {
            Some((entry, _)) if entry.kind == Kind::Folder => session.directory = Some(entry.path.clone()),
            Some((entry, _)) => anomalies.push(disk::wrong_kind(&entry.path, "a folder", entry.kind)),
            None if session.view().is_some() => {
                let message = "expected the session's folder beside its sidecar, found none";
                anomalies.push(Anomaly::new("no-folder", message).at(Place::new(&session.path)));
            }
            None => {}
        }
        let further = named.chain(runs).filter(|(_, was_claimed)| !was_claimed);
        session.further = further.map(|(entry, _)| entry.path.clone()).collect();
    }

    /// The entry of a name, and whether another session had claimed it before.
    fn claim(&mut self, name: &str) -> Option<(&'a Entry, bool)> {
        let (entry, claimed) = self.0.get_mut(name)?;
        Some((entry, std::mem::replace(claimed, true)))
    }

    /// `<id>_g<n>`: the later runs of an agent.
    fn claim_runs(&mut self, id: &str) -> Vec<(&'a Entry, bool)> {
        let run = format!("{id}_g");
        let from = (Bound::Included(run.as_str()), Bound::Unbounded);
        let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
        let alike = self.0.range_mut::<str, _>(from).take_while(|(name, _)| name.starts_with(&run));
        let runs = alike.filter(|(name, _)| is_number(&name[run.len()..]));
        runs.map(|(_, (entry, claimed))| (*entry, std::mem::replace(claimed, true))).collect()
    }

    fn orphans(&self) -> Vec<PathBuf> {
        let left = self.0.values().filter(|(_, claimed)| !claimed);
        left.map(|(entry, _)| entry.path.clone()).collect()
    }
}
