//! A tree copied into a folder of our own, as exactly as somebody without a container can.

use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use durable_files::{FileError, InContext, Traits, create_private_dir, dress_dir, write_new};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, Timespec, Timestamps, flistxattr, fstat, openat, readlinkat,
    utimensat,
};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use super::below::{self, there};
use super::owner::Owner;
use super::remarks::{About, Remarks};
use super::watch::Watch;
use crate::SessionError;

/// Whose the copies are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owners {
    /// Everything is his.
    Of(Owner),
    /// Each is his whose the original is.
    AsBefore,
}

/// The permission bits that are carried: set-user-id and set-group-id are not.
const CARRIED: u32 = 0o1777;
const SETS_IDS: u32 = 0o6000;
const NO_LINK: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);

/// Copies what is in a folder into an empty one of ours, except these names. What the copies lack is remarked.
///
/// The original may be in use: what has gone by the time it is reached is skipped, a file that grows is copied up to the
/// size it had. Links are never followed, pipes and devices never waited for.
pub(super) fn copy_contents(
    from: &Path,
    to: &Path,
    but: &[&str],
    owners: Owners,
    watch: &Watch,
) -> Result<Remarks, SessionError> {
    let folder = below::open(from)?;
    let (linked, watch, remarks) = (HashMap::new(), watch.clone(), Remarks::default());
    let mut copying = Copying { owners, watch, remarks, linked };
    copying.contents(folder.as_fd(), from, to, but)?;
    Ok(copying.remarks)
}

/// What has a name in a folder of the original, and where its copy goes.
struct Entry<'a> {
    folder: BorrowedFd<'a>,
    name: &'a CStr,
    from: PathBuf,
    to: PathBuf,
}

impl Entry<'_> {
    /// What it is, if it is there still.
    fn look(&self) -> Result<Option<Stat>, FileError> {
        below::look(self.folder, self.name, &self.from)
    }

    /// Opens the folder that it is.
    fn enter(&self) -> Result<Option<OwnedFd>, FileError> {
        below::enter(self.folder, self.name, &self.from)
    }

    /// Opens the file that it is.
    fn open(&self) -> Result<Option<OwnedFd>, FileError> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | NO_LINK; // a pipe that has been put there is not waited for
        there(openat(self.folder, self.name, flags, Mode::empty())).doing("open", &self.from)
    }

    /// Where the link leads that it is.
    fn target(&self) -> Result<Option<CString>, FileError> {
        there(readlinkat(self.folder, self.name, Vec::new())).doing("read", &self.from)
    }
}

struct Copying {
    owners: Owners,
    watch: Watch,
    remarks: Remarks,
    /// Where the first copy is of a file with several names.
    linked: HashMap<(u64, u64), PathBuf>,
}

impl Copying {
    fn contents(
        &mut self,
        folder: BorrowedFd<'_>,
        from: &Path,
        to: &Path,
        but: &[&str],
    ) -> Result<(), SessionError> {
        for name in below::names(folder, from)? {
            let text = OsStr::from_bytes(name.to_bytes());
            if !but.iter().any(|but| text == *but) {
                self.entry(&Entry { folder, name: &name, from: from.join(text), to: to.join(text) })?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), SessionError> {
        self.watch.check()?;
        let Some(stat) = entry.look()? else { return Ok(()) };
        let Entry { from, to, .. } = entry;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let several =
            (kind != FileType::Directory && stat.st_nlink > 1).then_some((stat.st_dev, stat.st_ino));
        if let Some(first) = several.and_then(|file| self.linked.get(&file)) {
            return Ok(fs::hard_link(first, to).doing("link to its copy", to)?);
        }
        let copied = match kind {
            FileType::Directory => self.folder(entry)?,
            FileType::RegularFile => self.file(entry)?,
            FileType::Symlink => self.symlink(entry)?,
            FileType::Fifo | FileType::Socket => {
                let about = if kind == FileType::Fifo { About::Pipe } else { About::Socket };
                self.remarks.add(about, from);
                false
            }
            _ => return Err(refused(from)),
        };
        if let (true, Some(file)) = (copied, several) {
            self.linked.insert(file, to.clone());
        }
        Ok(())
    }

    fn folder(&mut self, entry: &Entry<'_>) -> Result<bool, SessionError> {
        let Some(opened) = entry.enter()? else { return Ok(false) };
        let Entry { from, to, .. } = entry;
        let stat = fstat(&opened).doing("look at", from)?;
        self.remark(opened.as_fd(), &stat, from);
        create_private_dir(to)?;
        self.contents(opened.as_fd(), from, to, &[])?;
        self.owner(&stat).give(to)?;
        dress_dir(to, Traits { mode: stat.st_mode & CARRIED, mtime: mtime(&stat), sparse: false })?;
        Ok(true)
    }

    fn file(&mut self, entry: &Entry<'_>) -> Result<bool, SessionError> {
        let Some(opened) = entry.open()? else { return Ok(false) };
        let Entry { from, to, .. } = entry;
        let stat = fstat(&opened).doing("look at", from)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(false); // somebody has exchanged it since
        }
        let len = u64::try_from(stat.st_size).unwrap_or(0);
        let sparse = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512) < len;
        let traits = Traits { mode: stat.st_mode & CARRIED, mtime: mtime(&stat), sparse };
        self.remark(opened.as_fd(), &stat, from);
        write_new(&mut File::from(opened).take(len), from, to, traits, &mut self.watch)?;
        self.owner(&stat).give(to)?;
        Ok(true)
    }

