//! The disk of another host as the reader takes one. Whatever that host says is taken for what somebody hostile says.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use legacy_readers::cowork::{Disk, Kind, Standing};
use remote_transfer::{FileAttributes, Sftp, SftpError, display, name_here};
use session_model::Timestamp;

/// Nothing that is read whole comes near this size.
const LARGEST: u64 = 64 << 20;
/// How many names are listed in all, and how deep below the root a folder may be.
const MOST_NAMES: usize = 1_000_000;
const DEEPEST: usize = 250;

pub(super) struct FarDisk<'a> {
    sftp: RefCell<Sftp<'a>>,
    peer: String,
    /// What was listed, so that nothing is asked for twice.
    known: RefCell<HashMap<PathBuf, Standing>>,
    /// What cannot be a name here.
    unnameable: RefCell<Vec<(PathBuf, String)>>,
    /// Why nothing more can be had.
    gone: RefCell<Option<SftpError>>,
    names: Cell<usize>,
}

impl<'a> FarDisk<'a> {
    pub(super) fn new(sftp: Sftp<'a>) -> Self {
        Self {
            peer: sftp.peer().to_owned(),
            sftp: RefCell::new(sftp),
            known: RefCell::default(),
            unnameable: RefCell::default(),
            gone: RefCell::default(),
            names: Cell::default(),
        }
    }

    /// Whom one talks to.
    pub(super) fn peer(&self) -> &str {
        &self.peer
    }

    /// For whoever brings whole files.
    pub(super) fn sftp(&self) -> RefMut<'_, Sftp<'a>> {
        self.sftp.borrow_mut()
    }

    /// The path of a place in full.
    pub(super) fn find(&self, place: &str) -> Result<PathBuf, SftpError> {
        let path = self.sftp().real_path(place.as_bytes())?;
        Ok(PathBuf::from(String::from_utf8(path).unwrap_or_else(|_| place.to_owned())))
    }

    /// Why nothing more can be had, if that is so.
    pub(super) fn gone(&self) -> Option<SftpError> {
        self.gone.borrow_mut().take()
    }

    /// Forgets what was listed, so that one looks anew.
    pub(super) fn forget(&self) {
        self.known.borrow_mut().clear();
        self.unnameable.borrow_mut().clear();
        self.names.set(0);
    }

    /// What lies below a folder and cannot have its name here.
    pub(super) fn unnameable(&self, folder: &Path) -> Vec<String> {
        let all = self.unnameable.borrow();
        let below = all.iter().filter(|(parent, _)| parent.starts_with(folder));
        below.map(|(parent, name)| format!("{}/{name}", shown(parent))).collect()
    }

