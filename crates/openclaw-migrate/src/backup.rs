//! The copies of the old files: which folder takes them, and which are still to be made.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use migration_engine::steps::Verbatim;

/// The name that the guide gives the folder.
const FOLDER: &str = "backup_old_format";

/// What is to be copied where.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backup {
    pub(crate) folder: PathBuf,
    /// For each of the files, in their order: its copy, and whether that is there already.
    pub(crate) copies: Vec<(PathBuf, bool)>,
}

/// Finds the first folder in which no name stands for anything else: a backup is never overwritten.
pub(crate) fn choose(sessions: &Path, files: &[Verbatim]) -> io::Result<Backup> {
    for number in 1.. {
        let name = if number == 1 { FOLDER.to_owned() } else { format!("{FOLDER}.{number}") };
        let folder = sessions.join(name);
        if let Some(copies) = copies_in(&folder, files)? {
            return Ok(Backup { folder, copies });
        }
    }
    unreachable!("because a folder holds fewer names than there are numbers")
}

fn copies_in(folder: &Path, files: &[Verbatim]) -> io::Result<Option<Vec<(PathBuf, bool)>>> {
    match folder.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => {
            if !found?.is_dir() {
                return Ok(None);
            }
        }
    }
    let mut copies = Vec::with_capacity(files.len());
    for file in files {
        let copy = folder.join(file.source.file_name().unwrap_or_default());
        let is_there = match copy.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            found => {
                let found = found?;
                if !found.is_file()
                    || found.len() != file.expect.size
                    || !holds_the_same(&file.source, &copy)?
                {
                    return Ok(None);
                }
                true
            }
        };
        copies.push((copy, is_there));
    }
    Ok(Some(copies))
}

fn holds_the_same(one: &Path, other: &Path) -> io::Result<bool> {
    let open = |path| File::open(path).map(|file| BufReader::with_capacity(1 << 18, file));
    let (mut one, mut other) = (open(one)?, open(other)?);
    loop {
        let (a, b) = (one.fill_buf()?, other.fill_buf()?);
        let len = a.len().min(b.len());
        if a[..len] != b[..len] || (len == 0 && a.len() != b.len()) {
            return Ok(false);
        }
        if len == 0 {
            return Ok(true);
        }
        one.consume(len);
        other.consume(len);
    }
}