    fn symlink(&mut self, entry: &Entry<'_>) -> Result<bool, SessionError> {
        let (Some(target), Some(stat)) = (entry.target()?, entry.look()?) else { return Ok(false) };
        let Entry { from, to, .. } = entry;
        symlink(OsStr::from_bytes(target.to_bytes()), to).doing("make the link", to)?;
        let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT };
        let then =
            Timespec { tv_sec: stat.st_mtime, tv_nsec: i64::try_from(stat.st_mtime_nsec).unwrap_or(0) };
        let times = Timestamps { last_access: now, last_modification: then };
        utimensat(CWD, to, &times, AtFlags::SYMLINK_NOFOLLOW).doing("set the time of", to)?;
        self.owner(&stat).give(to)?;
        self.remark_owner(&stat, from);
        Ok(true)
    }

    /// Notes what the copy of a file or folder will not have.
    fn remark(&mut self, opened: BorrowedFd<'_>, stat: &Stat, from: &Path) {
        if stat.st_mode & SETS_IDS != 0 {
            self.remarks.add(About::SetsIds, from);
        }
        if has_attributes(opened) {
            self.remarks.add(About::ExtendedAttributes, from);
        }
        self.remark_owner(stat, from);
    }

    fn remark_owner(&mut self, stat: &Stat, from: &Path) {
        let ours = (geteuid().as_raw(), getegid().as_raw());
        if matches!(self.owners, Owners::AsBefore)
            && !geteuid().is_root()
            && (stat.st_uid, stat.st_gid) != ours
        {
            self.remarks.add(About::Owner, from);
        }
    }

    fn owner(&self, stat: &Stat) -> Owner {
        match self.owners {
            Owners::Of(owner) => owner,
            Owners::AsBefore => Owner { uid: stat.st_uid, gid: stat.st_gid },
        }
    }
}

/// Whether it has extended attributes, lists of who may what among them: but for the label that a system gives to all.
fn has_attributes(opened: BorrowedFd<'_>) -> bool {
    let mut names = vec![0_u8; 4096];
    match flistxattr(opened, &mut names[..]) {
        Ok(len) => {
            names[..len].split(|&byte| byte == 0).any(|name| !name.is_empty() && name != b"security.selinux")
        }
        Err(Errno::RANGE) => true,
        Err(_) => false,
    }
}

fn mtime(stat: &Stat) -> Option<i64> {
    let nanos = i64::try_from(stat.st_mtime_nsec).ok()?;
    stat.st_mtime.checked_mul(1_000_000_000)?.checked_add(nanos)
}

fn refused(path: &Path) -> SessionError {
    let source = io::Error::new(io::ErrorKind::Unsupported, "it is a device, and no device is copied");
    FileError::new("copy", path, source).into()
}