    fn ask<T>(&self, question: impl FnOnce(&mut Sftp<'a>) -> Result<T, SftpError>) -> io::Result<T> {
        if self.gone.borrow().is_some() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        question(&mut self.sftp()).map_err(|error| match error {
            SftpError::Refused { .. } if error.is_not_found() => io::ErrorKind::NotFound.into(),
            SftpError::Refused { .. } if error.is_permission_denied() => {
                io::ErrorKind::PermissionDenied.into()
            }
            SftpError::Refused { .. } => io::Error::other(error),
            error => {
                *self.gone.borrow_mut() = Some(error);
                io::ErrorKind::NotConnected.into()
            }
        })
    }

    /// Whether so much is more than any profile has.
    fn is_endless(&self, folder: &Path, more: usize) -> bool {
        self.names.set(self.names.get().saturating_add(more));
        let is = self.names.get() > MOST_NAMES || folder.components().count() > DEEPEST;
        if is {
            let (peer, path) = (self.peer.clone(), shown(folder));
            *self.gone.borrow_mut() = Some(SftpError::Endless { peer, path });
        }
        is
    }
}

impl Disk for FarDisk<'_> {
    fn look(&self, path: &Path) -> io::Result<Standing> {
        if let Some(known) = self.known.borrow().get(path) {
            return Ok(*known);
        }
        let found = self.ask(|sftp| sftp.lstat(&spelled(path)))?;
        Ok(*self.known.borrow_mut().entry(path.to_owned()).or_insert(standing(&found)))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<(OsString, Kind)>> {
        let listed = self.ask(|sftp| sftp.list(&spelled(folder)))?;
        if self.is_endless(folder, listed.len()) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let mut seen = HashSet::new();
        let mut names = Vec::new();
        for (name, found) in listed {
            let Some(here) = name_here(&name).filter(|name| seen.insert(as_told_apart(name))) else {
                self.unnameable.borrow_mut().push((folder.to_owned(), display(&name)));
                continue;
            };
            let found = standing(&found);
            self.known.borrow_mut().insert(folder.join(&here), found);
            names.push((here, found.kind));
        }
        Ok(names)
    }

    fn real(&self, path: &Path) -> io::Result<PathBuf> {
        self.look(path)?; // some servers know the real path of what is not there
        let real = self.ask(|sftp| sftp.real_path(&spelled(path)))?;
        Ok(PathBuf::from(String::from_utf8(real).map_err(|_| io::ErrorKind::InvalidData)?))
    }

    fn read(&self, file: &Path) -> io::Result<Vec<u8>> {
        let found = self.look(file)?;
        if found.kind != Kind::File {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        self.ask(|sftp| {
            sftp.read(&spelled(file), 0, &mut |data| {
                bytes.extend_from_slice(data);
                bytes.len() as u64 <= LARGEST
            })
        })?;
        if bytes.len() as u64 > LARGEST { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }
}

/// What tells a name from the others of its folder on this machine.
fn as_told_apart(name: &std::ffi::OsStr) -> OsString {
    let folds = cfg!(any(windows, target_os = "macos"));
    if folds { name.to_string_lossy().to_lowercase().into() } else { name.to_owned() }
}

fn standing(found: &FileAttributes) -> Standing {
    let kind = match () {
        () if found.is_dir() => Kind::Folder,
        () if found.is_file() && found.size.is_some() => Kind::File,
        () if found.is_symlink() => Kind::Link,
        () => Kind::Special,
    };
    let mtime = Timestamp::from_second(found.mtime.unwrap_or(0).into()).unwrap_or(Timestamp::UNIX_EPOCH);
    Standing { kind, bytes: found.size.unwrap_or(0), mtime }
}

/// The path as that host spells it.
pub(super) fn spelled(path: &Path) -> Vec<u8> {
    let path = path.as_os_str().as_encoded_bytes();
    if cfg!(windows) {
        path.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect()
    } else {
        path.to_vec()
    }
}

/// The same for people.
pub(super) fn shown(path: &Path) -> String {
    display(&spelled(path))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::time::Instant;

    use remote_transfer::Duplex;
    use testkit::sftp::{Claims, Liar};

    use super::*;

    struct Endless(Liar);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Endless {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Duplex for Endless {
        fn set_deadline(&mut self, _deadline: Instant) {}
    }

    fn disk(claims: Claims) -> FarDisk<'static> {
        FarDisk::new(Sftp::on(Box::new(Endless(Liar::new(claims))), "liar".to_owned()).unwrap())
    }

    #[test]
    fn folders_without_an_end_are_refused_rather_than_listed() {
        let disk = disk(Claims { size: 0, names: vec![b"d"], folders: true, ends: true });
        let mut folder = PathBuf::from("/base");
        while disk.list(&folder).is_ok() {
            folder.push("d");
        }
        assert!(matches!(disk.gone(), Some(SftpError::Endless { .. })), "{}", folder.display());
    }

    #[test]
    fn what_is_looked_at_anew_does_not_count_twice() {
        let disk = disk(Claims { size: 0, names: vec![b"d"], folders: true, ends: true });
        disk.names.set(MOST_NAMES);
        disk.forget();
        assert!(disk.list(Path::new("/base")).is_ok());
    }

    #[test]
    fn a_sidecar_without_an_end_is_not_read_into_memory() {
        let disk = disk(Claims { size: 100, names: Vec::new(), folders: false, ends: true });
        let error = disk.read(Path::new("/local_a.json")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(disk.gone().is_none(), "the next file can be read");
    }

    #[test]
    fn what_can_have_no_name_here_is_named_and_left() {
        let long: &'static [u8] = &[b'x'; 300];
        let disk = disk(Claims { size: 0, names: vec![long, b"fine"], folders: false, ends: true });
        let names: Vec<OsString> =
            disk.list(Path::new("/a")).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["fine"]);
        assert_eq!(disk.unnameable(Path::new("/a")).len(), 1);
        assert!(disk.unnameable(Path::new("/b")).is_empty());
    }
}
