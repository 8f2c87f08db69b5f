//! A store to live with.

use std::io::Read;
use std::path::{Path, PathBuf};

use durable_files::{FileError, Fingerprint, InContext, open_regular};
use session_model::Finding;

use crate::{Document, DocumentError, Filter, Format, STORE, Session};

/// A folder with a `sessions.json` and its transcripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
    format: Format,
}

/// What a store says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The sessions, in the order of the store.
    pub sessions: Vec<Session>,
    /// What is wrong with it. An entry that cannot be read costs no other.
    pub findings: Vec<Finding>,
}

/// Why a store was not read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is not what a store must be.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The store.
        path: PathBuf,
        /// Where and why.
        source: DocumentError,
    },
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Store {
    /// The store in a folder, which need not be there yet. Entries are written in the spelling of the format, and read in
    /// either.
    pub fn open(folder: impl Into<PathBuf>, format: Format) -> Self {
        Self { folder: folder.into(), format }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How it is spelled.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The file that says which sessions there are.
    pub fn path(&self) -> PathBuf {
        self.folder.join(STORE)
    }

    /// All that it says; nothing if it is not there.
    pub fn load(&self) -> Result<Loaded, LoadError> {
        Ok(self.sessions(&self.read()?.document))
    }

    /// The sessions that are wanted, those used last first. No transcript is looked at.
    pub fn list(&self, filter: &Filter) -> Result<Loaded, LoadError> {
        let mut loaded = self.load()?;
        loaded.sessions.retain(|session| filter.takes(session));
        loaded.sessions.sort_by_key(|session| std::cmp::Reverse(session.updated_at));
        Ok(loaded)
    }

    /// The store as text.
    pub(crate) fn read(&self) -> Result<Standing, LoadError> {
        let path = self.path();
        let mut file = match open_regular(&path) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => {
                return Ok(Standing { file: None, document: Document::empty() });
            }
            Err(error) => return Err(error.into()),
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).doing("read", &path)?;
        let found = Fingerprint::of(&file.metadata().doing("look at", &path)?);
        let document = Document::parse(&bytes).map_err(|source| LoadError::Unreadable { path, source })?;
        Ok(Standing { file: Some(found), document })
    }

    fn sessions(&self, document: &Document) -> Loaded {
        let mut loaded = Loaded::default();
        for key in document.repeated() {
            let message = format!("the key `{}` stands there more than once", key.escape_debug());
            loaded.findings.push(Finding::note("repeated-key", message));
        }
        for (key, entry) in document.entries() {
            match Session::read(&self.folder, &key, entry, self.format) {
                Ok(session) => loaded.sessions.push(session),
                Err(error) => {
                    let message = format!("the entry `{}` is no session's: {error}", key.escape_debug());
                    loaded.findings.push(Finding::warning("bad-entry", message));
                }
            }
        }
        loaded
    }
}

/// A store as it was read.
#[derive(Debug)]
pub(crate) struct Standing {
    /// The file; `None` if there is none.
    pub(crate) file: Option<Fingerprint>,
    pub(crate) document: Document,
}
