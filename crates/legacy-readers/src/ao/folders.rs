//! The folders of the state root: which hold sessions, and whose (formats/ao.md §2.2, §2.6 to §2.9).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use session_model::{Anomaly, InputId, Timestamp};

use super::files;
use super::model::{Content, Layout, Owner, SessionFile, Skip};
use super::owner::{self, Projects};
use super::session::{self, Naming};
use crate::text::spelled;

/// Everything that the state root holds of sessions.
#[derive(Default)]
pub(super) struct Folders {
    pub(super) sessions: Vec<SessionFile>,
    pub(super) not_entered: Vec<PathBuf>,
    pub(super) anomalies: Vec<Anomaly>,
}

/// What a folder of the state root is, by its name alone.
enum Root<'a> {
    /// `{12 hex}-{project id}`
    V1(&'a str),
    /// `{12 hex}`
    BareHash,
    /// Read elsewhere.
    Known,
    /// Nothing that may hold a live session.
    NotEntered,
}

fn root(name: &str) -> Root<'_> {
    if matches!(name, "projects" | "portfolio") {
        return Root::Known;
    }
    let Some((hash, rest)) = name.split_at_checked(12) else { return Root::NotEntered };
    if !hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Root::NotEntered;
    }
    match rest.strip_prefix('-') {
        _ if rest.ends_with(".migrated") => Root::NotEntered,
        None if rest.is_empty() => Root::BareHash,
        Some("observability" | "") | None => Root::NotEntered,
        Some(id) => Root::V1(id),
    }
}

/// Reads all session files below the state root, in the order of formats/ao.md §2.9.
pub(super) fn read(state_root: &Path, projects: &Projects<'_>) -> Folders {
    let mut found = Folders::default();
    let top = found.entries(state_root);
    found.v2(&state_root.join("projects"), projects);
    for entry in top.iter().filter(|entry| entry.is_folder()) {
        match root(&entry.name()) {
            Root::V1(id) => found.whole(&entry.path, Layout::V1, &projects.owner(id)),
            Root::BareHash | Root::Known => {}
            Root::NotEntered => found.not_entered.push(entry.path.clone()),
        }
    }
    for entry in top.iter().filter(|entry| entry.is_folder()) {
        if let (Root::BareHash, name) = (root(&entry.name()), entry.name()) {
            found.bare_hash(&entry.path, &name, projects);
        }
    }
    found.standalone(&state_root.join("projects"), projects);
    found.sessions.sort_by_cached_key(|file| projects.rank(&file.owner));
    found
}

impl Folders {
    fn v2(&mut self, folder: &Path, projects: &Projects<'_>) {
        for entry in self.entries(folder).iter().filter(|entry| entry.is_folder()) {
            self.whole(&entry.path, Layout::V2, &projects.owner(&entry.name()));
        }
    }

    fn standalone(&mut self, folder: &Path, projects: &Projects<'_>) {
        for entry in self.entries(folder).iter().filter(|entry| entry.is_folder()) {
            let path = entry.path.join("orchestrator.json");
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            let owner = projects.owner(&entry.name());
            let id = projects.orchestrator_of(&owner);
            let is_file = metadata.is_file();
            let file =
                Entry { path, file_name: "orchestrator.json".into(), is_file, metadata: Some(metadata) };
            let place = InPlace { layout: Layout::Standalone, owner: &owner };
            let mut file = place.file(file, false, &mut Vec::new());
            file.id = id;
            self.sessions.push(file);
        }
    }

    /// A folder whose sessions all belong to one owner.
    fn whole(&mut self, folder: &Path, layout: Layout, owner: &Owner) {
        let mut files = self.sessions_of(folder, layout, owner);
        self.sessions.append(&mut files);
    }

    fn bare_hash(&mut self, folder: &Path, name: &str, projects: &Projects<'_>) {
        let mut files = self.sessions_of(folder, Layout::BareHash, &Owner::Unknown(Arc::from(name)));
        owner::of_bare_hash(&mut files, name, projects);
        self.sessions.append(&mut files);
    }

