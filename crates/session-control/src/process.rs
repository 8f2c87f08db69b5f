//! Whether a process is there, and which one it is.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::io::Errno;
use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, test_kill_process};
use session_model::Timestamp;

/// A process that is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// The numeric id of its user, where that can be told.
    pub uid: Option<u32>,
    /// When it began, where that can be told.
    pub since: Option<Timestamp>,
    /// Its command line, or else its program's name.
    pub command: Option<String>,
}

impl Process {
    /// The process with this id, if it is alive. One that may not be signalled is; one that has ended, and was not yet waited
    /// for, is not.
    pub fn alive(pid: u32) -> Option<Self> {
        let id = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        if !matches!(test_kill_process(id), Ok(()) | Err(Errno::PERM)) {
            return None;
        }
        let about = Path::new("/proc").join(pid.to_string());
        let stat = stat(&about);
        if matches!(stat.first().map(String::as_str), Some("Z" | "X")) {
            return None;
        }
        let uid = fs::metadata(&about).map(|metadata| metadata.uid()).ok();
        let line = fs::read(about.join("cmdline")).unwrap_or_default();
        let words: Vec<_> = line.split(|&byte| byte == 0).filter(|word| !word.is_empty()).collect();
        let line = String::from_utf8_lossy(&words.join(&b' ')).escape_debug().to_string();
        let name = || fs::read_to_string(about.join("comm")).ok().map(|name| name.trim().to_owned());
        let command = Some(line).filter(|line| !line.is_empty()).or_else(name);
        Some(Self { pid, uid, since: since(&stat), command })
    }
}

/// What `/proc` says of a process, from its state on.
fn stat(about: &Path) -> Vec<String> {
    let stat = fs::read_to_string(about.join("stat")).unwrap_or_default();
    // What comes before is the program's name in brackets, which may hold whatever it likes.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace().map(str::to_owned).collect()
}

/// When a process began: `/proc` counts clock ticks since the machine was started.
fn since(stat: &[String]) -> Option<Timestamp> {
    let ticks: u64 = stat.get(19)?.parse().ok()?;
    let machine = fs::read_to_string("/proc/stat").ok()?;
    let started = machine.lines().find_map(|line| line.strip_prefix("btime "))?;
    let seconds = started.trim().parse::<u64>().ok()? + ticks / clock_ticks_per_second();
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)?;
        if let Some(uid) = self.uid {
            write!(f, " of user {uid}")?;
        }
        if let Some(since) = self.since {
            write!(f, " since {since}")?;
        }
        self.command.as_ref().map_or(Ok(()), |command| write!(f, ": {command}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_a_lock_is_told_with_all_that_tells_him_apart() {
        let ours = Process::alive(std::process::id()).unwrap();
        let (since, now) = (ours.since.unwrap(), Timestamp::now());
        assert!(since <= now && now.as_second() - since.as_second() < 24 * 60 * 60, "{since}, {now}");
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let theirs = Process::alive(child.id()).unwrap();
        child.kill().unwrap();
        // It has ended, though nobody has asked how.
        let begun = std::time::Instant::now();
        while Process::alive(child.id()).is_some() && begun.elapsed().as_secs() < 10 {
            std::thread::yield_now();
        }
        assert_eq!(Process::alive(child.id()), None);
        child.wait().unwrap();
        assert!(theirs.since.unwrap() >= since);
        let told = format!("process {} of user {} since ", theirs.pid, theirs.uid.unwrap());
        assert!(theirs.to_string().starts_with(&told), "{theirs}");
        assert_eq!(Process::alive(child.id()), None);
    }
}
