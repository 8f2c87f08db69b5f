//! A session's lock file: who has the session, and having it (formats/convocate.md §6).

use std::fs;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use durable_files::{FileError, InContext, remove_file_if_there};
use legacy_readers::convocate::{Claim, LockFile};
use session_model::Timestamp;

use crate::Process;

/// For how long a lock is shown as somebody's, though nobody looked whether he is still at work (formats/convocate.md §6).
const A_DAY: i64 = 24 * 60 * 60;

/// From whom a lock may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// No one: the lock has to speak for nobody.
    Nobody,
    /// This process, which was shown, and no other.
    Process(u32),
    /// Whoever has it, were he unknown.
    Anybody,
}

/// A lock file as it stands. Reading never removes one.
#[derive(Debug, Clone)]
pub struct Lock {
    file: LockFile,
    owner: Option<Process>,
}

impl Lock {
    /// The lock of a session's folder, if there is one.
    pub fn of(session: &Path) -> Option<Self> {
        LockFile::read(&Self::path_of(session)).map(Self::from)
    }

    /// Where the lock of a session's folder is.
    pub fn path_of(session: &Path) -> PathBuf {
        let mut name = session.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        session.with_file_name(name)
    }

    /// The process it names, alive or not.
    pub fn pid(&self) -> Option<u32> {
        match self.file.claim() {
            Claim::Process(pid) => Some(pid),
            Claim::Nobody | Claim::Unknown => None,
        }
    }

    /// The process it speaks for: one that lives, however old the lock is. That its number may have been given
    /// anew since is for people to judge, who are shown when it began.
    pub fn owner(&self) -> Option<&Process> {
        self.owner.as_ref()
    }

    /// Whether it is closed to us: somebody has it, for all we know.
    fn is_closed(&self) -> bool {
        self.file.claim() == Claim::Unknown
    }

    /// Whether whoever wrote it is gone.
    pub fn is_nobodys(&self) -> bool {
        self.owner.is_none() && !self.is_closed()
    }

    /// Whether it is shown as left behind: it is nobody's, or was written more than a day ago. Whoever wants to change the
    /// session is kept from it by an [`owner`](Self::owner) who lives, however old the lock is.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.is_nobodys() || now.as_second() - self.file.modified.as_second() > A_DAY
    }

    /// Whether it may be taken from whom it speaks for.
    pub(crate) fn yields_to(&self, holder: Holder) -> bool {
        match (&self.owner, holder) {
            (_, Holder::Anybody) => true,
            (Some(owner), Holder::Process(pid)) => owner.pid == pid,
            (Some(_), Holder::Nobody) => false,
            (None, _) => !self.is_closed(),
        }
    }

    /// Removes it, and tells whether it is gone: one that is not as it was read any more is somebody else's, and stays.
    pub(crate) fn remove(&self) -> Result<bool, FileError> {
        let is_as_it_was = LockFile::read(&self.file.path).is_none_or(|now| now == self.file);
        if is_as_it_was {
            remove_file_if_there(&self.file.path)?;
        }
        Ok(is_as_it_was)
    }
}

impl From<LockFile> for Lock {
    fn from(file: LockFile) -> Self {
        let owner = match file.claim() {
            Claim::Process(pid) => Process::alive(pid),
            Claim::Nobody | Claim::Unknown => None,
        };
        Self { file, owner }
    }
}

/// A session that this process has: its lock file stands until this is dropped.
///
/// Killed, a process leaves its lock behind, which speaks for nobody then. Whoever takes one has the folder of all
/// sessions to himself (a [`DirLock`](durable_files::DirLock)), so that of two who find a stale one only one replaces it.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    text: String,
}

/// Why a session was not taken.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    /// This process has it.
    #[error("it is held by {0}")]
    By(Process),
    /// Somebody has it whose lock we may not read.
    #[error("it is held by somebody whose lock may not be read")]
    Closed,
    /// The lock file cannot be made.
    #[error(transparent)]
    File(#[from] FileError),
}

impl HeldError {
    /// Who has this session now; somebody who has just given it back is not known any more.
    fn of(session: &Path) -> Self {
        Lock::of(session).and_then(|lock| lock.owner).map_or(Self::Closed, Self::By)
    }
}

impl Held {
    /// Takes the session in this folder. A lock that speaks for nobody is replaced.
    pub fn take(session: &Path) -> Result<Self, HeldError> {
        if let Some(lock) = Lock::of(session)
            && (!lock.yields_to(Holder::Nobody) || !lock.remove()?)
        {
            return Err(HeldError::of(session));
        }
        let (path, text) = (Lock::path_of(session), std::process::id().to_string());
        let mut file = match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(HeldError::of(session)),
            made => made.doing("take the lock", &path)?,
        };
        let held = Self { path, text };
        if let Err(error) = held.write(&mut file) {
            let _ = remove_file_if_there(&held.path); // ours, though nothing in it says so
            return Err(error).doing("take the lock", &held.path)?;
        }
        Ok(held)
    }

    /// The id of this process and nothing else, as other tools expect. Root lets those read it whose sessions these are.
    fn write(&self, file: &mut fs::File) -> io::Result<()> {
        if rustix::process::geteuid().is_root() {
            let of = fs::metadata(self.path.parent().unwrap_or(Path::new("")))?;
            fchown(&*file, Some(of.uid()), Some(of.gid()))?;
        }
        file.write_all(self.text.as_bytes())
    }

    /// Gives the session back, and tells if that failed.
    pub fn release(self) -> Result<(), FileError> {
        self.give_back()
    }

    /// Leaves the session to this process, which goes on with it: its lock is nobody's once that has ended.
    pub(crate) fn leave_to(self, pid: u32) -> Result<(), FileError> {
        let held = ManuallyDrop::new(self); // it is not given back, and not if this fails
        if held.is_ours() {
            let file =
                fs::OpenOptions::new().write(true).open(&held.path).doing("leave the lock", &held.path)?;
            // At no moment does it name nobody, or anybody else.
            let (pid, width) = (pid.to_string(), held.text.len());
            let left = file.write_all_at(format!("{pid:<width$}").as_bytes(), 0);
            left.and_then(|()| file.set_len(pid.len() as u64)).doing("leave the lock", &held.path)?;
        }
        Ok(())
    }

    /// A lock that has become somebody else's meanwhile is his.
    fn give_back(&self) -> Result<(), FileError> {
        if self.is_ours() {
            remove_file_if_there(&self.path)?;
        }
        Ok(())
    }

    fn is_ours(&self) -> bool {
        LockFile::read(&self.path).is_some_and(|now| now.text == self.text.as_bytes())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.give_back(); // it speaks for nobody once this process has ended
    }
}
