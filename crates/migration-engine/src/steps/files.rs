//! The world of the file steps.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use durable_files::{Digest, Fingerprint, Quiet, digest_file, digest_prefix, sync_dir};

use crate::{State, StepError, World};

/// The folders whose names have changed and are not durable yet.
#[derive(Debug, Default)]
pub struct Files {
    touched: BTreeSet<PathBuf>,
}

impl Files {
    /// Remembers that a name in the folder of `path` has changed.
    pub fn touch(&mut self, path: &Path) {
        self.touched.extend(path.parent().map(Path::to_path_buf));
    }
}

impl World for Files {
    fn settle(&mut self) -> Result<(), StepError> {
        while let Some(dir) = self.touched.pop_first() {
            sync_dir(&dir).map_err(|error| StepError::from(error).fatal())?;
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.touched.clear();
    }
}

/// The fingerprint of what stands at a path, if anything does.
pub(crate) fn fingerprint_if_there(path: &Path) -> Result<Option<Fingerprint>, StepError> {
    match Fingerprint::of_file(path) {
        Ok(fingerprint) => Ok(Some(fingerprint)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How a file stands to content that was or shall be there: the same, the same and more, or something else.
pub(crate) fn compare_content(path: &Path, len: u64, digest: Digest) -> Result<State, StepError> {
    let metadata =
        std::fs::symlink_metadata(path).map_err(|e| durable_files::FileError::new("look at", path, e))?;
    if !metadata.is_file() {
        return Ok(State::Conflict("something that is not a regular file is there".into()));
    }
    if metadata.len() < len {
        return Ok(State::Conflict(format!("expected {len} bytes, found {}", metadata.len())));
    }
    let more = metadata.len() - len;
    let begins_equal = if more == 0 {
        digest_file(path, &mut Quiet)?.digest == digest
    } else {
        digest_prefix(path, len, &mut Quiet)?.digest == digest
    };
    Ok(match (begins_equal, more) {
        (true, 0) => State::Done,
        (true, more) => State::Superseded(format!("it has grown by {more} bytes since")),
        (false, _) => State::Conflict("other content is there".into()),
    })
}
