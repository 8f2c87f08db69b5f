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
    let top = match entries(state_root) {
        Ok(top) => top,
        Err(why) => {
            found.sessions.push(unlisted(state_root, Layout::V2, &projects.any(), why));
            return found;
        }
    };
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
        match entries(folder) {
            Ok(entries) => entries.iter().filter(|entry| entry.is_folder()).for_each(|entry| {
                self.whole(&entry.path, Layout::V2, &projects.owner(&entry.name()));
            }),
            Err(why) => self.sessions.push(unlisted(folder, Layout::V2, &projects.any(), why)),
        }
    }

    fn standalone(&mut self, folder: &Path, projects: &Projects<'_>) {
        let folders = entries(folder).unwrap_or_default(); // one that cannot be listed was counted by `v2`
        for entry in folders.iter().filter(|entry| entry.is_folder()) {
            let Some(file) = standalone_record(&entry.path) else { continue };
            let owner = projects.owner(&entry.name());
            let id = projects.orchestrator_of(&owner);
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
        let (beside, path) = (entries(folder), folder.join("sessions"));
        let sessions = match (entries(&path), &beside) {
            (Ok(sessions), _) => sessions,
            (Err(_), Err(why)) => return vec![unlisted(folder, layout, owner, why.clone())],
            (Err(why), Ok(beside)) if beside.iter().any(|entry| entry.file_name == "sessions") => {
                return vec![unlisted(&path, layout, owner, why)];
            }
            (Err(_), Ok(_)) => Vec::new(),
        };
        let beside = self.or_said(beside);
        let others = beside.iter().filter(|entry| entry.is_folder() && entry.file_name != "sessions");
        self.not_entered.extend(others.map(|entry| entry.path.clone()));
        let mut files = Vec::new();
        for entry in sessions {
            if entry.file_name == "archive" && entry.is_folder() {
                match entries(&entry.path) {
                    Ok(archived) => files.extend(archived.into_iter().map(|entry| (entry, true))),
                    Err(why) => {
                        self.anomalies.push(why);
                        files.push((entry, true)); // for all that it may hold
                    }
                }
            } else {
                files.push((entry, false));
            }
        }
        InPlace { layout, owner }.files(files)
    }

    /// What a folder holds whose content is only named: what cannot be listed is only said.
    fn or_said(&mut self, entries: Result<Vec<Entry>, Anomaly>) -> Vec<Entry> {
        entries.unwrap_or_else(|why| {
            self.anomalies.push(why);
            Vec::new()
        })
    }
}

/// What a folder holds, in the order of names. A folder that is not there holds nothing.
pub(super) fn entries(folder: &Path) -> Result<Vec<Entry>, Anomaly> {
    match list(folder) {
        Err(error) if !files::is_absence(&error) => Err(files::unreadable(folder, &error)),
        listed => Ok(listed.unwrap_or_default()),
    }
}

/// A folder that may hold any number of sessions, as the one input that stands for them.
fn unlisted(folder: &Path, layout: Layout, owner: &Owner, why: Anomaly) -> SessionFile {
    let name = spelled(folder.file_name().map_or(folder, Path::new));
    SessionFile {
        input: InputId::new("session", spelled(folder)),
        owner: owner.clone(),
        id: name,
        layout,
        mtime: Timestamp::UNIX_EPOCH,
        content: Content::Unlisted(why),
        path: folder.to_path_buf(),
    }
}

/// The stand-alone record in a project's folder. One that can be seen and not looked at is there as well.
fn standalone_record(folder: &Path) -> Option<Entry> {
    let file_name = OsString::from("orchestrator.json");
    let path = folder.join(&file_name);
    let (kind, metadata) = match fs::symlink_metadata(&path) {
        Ok(metadata) => (Kind::of(metadata.file_type()), Some(metadata)),
        Err(error) if files::is_absence(&error) => return None,
        Err(_) => {
            let listed = list(folder).unwrap_or_default();
            (listed.into_iter().find(|entry| entry.file_name == file_name)?.kind, None)
        }
    };
    Some(Entry { path, file_name, kind, metadata })
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
            _ if entry.kind != Kind::File => (Content::Skipped(Skip::NotARegularFile), entry.mtime()),
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
pub(super) struct Entry {
    path: PathBuf,
    file_name: OsString,
    kind: Kind,
    metadata: Option<fs::Metadata>,
}

/// What stands under a name itself, not behind a symlink.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Link,
    Other,
}

impl Kind {
    fn of(found: fs::FileType) -> Self {
        match found {
            found if found.is_file() => Self::File,
            found if found.is_dir() => Self::Folder,
            found if found.is_symlink() => Self::Link,
            _ => Self::Other,
        }
    }
}

fn list(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = Kind::of(entry.file_type()?);
        entries.push(Entry { path: entry.path(), file_name: entry.file_name(), kind, metadata: None });
    }
    entries.sort_unstable_by(|one, other| one.file_name.cmp(&other.file_name));
    Ok(entries)
}

impl Entry {
    fn name(&self) -> String {
        spelled(Path::new(&self.file_name))
    }

    /// A folder, also behind a symlink: people move such folders to other disks. A link that leads where we may not
    /// look may lead to one.
    fn is_folder(&self) -> bool {
        match self.kind {
            Kind::Folder => true,
            Kind::Link => match fs::metadata(&self.path) {
                Ok(found) => found.is_dir(),
                Err(error) => !files::is_absence(&error),
            },
            Kind::File | Kind::Other => false,
        }
    }

    fn mtime(&self) -> Timestamp {
        let metadata = self.metadata.clone().or_else(|| fs::symlink_metadata(&self.path).ok());
        let time = metadata.and_then(|metadata| metadata.modified().ok());
        time.map_or(Timestamp::UNIX_EPOCH, files::timestamp)
    }
}
