//! A program that has to have answered by a certain time, and that nobody waits for who wants to stop.

use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, OFlags, fcntl_setfl, memfd_create};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::Watch;

/// That somebody says stop, while this process goes on: what an error of the kind `Interrupted` holds then.
#[derive(Debug, thiserror::Error)]
#[error("nobody waits for process {0} any more, which goes on")]
pub(crate) struct GoesOn(pub(crate) u32);

/// By how much what a program says is read at a time.
const MORE_THAN_A_PIPE_HOLDS: u64 = 1 << 20;

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
    let (mut stdout, taken_stdout) = Said::of(unawaited)?;
    let (mut stderr, taken_stderr) = Said::of(unawaited)?;
    // A group of its own: a wrapper's death alone would leave running what it wraps, and the end of a terminal does not end
    // what is done about that.
    command.stdin(Stdio::null()).stdout(taken_stdout).stderr(taken_stderr).process_group(0);
    let mut child = command.spawn()?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        stdout.hear()?;
        stderr.hear()?;
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

/// What a program says.
enum Said {
    /// In a pipe: whoever opens its output by name, as `>/dev/stdout` does, takes nothing away that was said before.
    Heard(PipeReader, Vec<u8>),
    /// In memory: a pipe would kill one that goes on when it says something and nobody is there any more, in the middle of
    /// what it does.
    Kept(File),
}

impl Said {
    /// It, and the end that the program has.
    fn of(unawaited: Unawaited) -> io::Result<(Self, Stdio)> {
        if unawaited == Unawaited::GoesOn {
            let kept = File::from(memfd_create("said", MemfdFlags::CLOEXEC)?);
            let taken = kept.try_clone()?;
            return Ok((Self::Kept(kept), taken.into()));
        }
        let (heard, taken) = io::pipe()?;
        fcntl_setfl(&heard, OFlags::NONBLOCK)?;
        Ok((Self::Heard(heard, Vec::new()), taken.into()))
    }

    /// Makes room in a pipe. Nobody is waited for, nor listened to for ever.
    fn hear(&mut self) -> io::Result<()> {
        let Self::Heard(pipe, all) = self else { return Ok(()) };
        match pipe.take(MORE_THAN_A_PIPE_HOLDS).read_to_end(all) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    /// All of it, as yet.
    fn all(mut self) -> io::Result<Vec<u8>> {
        self.hear()?;
        match self {
            Self::Heard(_, all) => Ok(all),
            Self::Kept(kept) => {
                let len = usize::try_from(kept.metadata()?.len()).map_err(io::Error::other)?;
                let mut all = vec![0; len];
                kept.read_exact_at(&mut all, 0)?;
                Ok(all)
            }
        }
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
    fn what_is_said_by_name_takes_nothing_away_that_was_said_before() {
        let script = "echo a >/dev/stdout; echo b >/dev/stdout; echo c >/dev/stderr; echo d >/dev/stderr";
        let said = sh(script, Duration::from_secs(100)).unwrap();
        assert_eq!((&*said.stdout, &*said.stderr), (&b"a\nb\n"[..], &b"c\nd\n"[..]));
        let long = sh("head -c 3000000 /dev/zero", Duration::from_secs(100)).unwrap();
        assert_eq!(long.stdout.len(), 3_000_000);
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
