//! Sessions that convocate, or claude-shell before it, left on a shell host (formats/convocate.md §3, §4, §6).
//!
//! A session is a folder named by a UUID with a `session.json` in it. Nothing else says so: there is no list.

mod lock;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use session_model::{Anomaly, InputId, Place, SessionJson, Survey, is_session_id};

use crate::files;

pub use lock::{Claim, LockFile};

/// A folder that is a session, or that would be one if it could be read.
#[derive(Debug, Clone)]
pub struct Session {
    /// The id: the folder's name, in lower case and with hyphens.
    pub uuid: String,
    /// The folder.
    pub path: PathBuf,
    /// What its `session.json` says.
    pub content: Content,
    /// The lock file beside it, if there is one.
    pub lock: Option<LockFile>,
}

/// What a `session.json` says, or why it says nothing.
#[derive(Debug, Clone)]
pub enum Content {
    /// It was read.
    Read {
        /// The document.
        document: SessionJson,
        /// Its bytes.
        text: Vec<u8>,
    },
    /// It cannot be.
    Quarantined(Anomaly),
}

impl Session {
    /// The document, if it could be read.
    pub fn document(&self) -> Option<&SessionJson> {
        match &self.content {
            Content::Read { document, .. } => Some(document),
            Content::Quarantined(_) => None,
        }
    }
}

/// Finds every session in a base, sorted by id.
///
/// The base itself must be there and readable: without it nothing can be said.
pub fn read(base: &Path) -> io::Result<Survey<Vec<Session>>> {
    let mut survey: Survey<Vec<Session>> = Survey::default();
    let mut names: Vec<_> = fs::read_dir(base)?.collect::<io::Result<_>>()?;
    names.sort_by_key(fs::DirEntry::file_name);
    for entry in names {
        let Some(uuid) = session_id(&entry.file_name()) else { continue };
        let Some(session) = session(base, uuid) else { continue };
        survey.inputs.push(InputId::new("session", session.path.display().to_string()));
        if let Content::Quarantined(anomaly) = &session.content {
            survey.anomalies.push(anomaly.clone());
        }
        survey.found.push(session);
    }
    Ok(survey)
}

/// The one with this id; nothing if there is no such folder, or no `session.json` in it.
pub fn session(base: &Path, uuid: String) -> Option<Session> {
    let path = base.join(&uuid);
    let content = match fs::symlink_metadata(&path) {
        Err(error) if files::is_absence(&error) => None,
        Ok(found) if found.is_dir() => document(&path),
        Ok(_) => Some(quarantined("not-a-folder", "expected a folder, found something else", &path)),
        Err(error) => Some(Content::Quarantined(files::unreadable(&path, &error))),
    };
    let content = consistent(content?, &uuid, &path);
    let lock = LockFile::read(&base.join(format!("{uuid}.lock")));
    Some(Session { uuid, path, content, lock })
}

/// The id that a folder's name is.
pub fn session_id(name: &OsStr) -> Option<String> {
    name.to_str().filter(|name| is_session_id(name)).map(str::to_owned)
}

/// Its document; nothing if the folder has none, and so is no session.
fn document(folder: &Path) -> Option<Content> {
    let path = folder.join("session.json");
    let text = match read_regular(&path) {
        Ok(Some(text)) => text,
        Ok(None) => return None,
        Err(error) => return Some(Content::Quarantined(files::unreadable(&path, &error))),
    };
    Some(match SessionJson::parse(&text) {
        Ok(document) => Content::Read { document, text },
        Err(error) => {
            let place = Place::new(&path).line(error.line as u64).column(error.column as u64);
            Content::Quarantined(Anomaly::new("session-json", error.reason).at(place))
        }
    })
}

/// A session's own link must not lead its reader elsewhere.
fn read_regular(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    match files::open_itself(path).and_then(|file| files::fill(&mut text, file)) {
        Err(error) if files::is_absence(&error) => Ok(None),
        read => read.map(|_| Some(text)),
    }
}

fn consistent(content: Content, uuid: &str, folder: &Path) -> Content {
    match &content {
        Content::Read { document, .. } if document.fields().uuid != uuid => quarantined(
            "other-uuid",
            "the uuid in session.json is not the name of its folder",
            &folder.join("session.json"),
        ),
        _ => content,
    }
}

fn quarantined(code: &str, message: &str, path: &Path) -> Content {
    Content::Quarantined(Anomaly::new(code, message).at(Place::new(path)))
}
