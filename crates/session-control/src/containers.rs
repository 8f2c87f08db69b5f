//! The containers that run on this machine, as its container engine tells (formats/convocate.md §7, §17.2).

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;

mod life;
pub(crate) use life::{Complaint, ended};

use crate::deadline::{self, Unawaited};
use crate::mounts::MountTable;
use crate::{Profile, Watch};

/// A container engine's command line.
#[derive(Debug, Clone)]
pub struct Containers {
    /// The program: `docker`, or one that takes the same arguments.
    pub program: PathBuf,
    /// What comes before every command.
    pub arguments: Vec<OsString>,
    /// Where the engine listens: without program and socket there is no engine, and so no container.
    pub socket: PathBuf,
    /// How long it may take to answer.
    pub within: Duration,
    /// How long it may take to tell who is attached to a container: no list is to wait for one that hangs.
    pub looking: Duration,
    /// How long it may take to stop a container, which has ten seconds of its own.
    pub stopping: Duration,
    /// How long it may take to start one.
    pub starting: Duration,
    /// The moment by which every call has to have ended, whatever its own limit: our caller gives up then.
    pub until: Option<Instant>,
    /// Whoever waits for any of that, and may say stop: what the engine was told to do it goes on with. A
    /// [`LocalHost`](crate::LocalHost) puts its own here.
    pub watch: Watch,
}

impl Default for Containers {
    fn default() -> Self {
        Self {
            program: "docker".into(),
            arguments: Vec::new(),
            socket: "/var/run/docker.sock".into(),
            within: Duration::from_secs(10),
            looking: Duration::from_secs(2),
            stopping: Duration::from_secs(30),
            starting: Duration::from_mins(2),
            until: None,
            watch: Watch::default(),
        }
    }
}

/// A container that runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Container {
    /// Its name, with the slash that the engine puts before it.
    name: String,
    /// What of this machine it sees.
    #[serde(default)]
    pub mounts: Vec<Mount>,
    /// Where all of that lies.
    #[serde(skip)]
    table: Arc<MountTable>,
}

/// A part of this machine that a container sees.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Mount {
    /// The path here.
    #[serde(default)]
    pub source: PathBuf,
    /// Whether it may write there.
    #[serde(default, rename = "RW")]
    pub writable: bool,
}

/// How a container uses a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It is the session's own, or has the session's folder, something in it, or a folder around it to write to.
    InUse,
    /// It sees a folder around the session and may only read there.
    Watched,
}

/// Why nobody knows what runs.
#[derive(Debug, thiserror::Error)]
pub enum ContainersError {
    /// The program cannot be run.
    #[error("cannot ask {} which containers run: {source}", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It answered with an error.
    #[error("{} does not say which containers run: {complaint}", program.display())]
    Refused {
        /// The program.
        program: PathBuf,
        /// What it said.
        complaint: String,
    },
}

impl Container {
    /// Its name.
    pub fn name(&self) -> &str {
        self.name.trim_start_matches('/')
    }

    /// How it uses the session with this id in this folder, whose path has no links in it.
    pub fn use_of(&self, uuid: &str, folder: &Path) -> Option<Use> {
        let own = Profile::any_names(self.name(), uuid);
        let (device, folder) = self.table.locate(folder);
        let uses = self.mounts.iter().filter_map(|mount| {
            let source = mount.source.canonicalize().unwrap_or_else(|_| mount.source.clone());
            let (of, source) = self.table.locate(&source);
            let around = of == device && folder.starts_with(&source) && source != folder;
            let inside = of == device && source.starts_with(&folder);
            match (inside, around) {
                (true, _) => Some(Use::InUse),
                (_, true) if mount.writable => Some(Use::InUse),
                (_, true) => Some(Use::Watched),
                _ => None,
            }
        });
        let uses: Vec<Use> = uses.chain(own.then_some(Use::InUse)).collect();
        if uses.contains(&Use::InUse) { Some(Use::InUse) } else { uses.first().copied() }
    }
}

impl Containers {
    /// Its command line, to which a command is to be added.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }

    /// Every container that runs. An engine that is not there runs none; one that does not answer is an error.
    pub fn running(&self) -> Result<Vec<Container>, ContainersError> {
        let ids = self.processes("{{.ID}}")?;
        let ids: Vec<&str> = ids.split_whitespace().collect();
        let mut running = Vec::new();
        let table = Arc::new(MountTable::here());
        for some in ids.chunks(100) {
            let inspect = [&["inspect", "--type", "container", "--format", "{{json .}}"], some].concat();
            let text = self.ask(&inspect)?;
            // Where none of them is left, podman prints an empty list.
            let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
            for line in lines.filter(|line| !line.is_empty() && *line != b"[]") {
                running.push(Container { table: table.clone(), ..self.parsed(line)? });
            }
        }
        Ok(running)
    }

    /// The names of all containers that run.
    pub fn names(&self) -> Result<BTreeSet<String>, ContainersError> {
        // One that others link to has more than one name.
        let names = self.processes("{{.Names}}")?;
        let names = names.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
        Ok(names.map(str::to_owned).collect())
    }

    /// This of every container that runs, a line each.
    fn processes(&self, format: &str) -> Result<String, ContainersError> {
        match self.ask(&["ps", "--no-trunc", "--format", format]) {
            Err(ContainersError::Program { source, .. })
                if source.kind() == io::ErrorKind::NotFound && !self.socket.exists() =>
            {
                Ok(String::new())
            }
            said => said.map(|said| String::from_utf8_lossy(&said).into_owned()),
        }
    }

    fn parsed(&self, text: &[u8]) -> Result<Container, ContainersError> {
        serde_json::from_slice(text).map_err(|error| ContainersError::Refused {
            program: self.program.clone(),
            complaint: format!(
                "its answer is not understood (line {}, column {})",
                error.line(),
                error.column()
            ),
        })
    }

    /// What such a command says, as long as there is time for it.
    fn output(&self, command: &mut Command, within: Duration, unawaited: Unawaited) -> io::Result<Output> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        deadline::output(command, left.map_or(within, |left| left.min(within)), (&self.watch, unawaited))
    }

    /// What it prints. That a container has ended meanwhile is no failure: it does not run.
    fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, ContainersError> {
        let program = self.program.clone();
        match self.output(self.command().args(arguments), self.within, Unawaited::Ends) {
            Err(source) => Err(ContainersError::Program { program, source }),
            Ok(output) if output.status.success() => Ok(output.stdout),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                // docker writes it with a capital, podman without.
                let has_ended = |line: &&str| line.to_ascii_lowercase().contains("no such container");
                let mut complaints = said.lines().filter(|line| !line.trim().is_empty()).peekable();
                if complaints.peek().is_some() && complaints.clone().all(|line| has_ended(&line)) {
                    return Ok(output.stdout);
                }
                let complaint = complaints.find(|line| !has_ended(line)).unwrap_or("it gives no reason");
                Err(ContainersError::Refused { program, complaint: complaint.escape_debug().to_string() })
            }
        }
    }
}
