//! A tree copied into a folder of our own, as exactly as somebody without a container can.

use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use durable_files::{FileError, InContext, Traits, create_private_dir, dress_dir, write_new};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, Timespec, Timestamps, flistxattr, openat, readlinkat, statat,
    utimensat,
};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use super::base::Owner;
use super::below::{self, there};
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

/// Copies what is in a folder into one that is empty and ours, but for these names in it.
///
/// What the copies do not have is remarked. The original may be worked in meanwhile: what is gone by the time it is reached is not there, and of a file that grows
/// comes what it had. Its links are never followed, and what would wait for somebody is passed over.
pub(super) fn copy_contents(
    from: &Path,
    to: &Path,
    but: &[&str],
    (owners, watch): (Owners, &Watch),
) -> Result<Remarks, SessionError> {
    let folder = below::open(from)?;
    let (linked, watch, remarks) = (HashMap::new(), watch.clone(), Remarks::default());
    let mut copying = Copying { owners, watch, remarks, linked };
    copying.contents(folder.as_fd(), from, to, but)?;
    Ok(copying.remarks)
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
                self.entry(folder, &name, &from.join(text), &to.join(text))?;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &CStr,
        from: &Path,
        to: &Path,
    ) -> Result<(), SessionError> {
        self.watch.check()?;
        let Some(stat) = below::look(folder, name, from)? else { return Ok(()) };
        let kind = FileType::from_raw_mode(stat.st_mode);
        let several =
            (kind != FileType::Directory && stat.st_nlink > 1).then_some((stat.st_dev, stat.st_ino));
        if let Some(first) = several.and_then(|file| self.linked.get(&file)) {
            return Ok(fs::hard_link(first, to).doing("link to its copy", to)?);
        }
        let copied = match kind {
            FileType::Directory => self.folder(folder, name, from, to)?,
            FileType::RegularFile => self.file(folder, name, from, to)?,
            FileType::Symlink => self.symlink(folder, name, from, to)?,
            FileType::Fifo | FileType::Socket => {
                let about = if kind == FileType::Fifo { About::Pipe } else { About::Socket };
                self.remarks.add(about, from);
                false
            }
            _ => return Err(refused(from)),
        };
        if let (true, Some(file)) = (copied, several) {
            self.linked.insert(file, to.to_owned());
        }
        Ok(())
    }

    fn folder(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &CStr,
        from: &Path,
        to: &Path,
    ) -> Result<bool, SessionError> {
        let Some(opened) = below::enter(folder, name, from)? else { return Ok(false) };
        let stat = rustix::fs::fstat(&opened).doing("look at", from)?;
        self.remark(opened.as_fd(), &stat, from);
        create_private_dir(to)?;
        self.contents(opened.as_fd(), from, to, &[])?;
        self.owner(&stat).give(to)?;
        dress_dir(to, Traits { mode: stat.st_mode & CARRIED, mtime: mtime(&stat), sparse: false })?;
        Ok(true)
    }

    fn file(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &CStr,
        from: &Path,
        to: &Path,
    ) -> Result<bool, SessionError> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | NO_LINK; // a pipe that has been put there is not waited for
        let opened = there(openat(folder, name, flags, Mode::empty())).doing("open", from)?;
        let Some(opened) = opened else { return Ok(false) };
        let stat = rustix::fs::fstat(&opened).doing("look at", from)?;
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

    fn symlink(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &CStr,
        from: &Path,
        to: &Path,
    ) -> Result<bool, SessionError> {
        let Some(target) = there(readlinkat(folder, name, Vec::new())).doing("read", from)? else {
            return Ok(false);
        };
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).doing("look at", from)?;
        std::os::unix::fs::symlink(OsStr::from_bytes(target.to_bytes()), to).doing("make the link", to)?;
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
