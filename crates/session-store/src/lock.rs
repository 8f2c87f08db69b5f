//! Who may write a store: `sessions.json.lock`, as two other protocols use that name.
//!
//! One takes the file's being there for a lock, and one whose time is older than half a minute for abandoned. The other
//! takes a lock on the file. So a lock here is both, its time is kept fresh, and nothing is left behind. What a killed
//! program of ours left says that it is ours, and nobody has it locked any more: that is taken over at once.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use durable_files::{FileError, Fingerprint, Holder, InContext, remove_file_if_there};

/// The name of the lock of a store, beside it.
pub const LOCK: &str = "sessions.json.lock";

/// How often a lock that is held is made to look new: well before anybody takes it for abandoned.
const REFRESH: Duration = Duration::from_secs(5);

/// How long to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until giving up. With none there is one try.
    pub limit: Duration,
    /// Between two tries.
    pub poll: Duration,
    /// The age from which a lock that nobody has locked is abandoned.
    pub stale: Duration,
}

impl Default for Patience {
    /// As the applications do it: 10 s, every 100 ms, 30 s.
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(10),
            poll: Duration::from_millis(100),
            stale: Duration::from_secs(30),
        }
    }
}

/// The lock of a store, held until dropped. It is removed then, unless somebody has put another in its place.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    file: Arc<File>,
    refreshing: Option<(Sender<()>, JoinHandle<()>)>,
}

/// Why a store was not locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody held it all the time.
    #[error("Failed to acquire lock: {}{}", path.display(), told(holder.as_ref()))]
    TimedOut {
        /// The lock.
        path: PathBuf,
        /// Who has it open, if that is known.
        holder: Option<Holder>,
    },
    /// Somebody took it for abandoned and removed it.
    #[error("lost the lock {}: somebody has removed it", .0.display())]
    Lost(PathBuf),
    /// The stop flag was seen.
    #[error("stopped while waiting for a lock")]
    Stopped,
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

fn told(holder: Option<&Holder>) -> String {
    let Some(holder) = holder else { return " (nobody is known to have it open)".into() };
    let program = holder.program.as_deref().unwrap_or("another program");
    let process = holder.process.map(|process| format!(", process {process}")).unwrap_or_default();
    format!(" (held by {program}{process})")
}

impl Held {
    /// Takes the lock of the store in a folder, which must be there; waits for it as long as `patience` has it, and no
    /// longer than until `stop` is set.
    pub fn take(folder: &Path, patience: &Patience, stop: &AtomicBool) -> Result<Self, LockError> {
        let path = folder.join(LOCK);
        let begun = Instant::now();
        loop {
            let taken = match create(&path)? {
                None => take_over(&path, patience.stale)?,
                created => created,
            };
            if let Some(file) = taken {
                return Ok(Self::refreshed(path, file)?);
            }
            if stop.load(Ordering::Relaxed) {
                return Err(LockError::Stopped);
            }
            let Some(left) = patience.limit.checked_sub(begun.elapsed()).filter(|left| !left.is_zero())
            else {
                let holder = of_ours(&path).or_else(|| Holder::of(std::slice::from_ref(&path)));
                return Err(LockError::TimedOut { path, holder });
            };
            std::thread::sleep(patience.poll.min(left));
        }
    }

    /// Removes the lock in a folder if a program of ours left it there when it was killed.
    pub fn clear_abandoned(folder: &Path) -> Result<(), FileError> {
        let path = folder.join(LOCK);
        let abandoned = take_over(&path, Duration::MAX)?;
        drop(abandoned.map(|file| Self { path, file: Arc::new(file), refreshing: None }));
        Ok(())
    }

    /// The folder of the store.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Whether it is still held: a lock that looked abandoned for half a minute, while the machine slept for one, may
    /// have been taken.
    pub fn check(&self) -> Result<(), LockError> {
        if is_at(&self.file, &self.path)? { Ok(()) } else { Err(LockError::Lost(self.path.clone())) }
    }

    /// Gives it up; that it cannot be removed is an error, unlike when it is dropped.
    pub fn release(mut self) -> Result<(), FileError> {
        self.let_go()
    }

    fn let_go(&mut self) -> Result<(), FileError> {
        if let Some((stop, thread)) = self.refreshing.take() {
            drop(stop);
            let _ = thread.join();
        }
        if is_at(&self.file, &self.path)? {
            remove_file_if_there(&self.path)?;
        }
        Ok(())
    }

