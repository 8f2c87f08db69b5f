//! Sessions of the Python OpenClaw: a JSON file for each, in `<workspace>/.sessions` (formats/openclaw.md §2).
//!
//! A survey goes through every file to its end, so that what it says of a file is what a migration of it will find. It
//! keeps of each what is small; the messages are read again where they are needed, one at a time ([`SessionFile`]).

mod extent;
mod flaw;
mod map;
mod message;
mod moment;
mod session;
mod session_file;
mod window;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use durable_files::{Fingerprint, Hasher};
use rayon::prelude::*;
use session_model::{Anomaly, InputId, Place, Survey, Timestamp};

use crate::files;

pub use flaw::{Fault, Flaw};
pub use map::{MAP_NAME, SessionMap};
pub use message::Message;
pub use moment::Moment;
pub use session::{Messages, Session};
pub use session_file::{Event, SessionFile};

/// The folder of a workspace that holds its sessions.
pub const FOLDER: &str = ".sessions";
/// The store that a migration makes of them, which is no session.
pub const STORE_NAME: &str = "sessions.json";
/// The kind of input that a file of sessions is.
pub const SESSION: &str = "session";
/// The kind of input that the map of routing keys is.
pub const MAP: &str = "session map";

/// What a workspace holds of the old format.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// The folder of its sessions.
    pub folder: PathBuf,
    /// Every file there that could be a session, in the order of their names' bytes.
    pub sources: Vec<Source>,
    /// The routing keys, if there is a map of them.
    pub map: Option<SessionMap>,
}

/// A file named like a session.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Its name without `.json`, which is the session's id.
    pub id: String,
    /// What is in it.
    pub content: Content,
}

/// What a file named like a session holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// A session.
    Session(Box<Session>),
    /// Something else, which is none of our business: its reason.
    Skipped(Anomaly),
    /// A session that cannot be read.
    Quarantined(Anomaly),
}

/// What a reader tells of its progress: how many bytes it has read. An error ends the reading.
pub type Watch<'a> = &'a (dyn Fn(u64) -> io::Result<()> + Sync);

/// Reads a workspace as it is `now`. A folder without sessions is an empty survey with an anomaly that says so.
///
/// An error is the folder's, or of whoever watches: what is wrong with a file is in the survey.
pub fn read(workspace: &Path, now: Timestamp, watch: Watch<'_>) -> io::Result<Survey<Workspace>> {
    let folder = workspace.join(FOLDER);
    let mut survey = Survey::<Workspace>::default();
    survey.found.folder.clone_from(&folder);
    let paths = match candidates(&folder) {
        Err(error) if files::is_absence(&error) => {
            let missing = Anomaly::new("no-sessions-folder", "expected a folder of sessions, found none");
            survey.anomalies.push(missing.at(Place::new(&folder)));
            return Ok(survey);
        }
        paths => paths?,
    };
    survey.found.sources =
        paths.into_par_iter().map(|path| source(path, now, watch)).collect::<io::Result<_>>()?;
    survey.found.map = map::read(&folder.join(MAP_NAME));
    for source in &survey.found.sources {
        survey.inputs.push(InputId::new(SESSION, source.path.display().to_string()));
        if let Content::Skipped(anomaly) | Content::Quarantined(anomaly) = &source.content {
            survey.anomalies.push(anomaly.clone());
        }
    }
    if let Some(map) = &survey.found.map {
        survey.inputs.push(InputId::new(MAP, map.path.display().to_string()));
        survey.anomalies.extend(map.damage.clone());
    }
    Ok(survey)
}

/// A file while it is read. What its watcher says is kept apart from what the system says.
struct Watched<'a> {
    file: File,
    watch: Watch<'a>,
    /// Of a file that has just changed: then its looks alone prove nothing.
    hasher: Option<Hasher>,
    stopped: Option<io::Error>,
}

impl Read for Watched<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(out)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&out[..read]);
        }
        (self.watch)(read as u64).map_err(|error| {
            self.stopped = Some(error);
            io::ErrorKind::Other // "interrupted" would be tried again
        })?;
        Ok(read)
    }
}

/// Whatever is named like a session, in the order of the names' bytes.
fn candidates(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        name.ends_with(b".json") && name != MAP_NAME.as_bytes() && name != STORE_NAME.as_bytes()
    });
    paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    Ok(paths)
}

fn source(path: PathBuf, now: Timestamp, watch: Watch<'_>) -> io::Result<Source> {
    let stem = path.file_stem().unwrap_or_default();
    let id = stem.to_string_lossy().into_owned();
    let content = if stem.to_str().is_none() {
        Content::Quarantined(anomaly("name-not-utf-8", "expected a name in UTF-8, found other bytes", &path))
    } else {
        content(&path, now, watch)?
    };
    Ok(Source { path, id, content })
}

fn content(path: &Path, now: Timestamp, watch: Watch<'_>) -> io::Result<Content> {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    if name.starts_with(b".") {
        let message = "its name begins with a dot, so it is no session";
        return Ok(Content::Skipped(anomaly("hidden", message, path)));
    }
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) => return Ok(Content::Quarantined(files::unreadable(path, &error))),
    };
    if metadata.is_dir() {
        return Ok(Content::Skipped(anomaly("folder", "it is a folder, not a session", path)));
    }
    if !metadata.is_file() {
        let message = "expected a regular file, found a link or something else";
        return Ok(Content::Quarantined(anomaly("not-a-file", message, path)));
    }
    let mut watched = match files::open_itself(path) {
        Ok(file) => {
            let is_young = Fingerprint::of(&metadata).is_young(now.as_nanosecond());
            Watched { file, watch, hasher: is_young.then(Hasher::default), stopped: None }
        }
        Err(error) => return Ok(Content::Quarantined(files::unreadable(path, &error))),
    };
    let read = session::read(&mut watched, Fingerprint::of(&metadata));
    if let Some(error) = watched.stopped {
        return Err(error);
    }
    Ok(match read {
        Err(fault) => Content::Quarantined(fault.into_anomaly(path)),
        Ok(None) => Content::Skipped(anomaly("not-a-session", "it is JSON, but not of a session", path)),
        Ok(Some(session)) if is_as_before(path, &session) => {
            let digest = watched.hasher.map(|hasher| hasher.finish().digest);
            Content::Session(Box::new(Session { digest, ..session }))
        }
        Ok(Some(_)) => {
            let message = "it changed while it was read: stop OpenClaw first";
            Content::Quarantined(anomaly("changed-while-reading", message, path))
        }
    })
}

fn is_as_before(path: &Path, session: &Session) -> bool {
    Fingerprint::of_file(path).is_ok_and(|now| now == session.fingerprint)
}

fn anomaly(code: &str, message: &str, path: &Path) -> Anomaly {
    Anomaly::new(code, message).at(Place::new(path))
}
