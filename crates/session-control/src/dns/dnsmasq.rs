//! The dnsmasq that reads the names: it looks at them again when it gets a SIGHUP.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::Process;

/// Where a dnsmasq is looked for.
#[derive(Debug, Clone)]
pub struct Dnsmasq {
    /// Where processes are told of.
    pub processes: PathBuf,
    /// What is read where the command line names no configuration.
    pub configuration: Vec<PathBuf>,
    /// What holds its process id, where processes of others are not shown.
    pub pid_files: Vec<PathBuf>,
}

/// Whether it looks at the names again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It does: these processes.
    Processes(Vec<u32>),
    /// None runs that reads the file.
    NoneRuns,
    /// It has to be told by somebody who may.
    NotPermitted {
        /// The process.
        pid: u32,
        /// What to type.
        command: String,
    },
}

impl Default for Dnsmasq {
    fn default() -> Self {
        Self {
            processes: "/proc".into(),
            configuration: vec!["/etc/dnsmasq.conf".into(), "/etc/dnsmasq.d".into()],
            pid_files: vec!["/run/dnsmasq/dnsmasq.pid".into(), "/run/dnsmasq.pid".into()],
        }
    }
}

impl Dnsmasq {
    /// Tells every dnsmasq that reads this file to do so again. Others, of virtual machines perhaps, are left alone.
    pub fn reread(&self, hosts: &Path) -> Told {
        let mut readers = self.readers(hosts);
        if readers.is_empty() {
            readers.extend(self.pid_files.iter().find_map(|file| self.of_file(file)));
        }
        if readers.is_empty() {
            return Told::NoneRuns;
        }
        let refused = readers.iter().find(|&&pid| !hang_up(pid));
        match refused {
            Some(&pid) => Told::NotPermitted { pid, command: format!("sudo kill -HUP {pid}") },
            None => Told::Processes(readers),
        }
    }

    fn readers(&self, hosts: &Path) -> Vec<u32> {
        let entries = fs::read_dir(&self.processes).into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut readers: Vec<u32> =
            pids.filter(|&pid| self.is_dnsmasq(pid) && self.reads(pid, hosts)).collect();
        readers.sort_unstable();
        readers
    }

    fn is_dnsmasq(&self, pid: u32) -> bool {
        let name = fs::read_to_string(self.processes.join(pid.to_string()).join("comm"));
        name.is_ok_and(|name| name.trim() == "dnsmasq")
    }

    /// Whether its command line or its configuration names the file.
    fn reads(&self, pid: u32, hosts: &Path) -> bool {
        let hosts = hosts.to_string_lossy();
        let line = fs::read(self.processes.join(pid.to_string()).join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        let words: Vec<&str> = line.split('\0').collect();
        if words.iter().any(|word| word.contains(&*hosts)) {
            return true;
        }
        let mut configuration = configured(&words);
        if configuration.is_empty() {
            configuration.clone_from(&self.configuration);
        }
        configuration.iter().flat_map(|place| files_of(place)).any(|file| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let lines = text.lines().map(str::trim).filter(|line| line.starts_with("addn-hosts"));
            lines.into_iter().any(|line| line.contains(&*hosts))
        })
    }

    /// A process that is alive and not to be seen.
    fn of_file(&self, file: &Path) -> Option<u32> {
        let pid: u32 = fs::read_to_string(file).ok()?.trim().parse().ok()?;
        let is_seen = self.processes.join(pid.to_string()).exists();
        (!is_seen && Process::alive(pid).is_some()).then_some(pid)
    }
}

/// The files and folders of configuration that a command line names.
fn configured(words: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let next = || words.get(index + 1).copied();
        let value = match word.split_once('=') {
            Some(("--conf-file" | "--conf-dir", value)) => Some(value),
            _ if ["-C", "-7", "--conf-file", "--conf-dir"].contains(word) => next(),
            _ => word.strip_prefix("-C").or_else(|| word.strip_prefix("-7")),
        };
        // A folder's name is followed by endings that are not read.
        let value = value.and_then(|value| value.split(',').next()).filter(|value| !value.is_empty());
        found.extend(value.map(PathBuf::from));
    }
    // A folder does not replace the file that is always read.
    if !found.is_empty() && found.iter().all(|place| place.is_dir()) {
        found.push("/etc/dnsmasq.conf".into());
    }
    found
}

fn files_of(place: &Path) -> Vec<PathBuf> {
    if !place.is_dir() {
        return vec![place.to_owned()];
    }
    fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Whether it was told; one that has gone meanwhile need not be.
fn hang_up(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return true };
    matches!(kill_process(pid, Signal::HUP), Ok(()) | Err(Errno::SRCH))
}