    fn refreshed(path: PathBuf, file: File) -> Result<Self, FileError> {
        let file = Arc::new(file);
        let (stop, stopped) = channel();
        let refreshed = Arc::clone(&file);
        let refresh = move || {
            while stopped.recv_timeout(REFRESH) == Err(RecvTimeoutError::Timeout) {
                // One that cannot be refreshed is at worst taken over, and that is looked for before writing.
                let _ = refreshed.set_modified(SystemTime::now());
            }
        };
        let mut held = Self { path, file, refreshing: None };
        let thread = std::thread::Builder::new().name("lock".into()).spawn(refresh);
        held.refreshing = Some((stop, thread.doing("keep fresh", &held.path)?));
        Ok(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.let_go(); // what stays is known to be ours by all of ours that come later
    }
}

/// What a lock of ours holds, always as many bytes: that one write makes one lock into another.
fn mark() -> String {
    format!("{MARK}{:>10}\n", std::process::id())
}

const MARK: &str = "rehome session-store, process ";

fn is_ours(content: &[u8]) -> bool {
    content.len() == mark().len() && content.starts_with(MARK.as_bytes())
}

/// Who says in a lock that it is theirs. A file that had no name at first goes by none where open files are listed.
fn of_ours(path: &Path) -> Option<Holder> {
    let content = std::fs::read(path).ok().filter(|content| is_ours(content))?;
    let process = std::str::from_utf8(&content[MARK.len()..]).ok()?.trim().parse().ok()?;
    let program = std::fs::read_to_string(format!("/proc/{process}/comm")).ok();
    let program = program.map(|name| name.trim().to_owned());
    Some(Holder { path: path.to_owned(), program, process: Some(process) })
}

/// A new lock: it appears whole, with its content and already locked. `None` if there is one.
#[cfg(target_os = "linux")]
fn create(path: &Path) -> Result<Option<File>, FileError> {
    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
    use rustix::io::Errno;
    use std::os::fd::AsRawFd;
    let folder = path.parent().unwrap_or(Path::new("."));
    let nameless = open(folder, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
    let Ok(nameless) = nameless else { return create_by_name(path) };
    let mut file = File::from(nameless);
    if !fill(&mut file, path)? {
        return create_by_name(path);
    }
    let source = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(CWD, source, CWD, path, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::EXIST) => Ok(None),
        Err(_) => create_by_name(path), // without /proc, for one
    }
}

#[cfg(not(target_os = "linux"))]
fn create(path: &Path) -> Result<Option<File>, FileError> {
    create_by_name(path)
}

/// The same where a file has its name from the beginning: killed before it has its content, it is left as a lock that
/// nobody knows, and abandoned after half a minute.
fn create_by_name(path: &Path) -> Result<Option<File>, FileError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => Ok(fill(&mut file, path)?.then_some(file)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error).doing("create the lock", path),
    }
}

/// Locks a file and says in it whose it is; answers whether it could be locked.
fn fill(file: &mut File, path: &Path) -> Result<bool, FileError> {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(error).doing("lock", path),
    }
    file.write_all(mark().as_bytes()).doing("write", path)?;
    Ok(true)
}

/// The lock that is there, if it is abandoned: nobody has it locked, and it is of a killed program of ours or old.
fn take_over(path: &Path, stale: Duration) -> Result<Option<File>, FileError> {
    let mut file = match open(path) {
        Ok(file) => file,
        // Gone by now; or somebody else's, to whom alone it says anything.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            return Ok(None);
        }
        Err(error) => return Err(error).doing("open the lock", path),
    };
    let found = file.metadata().doing("look at", path)?;
    if !found.is_file() || is_locked(&file, path)? || !is_at(&file, path)? {
        return Ok(None);
    }
    let mut content = Vec::new();
    (&file).take(1 + mark().len() as u64).read_to_end(&mut content).doing("read", path)?;
    if !is_ours(&content) && !is_older(&found, stale) {
        return Ok(None);
    }
    let written = file.rewind().and_then(|()| file.write_all(mark().as_bytes()));
    written.and_then(|()| file.set_len(mark().len() as u64)).doing("take over the lock", path)?;
    Ok(is_at(&file, path)?.then_some(file)) // whoever found it old as well may have removed it
}

#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

fn is_locked(file: &File, path: &Path) -> Result<bool, FileError> {
    match file.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error).doing("lock", path),
    }
}

fn is_older(found: &Metadata, age: Duration) -> bool {
    let modified = found.modified().ok();
    modified.and_then(|modified| SystemTime::now().duration_since(modified).ok()).is_some_and(|old| old > age)
}

/// Whether a name is that of an open file.
fn is_at(file: &File, path: &Path) -> Result<bool, FileError> {
    let ours = Fingerprint::of(&file.metadata().doing("look at", path)?);
    match Fingerprint::of_file(path) {
        Ok(found) => Ok((found.dev, found.ino) == (ours.dev, ours.ino)),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}
