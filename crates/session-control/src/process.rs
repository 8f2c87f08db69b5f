//! Whether a process is there, and which one it is.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// A process that is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// The numeric id of its user, where that can be told.
    pub uid: Option<u32>,
    /// Its command line, or else its program's name.
    pub command: Option<String>,
}

impl Process {
    /// The process with this id, if it is alive. One that may not be signalled is.
    pub fn alive(pid: u32) -> Option<Self> {
        let id = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        if !matches!(test_kill_process(id), Ok(()) | Err(Errno::PERM)) {
            return None;
        }
        let about = Path::new("/proc").join(pid.to_string());
        let uid = fs::metadata(&about).map(|metadata| metadata.uid()).ok();
        let line = fs::read(about.join("cmdline")).unwrap_or_default();
        let words: Vec<_> = line.split(|&byte| byte == 0).filter(|word| !word.is_empty()).collect();
        let line = String::from_utf8_lossy(&words.join(&b' ')).escape_debug().to_string();
        let name = || fs::read_to_string(about.join("comm")).ok().map(|name| name.trim().to_owned());
        let command = Some(line).filter(|line| !line.is_empty()).or_else(name);
        Some(Self { pid, uid, command })
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)?;
        if let Some(uid) = self.uid {
            write!(f, " of user {uid}")?;
        }
        self.command.as_ref().map_or(Ok(()), |command| write!(f, ": {command}"))
    }
}
