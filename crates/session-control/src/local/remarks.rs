//! What a copy does not carry, in the words in which a move tells of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use session_model::Finding;

/// What there is to say of a file whose copy is not quite the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    Pipe,
    Socket,
    SetsIds,
    ExtendedAttributes,
    Owner,
}

impl About {
    fn code(self) -> &'static str {
        match self {
            Self::Pipe | Self::Socket => "left-out",
            Self::SetsIds => "sets-ids",
            Self::ExtendedAttributes => "extended-attributes",
            Self::Owner => "other-owner",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Pipe => "is a pipe and is left out",
            Self::Socket => "is a socket and is left out",
            Self::SetsIds => "is copied without the bits that set ids",
            Self::ExtendedAttributes => "is copied without its extended attributes",
            Self::Owner => "is somebody else's, and its copy belongs to whoever has made it",
        }
    }
}

/// All of them: of each kind the first file, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Remarks(BTreeMap<About, (PathBuf, usize)>);

impl Remarks {
    pub(super) fn add(&mut self, about: About, path: &Path) {
        self.0.entry(about).or_insert_with(|| (path.to_owned(), 0)).1 += 1;
    }

    /// A finding for each kind, with paths as they are below this folder.
    pub(super) fn findings(self, below: &Path) -> Vec<Finding> {
        let told = |(about, (first, count)): (About, (PathBuf, usize))| {
            let first = first.strip_prefix(below).unwrap_or(&first).display().to_string();
            let words = about.words();
            let message = match count {
                1 => format!("{first} {words}"),
                more => format!("{first} and {} more: each {words}", more - 1),
            };
            Finding::warning(about.code(), message)
        };
        self.0.into_iter().map(told).collect()
    }
}
