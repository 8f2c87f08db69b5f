//! A program that has to have answered by a certain time, and that nobody waits for who wants to stop.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::Watch;

/// That somebody says stop, while this process goes on: what an error of the kind `Interrupted` holds then.
#[derive(Debug, thiserror::Error)]
#[error("nobody waits for process {0} any more, which goes on")]
pub(crate) struct GoesOn(pub(crate) u32);

/// What becomes of a program that is not waited for any more because somebody wants to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unawaited {
    /// It is killed with all that it has started: it only looks.
    Ends,
    /// It goes on: it does something, which is not to be left half done.
    GoesOn,
}

/// Runs it and gives what it said. One that takes longer is killed with all that it has started, which is an error of the
/// kind `TimedOut`; that somebody says stop is one of the kind `Interrupted`.
///
/// What has ended in time counts, whoever holds its output open after that: a wrapper may leave something behind.
pub(crate) fn output(
    command: &mut Command,
    within: Duration,
    (watch, unawaited): (&Watch, Unawaited),
) -> io::Result<Output> {
    let until = Instant::now() + within;
    let said = [Said::new()?, Said::new()?];
    let [stdout, stderr] = &said;
    // A group of its own: a wrapper's death alone would leave running what it wraps, and the end of a terminal does not end
    // what is done about that.
    command.stdin(Stdio::null()).stdout(stdout.taken()?).stderr(stderr.taken()?).process_group(0);
    let mut child = command.spawn()?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if watch.says_stop() {
            return Err(match unawaited {
                Unawaited::GoesOn => io::Error::new(io::ErrorKind::Interrupted, GoesOn(child.id())),
                Unawaited::Ends => end(&mut child).err().unwrap_or(io::ErrorKind::Interrupted.into()),
            });
        }
        if Instant::now() >= until {
            end(&mut child)?;
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(Duration::from_millis(5));
    };
    Ok(Output { status, stdout: stdout.all()?, stderr: stderr.all()? })
}

/// Ends it, and its group.
fn end(child: &mut Child) -> io::Result<()> {
    // It has not been waited for, so that its number is nobody else's.
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if group.is_none_or(|group| kill_process_group(group, Signal::KILL).is_err()) {
        child.kill()?;
    }
    child.wait().map(drop)
}

/// What a program says, in memory: a pipe would kill one that says something when nobody is there any more, in the middle
/// of what it does.
struct Said(File);

impl Said {
    fn new() -> io::Result<Self> {
        Ok(Self(memfd_create("said", MemfdFlags::CLOEXEC)?.into()))
    }

    /// The end that the program has.
    fn taken(&self) -> io::Result<Stdio> {
        self.0.try_clone().map(Stdio::from)
    }

    /// All of it, as yet.
    fn all(&self) -> io::Result<Vec<u8>> {
        let len = usize::try_from(self.0.metadata()?.len()).map_err(io::Error::other)?;
        let mut all = vec![0; len];
        self.0.read_exact_at(&mut all, 0)?;
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, within: Duration) -> io::Result<Output> {
        output(Command::new("sh").args(["-c", script]), within, (&Watch::default(), Unawaited::Ends))
    }

    #[test]
    fn who_has_left_something_behind_that_holds_his_output_has_answered() {
        let begun = Instant::now();
        let left = sh("echo $$; echo bad >&2; sleep 1000 & exit 3", Duration::from_secs(1)).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(100), "it was waited for");
        assert_eq!((left.status.code(), &*left.stderr), (Some(3), &b"bad\n"[..]));
        let group: i32 = String::from_utf8(left.stdout).unwrap().trim().parse().unwrap();
        kill_process_group(Pid::from_raw(group).unwrap(), Signal::KILL).unwrap();
    }

    #[test]
    fn who_is_late_is_ended_with_all_that_he_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; wait", path.display());
        let error = sh(&script, Duration::from_millis(500)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let pid = std::fs::read_to_string(path).unwrap();
        // Whoever inherits it takes his time to reap it.
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        let begun = Instant::now();
        while !(state().is_empty() || state().contains(") Z ")) {
            assert!(begun.elapsed() < Duration::from_secs(100), "it goes on: {}", state());
            thread::sleep(Duration::from_millis(5));
        }
    }
}
