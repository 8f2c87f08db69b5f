//! Two programs never write one store, whichever of the two protocols the other follows; and nothing is left behind.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use session_store::{Held, LOCK, LockError, Patience};
use tempfile::{TempDir, tempdir};

const AT_ONCE: Patience =
    Patience { limit: Duration::ZERO, poll: Duration::from_millis(1), stale: Duration::from_secs(30) };

fn take(folder: &Path) -> Result<Held, LockError> {
    Held::take(folder, &AT_ONCE, &AtomicBool::new(false))
}

/// A program that has said a word and waits for the end of its input.
struct Other(Child);

impl Other {
    fn new(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut word = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut word).unwrap();
        assert_eq!(word, "held\n");
        Self(child)
    }

    /// One of ours.
    fn ours(folder: &Path) -> Self {
        Self::new(Command::new(testkit::crash::example("hold_lock")).arg(folder))
    }

    /// One that follows the other protocol.
    fn python(lock: &Path) -> Self {
        let script = "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB); \
                      print('held', flush=True); sys.stdin.read()";
        Self::new(Command::new("python3").args(["-c", script]).arg(lock))
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn folder_with_lock(age: Duration) -> TempDir {
    let folder = tempdir().unwrap();
    let lock = File::create(folder.path().join(LOCK)).unwrap();
    lock.set_modified(SystemTime::now() - age).unwrap();
    folder
}

fn is_free(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().count() == 0
}

#[test]
fn while_one_holds_it_another_waits_and_says_for_whom() {
    let folder = tempdir().unwrap();
    let other = Other::ours(folder.path());
    let patience = Patience { limit: Duration::from_millis(20), ..AT_ONCE };
    let error = Held::take(folder.path(), &patience, &AtomicBool::new(false)).unwrap_err().to_string();
    let said = format!("Failed to acquire lock: {}", folder.path().join(LOCK).display());
    assert_eq!(error, format!("{said} (held by hold_lock, process {})", other.0.id()));
    other.end();
    assert!(is_free(folder.path()), "it is removed at the end");
    drop(take(folder.path()).unwrap());
    assert!(is_free(folder.path()));
}

#[test]
fn what_a_killed_program_of_ours_left_is_taken_over_at_once() {
    let folder = tempdir().unwrap();
    drop(Other::ours(folder.path()));
    assert!(!is_free(folder.path()));
    drop(take(folder.path()).unwrap());
    assert!(is_free(folder.path()));

    let held = take(folder.path()).unwrap();
    Held::clear_abandoned(folder.path()).unwrap();
    held.check().expect("one that is held is not abandoned");
    drop(held);
    drop(Other::ours(folder.path()));
    Held::clear_abandoned(folder.path()).unwrap();
    assert!(is_free(folder.path()));
}

#[test]
fn an_empty_lock_is_anothers_for_half_a_minute() {
    let young = folder_with_lock(Duration::from_secs(25));
    let error = take(young.path()).unwrap_err();
    assert!(error.to_string().ends_with("(nobody is known to have it open)"), "{error}");
    Held::clear_abandoned(young.path()).unwrap();
    assert_eq!(fs::read(young.path().join(LOCK)).unwrap(), b"", "it is not touched");

    let old = folder_with_lock(Duration::from_secs(31));
    let held = take(old.path()).unwrap();
    let metadata = fs::metadata(old.path().join(LOCK)).unwrap();
    assert!(
        metadata.modified().unwrap().elapsed().unwrap_or_default() < Duration::from_secs(25),
        "it is new"
    );
    drop(held);
    assert!(is_free(old.path()));
}

#[test]
fn a_lock_that_somebody_has_locked_is_held_however_old_it_is() {
    let folder = folder_with_lock(Duration::from_hours(1));
    let python = Other::python(&folder.path().join(LOCK));
    let error = take(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with(&format!("(held by python3, process {})", python.0.id())), "{error}");
    python.end();
    drop(take(folder.path()).unwrap());
    assert!(is_free(folder.path()));
}

#[test]
fn whoever_asks_for_a_lock_on_the_file_is_told_that_it_is_held() {
    let folder = tempdir().unwrap();
    let _held = take(folder.path()).unwrap();
    let script =
        "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)";
    let asked = Command::new("python3").args(["-c", script]).arg(folder.path().join(LOCK)).output().unwrap();
    assert!(String::from_utf8_lossy(&asked.stderr).contains("BlockingIOError"), "{asked:?}");
}

#[test]
fn a_lock_that_was_taken_away_is_missed_and_the_new_one_is_not_removed() {
    let folder = tempdir().unwrap();
    let lock = folder.path().join(LOCK);
    let held = take(folder.path()).unwrap();
    fs::remove_file(&lock).unwrap();
    assert!(matches!(held.check(), Err(LockError::Lost(_))));
    fs::write(&lock, "").unwrap();
    assert!(matches!(held.check(), Err(LockError::Lost(_))));
    drop(held);
    assert!(lock.exists());
}

#[test]
fn waiting_ends_when_the_program_is_told_to_stop() {
    let folder = folder_with_lock(Duration::ZERO);
    let stopped = Held::take(folder.path(), &Patience::default(), &AtomicBool::new(true));
    assert!(matches!(stopped, Err(LockError::Stopped)));
}

#[cfg(unix)]
#[test]
fn a_link_in_its_place_is_not_followed() {
    let folder = tempdir().unwrap();
    let precious = folder.path().join("precious");
    fs::write(&precious, "").unwrap();
    std::os::unix::fs::symlink(&precious, folder.path().join(LOCK)).unwrap();
    assert!(matches!(take(folder.path()), Err(LockError::File(_))));
    assert_eq!(fs::read(&precious).unwrap(), b"");
}

#[test]
fn of_many_who_want_it_one_has_it() {
    let folder = tempdir().unwrap();
    let counter = folder.path().join("counter");
    fs::write(&counter, "0").unwrap();
    let patience = Patience { poll: Duration::from_micros(50), ..Patience::default() };
    let count = || {
        for _ in 0..50 {
            let held = Held::take(folder.path(), &patience, &AtomicBool::new(false)).unwrap();
            let so_far: u32 = fs::read_to_string(&counter).unwrap().parse().unwrap();
            fs::write(&counter, (so_far + 1).to_string()).unwrap();
            held.check().unwrap();
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(count);
        }
    });
    assert_eq!(fs::read_to_string(&counter).unwrap(), "200");
}
