//! One run at a time on a target.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::{FileError, InContext};

/// How long to wait before another try.
const PAUSE: Duration = Duration::from_millis(10);

/// How much of a program's name is told.
const LONGEST_NAME: usize = 40;

/// An exclusive lock on an existing folder, held until dropped.
///
/// It lies on the folder itself: it creates nothing, and it keeps out every other process on this machine whatever its
/// user or state root. The kernel releases it when the holder dies. On Windows, where folders cannot be locked, it lies
/// on a file that stands for the folder, and keeps out the processes of one user.
#[derive(Debug)]
pub struct DirLock {
    dir: PathBuf,
    _opened: Opened,
}

/// A process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHolder {
    /// Its id.
    pub process: u32,
    /// The program it runs, by the name it gives itself, cut short.
    pub program: String,
}

/// Why a folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("{} is locked by another process", .0.display())]
    Held(PathBuf),
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

impl DirLock {
    /// Takes the lock, or says at once that it is held.
    pub fn take(dir: &Path) -> Result<Self, LockError> {
        let opened = Opened::of(dir)?;
        match opened.file().try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_path_buf(), _opened: opened }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held(dir.to_path_buf())),
            Err(TryLockError::Error(error)) => Err(FileError::new("lock", dir, error).into()),
        }
    }

    /// Takes the lock as soon as nobody holds it; if that takes longer than this, says that it is held.
    pub fn take_within(dir: &Path, patience: Duration) -> Result<Self, LockError> {
        let begun = Instant::now();
        loop {
            match Self::take(dir) {
                Err(LockError::Held(_)) if begun.elapsed() < patience => thread::sleep(PAUSE),
                taken => return taken,
            }
        }
    }

    /// Whether somebody holds the lock on a folder. Two who ask at once do not take each other for its holder.
    pub fn is_held(dir: &Path) -> bool {
        Opened::of(dir)
            .is_ok_and(|opened| matches!(opened.file().try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Whether it is known that nobody holds the lock on a folder.
    pub fn is_free(dir: &Path) -> bool {
        Opened::of(dir).is_ok_and(|opened| opened.file().try_lock_shared().is_ok())
    }

    /// The other process that holds the lock on a folder. Only Linux tells, and not on every file system.
    pub fn holder(dir: &Path) -> Option<LockHolder> {
        let process = holder(dir).filter(|process| *process != std::process::id())?;
        let line = std::fs::read(format!("/proc/{process}/cmdline")).ok()?;
        // Its arguments may be secrets.
        let named = line.split(|&byte| byte == 0).next().unwrap_or_default();
        let name = String::from_utf8_lossy(named.rsplit(|&byte| byte == b'/').next().unwrap_or_default());
        let program = name.chars().take(LONGEST_NAME).collect::<String>().escape_debug().to_string();
        Some(LockHolder { process, program })
    }

    /// The lock after its folder was given another name.
    pub fn renamed(self, dir: &Path) -> Result<Self, LockError> {
        if cfg!(windows) { Self::take(dir) } else { Ok(Self { dir: dir.to_path_buf(), ..self }) }
    }

    /// The locked folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// `1: FLOCK ADVISORY WRITE 4711 fe:01:131090 0 EOF`, a line each.
#[cfg(target_os = "linux")]
fn holder(dir: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let found = dir.metadata().ok()?;
    let (major, minor) = (rustix::fs::major(found.dev()), rustix::fs::minor(found.dev()));
    let place = format!("{major:02x}:{minor:02x}:{}", found.ino());
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let lines = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut holders = lines.filter_map(|words| match words[..] {
        [_, "FLOCK", _, _, process, at, ..] if at == place => process.parse().ok(),
        _ => None, // of somebody who waits for one there is an arrow more
    });
    holders.next()
}

#[cfg(not(target_os = "linux"))]
fn holder(_dir: &Path) -> Option<u32> {
    None
}

/// What a lock lies on.
#[derive(Debug)]
struct Opened {
    file: Option<File>,
    /// The file that stands for a folder, where there is one. It goes with whoever has it open last: nobody can remove
    /// what somebody else has open.
    stands_for_it: Option<PathBuf>,
}

impl Opened {
    #[cfg(not(windows))]
    fn of(dir: &Path) -> Result<Self, FileError> {
        let file = File::open(dir).doing("open the folder", dir)?;
        Ok(Self { file: Some(file), stands_for_it: None })
    }

    #[cfg(windows)]
    fn of(dir: &Path) -> Result<Self, FileError> {
        use std::os::windows::fs::OpenOptionsExt;
        const SHARE_READ_AND_WRITE: u32 = 1 | 2;
        let home = std::env::home_dir().ok_or(std::io::ErrorKind::NotFound).doing("find the home of", dir)?;
        // Where runs are kept unless told otherwise; but the same for every state root.
        let locks = home.join("AppData/Local/rehome/locks");
        crate::create_private_dirs(&locks)?;
        let path = locks.join(name_of_lock(dir)?);
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).share_mode(SHARE_READ_AND_WRITE);
        let file = crate::windows::patiently(|| options.open(&path)).doing("open the lock", &path)?;
        Ok(Self { file: Some(file), stands_for_it: Some(path) })
    }

    fn file(&self) -> &File {
        self.file.as_ref().expect("because it is closed only when dropped")
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.file = None;
        if let Some(path) = &self.stands_for_it {
            let _ = std::fs::remove_file(path); // somebody else has it open
        }
    }
}

/// The same for every name of a folder.
#[cfg(any(windows, test))]
fn name_of_lock(dir: &Path) -> Result<String, FileError> {
    let real = dir.canonicalize().doing("open the folder", dir)?;
    Ok(format!("{}.lock", crate::Digest::of(real.as_os_str().as_encoded_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_never_hold_one_folder_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!DirLock::is_held(folder.path()));
        let held = DirLock::take(folder.path()).unwrap();
        assert!(DirLock::is_held(folder.path()) && !DirLock::is_free(folder.path()));
        assert!(matches!(DirLock::take(folder.path()), Err(LockError::Held(_))));
        assert!(matches!(DirLock::take_within(folder.path(), PAUSE), Err(LockError::Held(_))));
        drop(held);
        assert!(DirLock::is_free(folder.path()) && !DirLock::is_free(&folder.path().join("gone")));
        DirLock::take(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn whoever_waits_for_a_folder_has_it_once_it_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        // It may be given back before the other asks: not every time.
        for _ in 0..10 {
            let held = DirLock::take(dir).unwrap();
            let (begins, begun) = std::sync::mpsc::channel();
            let taken = thread::scope(|scope| {
                let waiting = scope.spawn(move || {
                    begins.send(()).unwrap();
                    DirLock::take_within(dir, Duration::from_hours(1)).map(drop)
                });
                begun.recv().unwrap();
                drop(held);
                waiting.join().unwrap()
            });
            assert!(taken.is_ok());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn who_holds_a_folder_is_told_without_the_secrets_it_was_started_with() {
        // In memory: not every file system has there the numbers that the system knows its locks by.
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        assert_eq!(DirLock::holder(folder.path()), None);
        let ours = DirLock::take(folder.path()).unwrap();
        assert_eq!(DirLock::holder(folder.path()), None, "nobody else does");
        drop(ours);
        let mut child = std::process::Command::new("flock");
        let mut child =
            child.arg("--no-fork").arg(folder.path()).args(["/bin/sleep", "1000"]).spawn().unwrap();
        let begun = Instant::now();
        let expected = Some(LockHolder { process: child.id(), program: "sleep".to_owned() });
        while DirLock::holder(folder.path()) != expected {
            assert!(begun.elapsed().as_secs() < 20, "{:?}", DirLock::holder(folder.path()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_folder_has_one_lock_by_whatever_name_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        std::fs::create_dir(&one).unwrap();
        std::fs::create_dir(&other).unwrap();
        assert_eq!(name_of_lock(&one).unwrap(), name_of_lock(&other.join("../one")).unwrap());
        assert_ne!(name_of_lock(&one).unwrap(), name_of_lock(&other).unwrap());
        let held = DirLock::take(&one).unwrap();
        std::fs::rename(&one, folder.path().join("two")).unwrap();
        let held = held.renamed(&folder.path().join("two")).unwrap();
        assert!(DirLock::is_held(held.dir()));
    }
}
