//! What is where the sessions go.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use migration_cli::Refusal;
use serde::Deserialize;
use session_store::transcript::{Conversion, Standing, standing};
use session_store::{Document, Format, Identity};

use crate::session::file_name;

/// The store as it is, with what can be read of it.
#[derive(Debug, Default)]
pub(crate) struct Existing {
    /// Which session each key leads to.
    pub(crate) keys: BTreeMap<String, String>,
    /// The entries, by their keys.
    pub(crate) entries: BTreeMap<String, Entry>,
    /// The keys and sessions that lead to each transcript.
    leading: BTreeMap<PathBuf, Vec<(String, String)>>,
}

/// An entry that is there.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) text: String,
    pub(crate) updated_at: i64,
    /// Whether the transcript that it leads to is there.
    pub(crate) has_transcript: bool,
}

/// The transcript that is where a session's would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Transcript(Standing),
    /// The file system takes no name that long.
    NameTooLong,
    /// Something that is no transcript, or cannot be read.
    Other,
}

impl Existing {
    /// Reads the store. One that cannot be read, or is for another program, is no place to add anything to.
    pub(crate) fn read(store: &Path, format: Format) -> Result<Self, Refusal> {
        let bytes = match read_regular(store) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                let message = format!("cannot read the store {}: {error}", store.display());
                return Err(Refusal::new("store-unreadable", message, "make it a file that you may read"));
            }
            Ok(bytes) => bytes,
        };
        let document = Document::parse(&bytes).map_err(|error| {
            let message = format!("cannot read the store {}: {error}", store.display());
            let hint = "mend it, or move it away if nothing in it is needed; it is left as it is";
            Refusal::new("store-unreadable", message, hint)
        })?;
        let mut existing = Self::default();
        for (key, text) in document.entries() {
            let mut has_transcript = false;
            if let Some((session, transcript)) = Identity::leads_to(text, format) {
                let transcript = store.with_file_name(transcript);
                has_transcript = transcript.is_file();
                existing.leading.entry(transcript).or_default().push((key.clone().into_owned(), session));
            }
            let Ok(identity) = Identity::of(text, format) else {
                if Identity::of(text, format.other()).is_ok() {
                    return Err(of_another_format(store, format));
                }
                // Its key is taken, whatever it leads to.
                existing.keys.insert(key.into_owned(), String::new());
                continue;
            };
            let entry = Entry { text: text.to_owned(), updated_at: identity.updated_at, has_transcript };
            existing.entries.insert(key.clone().into_owned(), entry);
            existing.keys.insert(key.into_owned(), identity.session_id);
        }
        Ok(existing)
    }

    /// The key and the id of another session that has this transcript.
    pub(crate) fn shares(&self, transcript: &Path, id: &str) -> Option<&(String, String)> {
        self.leading.get(transcript)?.iter().find(|(_, session)| session != id)
    }
}

/// How the transcript in the place of a session's stands to what would be written there.
pub(crate) fn found(folder: &Path, id: &str, conversion: &Conversion) -> Found {
    let path = folder.join(file_name(id));
    let file = match open_regular(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
        Err(error) if error.kind() == io::ErrorKind::InvalidFilename => return Found::NameTooLong,
        Err(_) => return Found::Other,
        Ok(file) => file,
    };
    let compared = File::open(&conversion.source).and_then(|source| standing(conversion.lines(source), file));
    compared.map_or(Found::Other, Found::Transcript)
}

/// The lock that OpenClaw has beside a transcript it writes to.
#[derive(Deserialize)]
struct TranscriptLock {
    pid: u32,
}

/// Whether a living process has a lock on the transcript. One of a process that is gone, or that says nothing, is stale.
pub(crate) fn is_in_use(transcript: &Path) -> bool {
    let mut lock = transcript.as_os_str().to_owned();
    lock.push(".lock");
    let lock = read_regular(Path::new(&lock)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    lock.is_some_and(|lock: TranscriptLock| Path::new("/proc").join(lock.pid.to_string()).exists())
}

fn of_another_format(store: &Path, format: Format) -> Refusal {
    let (found, other) = match format {
        Format::Python => ("OpenClaw's", "--format openclaw"),
        Format::OpenClaw => ("the Python project's", "--format python"),
    };
    let message = format!("the store {} is {found}: no store satisfies both", store.display());
    let hint = format!("{other} adds to it; or move it away");
    Refusal::new("other-format", message, hint)
}

/// A link must not lead elsewhere, and a pipe is not waited for.
fn open_regular(path: &Path) -> io::Result<File> {
    if path.symlink_metadata()?.is_file() {
        File::open(path)
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut open_regular(path)?, &mut bytes)?;
    Ok(bytes)
}
