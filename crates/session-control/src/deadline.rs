//! A program that has to have answered by a certain time.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// Runs it and gives what it said; one that takes longer is killed with all that it has started, which is an error of the
/// kind `TimedOut`.
///
/// What has ended in time counts, whoever holds its output open after that: a wrapper may leave something behind, which
/// nobody waits for longer than for the program itself.
pub(crate) fn output(command: &mut Command, within: Duration) -> io::Result<Output> {
    let until = Instant::now() + within;
    // A group of its own: a wrapper's death alone would leave running what it wraps, and the end of a terminal does not end
    // what is done about that.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let said = [child.stdout.take().map(gather), child.stderr.take().map(gather)];
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= until {
            end(&mut child)?;
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(Duration::from_millis(5));
    };
    let [stdout, stderr] = said.map(|said| said.map(|said| all_by(until, &said)).unwrap_or_default());
    Ok(Output { status, stdout, stderr })
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

/// Reads on its own, and passes on what has come.
fn gather<S: Read + Send + 'static>(mut stream: S) -> Receiver<Vec<u8>> {
    let (sender, said) = mpsc::channel();
    thread::spawn(move || {
        let mut block = vec![0; 64 << 10];
        while let Ok(read @ 1..) = stream.read(&mut block) {
            if sender.send(block[..read].to_vec()).is_err() {
                break;
            }
        }
    });
    said
}

/// What comes until its end, or until then.
fn all_by(until: Instant, said: &Receiver<Vec<u8>>) -> Vec<u8> {
    let mut all = Vec::new();
    // Without time left it gives what is there already.
    while let Ok(some) = said.recv_timeout(until.saturating_duration_since(Instant::now())) {
        all.extend(some);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, within: Duration) -> io::Result<Output> {
        output(Command::new("sh").args(["-c", script]), within)
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
