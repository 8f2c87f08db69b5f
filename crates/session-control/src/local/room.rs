//! Room first: what a copy of a session takes, and whether there is as much.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use durable_files::room_at;
use rustix::fs::{FileType, Stat};

use super::below;
use super::watch::Watch;
use crate::SessionError;

/// Refuses a copy of a folder into this one that would leave no room for it, and so none for whatever else writes there.
/// Tells how many bytes are going to be copied otherwise.
pub(super) fn must_have_room(of: &Path, at: &Path, watch: &Watch) -> Result<u64, SessionError> {
    let mut needs = Needs { bytes: 0, inodes: 1, len: 0, linked: HashSet::new(), watch };
    needs.contents(below::open(of)?.as_fd(), of)?;
    room_at(at)?.must_hold(at, needs.bytes, needs.inodes)?;
    Ok(needs.len)
}

/// What has been found so far to be copied.
struct Needs<'w> {
    bytes: u64,
    inodes: u64,
    /// What is read of it, holes and all.
    len: u64,
    /// The files with several names that are counted already.
    linked: HashSet<(u64, u64)>,
    watch: &'w Watch,
}

impl Needs<'_> {
    fn contents(&mut self, folder: BorrowedFd<'_>, path: &Path) -> Result<(), SessionError> {
        for name in below::names(folder, path)? {
            self.watch.check()?;
            let path = path.join(OsStr::from_bytes(name.to_bytes()));
            let Some(stat) = below::look(folder, &name, &path)? else { continue };
            let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
            if is_folder || stat.st_nlink == 1 || self.linked.insert((stat.st_dev, stat.st_ino)) {
                self.add(&stat);
            }
            if is_folder && let Some(folder) = below::enter(folder, &name, &path)? {
                self.contents(folder.as_fd(), &path)?;
            }
        }
        Ok(())
    }

    /// What it takes on the disk: its holes take nothing, and do not in the copy.
    fn add(&mut self, stat: &Stat) {
        let bytes = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512);
        self.bytes = self.bytes.saturating_add(bytes);
        self.inodes += 1;
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            self.len = self.len.saturating_add(u64::try_from(stat.st_size).unwrap_or(0));
        }
    }
}