    /// Every file of `sessions/` and `sessions/archive/`; the other folders beside them are only named.
    fn sessions_of(&mut self, folder: &Path, layout: Layout, owner: &Owner) -> Vec<SessionFile> {
        let beside = self.entries(folder);
        let others = beside.iter().filter(|entry| entry.is_folder() && entry.file_name != "sessions");
        self.not_entered.extend(others.map(|entry| entry.path.clone()));
        let mut files = Vec::new();
        for entry in self.entries(&folder.join("sessions")) {
            if entry.file_name == "archive" && !entry.is_file && entry.is_folder() {
                files.extend(self.entries(&entry.path).into_iter().map(|entry| (entry, true)));
            } else {
                files.push((entry, false));
            }
        }
        InPlace { layout, owner }.files(files)
    }

    /// What a folder holds, in the order of names. A folder that is not there holds nothing.
    fn entries(&mut self, folder: &Path) -> Vec<Entry> {
        match list(folder) {
            Ok(entries) => entries,
            Err(error) if files::is_absence(&error) => Vec::new(),
            Err(error) => {
                self.anomalies.push(files::unreadable(folder, &error));
                Vec::new()
            }
        }
    }
}

/// The files of one folder, which share layout and owner.
#[derive(Clone, Copy)]
struct InPlace<'a> {
    layout: Layout,
    owner: &'a Owner,
}

impl InPlace<'_> {
    /// Reads every file, given with whether it is archived. Waking a second thread is worth it for many only.
    fn files(self, files: Vec<(Entry, bool)>) -> Vec<SessionFile> {
        const MANY: usize = 256;
        if files.len() < MANY {
            let mut buffer = Vec::new();
            return files
                .into_iter()
                .map(|(entry, archived)| self.file(entry, archived, &mut buffer))
                .collect();
        }
        let read = |buffer: &mut Vec<u8>, (entry, archived)| self.file(entry, archived, buffer);
        files.into_par_iter().map_init(Vec::new, read).collect()
    }

    fn file(&self, entry: Entry, archived: bool, buffer: &mut Vec<u8>) -> SessionFile {
        let naming = if matches!(self.layout, Layout::V2 | Layout::Standalone) {
            Naming::Json
        } else {
            Naming::PlainOrJson
        };
        let name = entry.name();
        let id = session::id_of_name(&name, naming);
        let (content, mtime) = match id {
            _ if archived => (Content::Skipped(Skip::Archived), entry.mtime()),
            Err(why @ Skip::SideFile) => (Content::Skipped(why), entry.mtime()),
            _ if !entry.is_file => (Content::Skipped(Skip::NotARegularFile), entry.mtime()),
            Err(why) => (Content::Skipped(why), entry.mtime()),
            Ok(_) => session::read(&entry.path, naming, buffer),
        };
        let id = id.map_or_else(|_| name.clone(), str::to_owned);
        let input = InputId::new("session", spelled(&entry.path));
        SessionFile {
            input,
            owner: self.owner.clone(),
            id,
            layout: self.layout,
            mtime,
            content,
            path: entry.path,
        }
    }
}

/// One name in a folder.
struct Entry {
    path: PathBuf,
    file_name: OsString,
    /// A regular file, not one behind a symlink.
    is_file: bool,
    metadata: Option<fs::Metadata>,
}

fn list(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_file = entry.file_type()?.is_file();
        entries.push(Entry { path: entry.path(), file_name: entry.file_name(), is_file, metadata: None });
    }
    entries.sort_unstable_by(|one, other| one.file_name.cmp(&other.file_name));
    Ok(entries)
}

impl Entry {
    fn name(&self) -> String {
        spelled(Path::new(&self.file_name))
    }

    /// A folder, also behind a symlink: people move such folders to other disks.
    fn is_folder(&self) -> bool {
        !self.is_file && self.path.is_dir()
    }

    fn mtime(&self) -> Timestamp {
        let metadata = self.metadata.clone().or_else(|| fs::symlink_metadata(&self.path).ok());
        let time = metadata.and_then(|metadata| metadata.modified().ok());
        time.map_or(Timestamp::UNIX_EPOCH, files::timestamp)
    }
}
