//! Two ends on this machine, both in memory, and the ways from one to the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use durable_files::room_at;
use tempfile::TempDir;
use testkit::sshd::Sshd;

use crate::bench::files::{clear, shell_line};
use crate::bench::measure::{self, Taken};
use crate::bench::race::{Race, Runner};
use crate::bench::tool::Tool;
use crate::shell::{self, Outcome};

/// A file system in memory that every Linux has, and the room that is needed in it: for a large file twice.
const MEMORY: &str = "/dev/shm";
const ROOM: u64 = 2_500_000_000;

/// What both ends like best where processors know AES; the handshake takes the first of the client's that the server has.
const CIPHER: &str = "Ciphers aes128-gcm@openssh.com";

const AGENT: &str = "k7m2p9x4qwzt";

/// How long the id of a session is.
const ID: usize = 36;

/// Both ends.
pub(super) struct Ends {
    folder: TempDir,
    sshd: Sshd,
    deliver: PathBuf,
    tool: Tool,
}

impl Ends {
    pub(super) fn start() -> Outcome<Self> {
        let free = room_at(Path::new(MEMORY))?.bytes;
        if free < ROOM {
            let (needed, free) = (ROOM / 1_000_000, free / 1_000_000);
            return Err(format!("expected {needed} MB free at {MEMORY}, found {free} MB").into());
        }
        let example = ["build", "--package", "remote-transfer", "--all-features", "--example", "deliver"];
        shell::run(Command::new("cargo").args(example).arg("--release"))?;
        let folder = tempfile::tempdir_in(MEMORY)?;
        let ends = Self {
            sshd: Sshd::start(&[CIPHER, "Subsystem sftp internal-sftp"]),
            deliver: shell::target()?.join("release/examples/deliver"),
            tool: Tool::built("convocate-migrate", folder.path())?,
            folder,
        };
        ends.introduce()?;
        Ok(ends)
    }

    /// Has `ssh` know the other end as `agent`, and the tool by its registry.
    fn introduce(&self) -> Outcome {
        let (port, key) = (self.sshd.port(), self.sshd.identity());
        let known = self.sshd.known_hosts();
        let lines = format!(
            "Host agent\nHostName 127.0.0.1\nPort {port}\nUser root\nBatchMode yes\nIdentitiesOnly yes\n\
             IdentityFile {}\nUserKnownHostsFile {}\n",
            key.display(),
            known.display()
        );
        fs::write(self.config(), lines)?;
        let registered = self.at("keys").join(AGENT);
        fs::create_dir_all(&registered)?;
        fs::copy(&key, registered.join("shell_to_agent_ed25519_key"))?;
        Ok(fs::write(registered.join("agent-host"), format!("root@127.0.0.1:{port}\n"))?)
    }

    /// What goes.
    pub(super) fn source(&self) -> PathBuf {
        self.at("here")
    }

    pub(super) fn clear_source(&self) -> Outcome {
        clear(&self.source())?;
        Ok(fs::create_dir(self.source())?)
    }

    /// A line for the shell: `$1` is the configuration for `ssh`, `$2` what goes, `$3` where it goes.
    pub(super) fn enter<'a>(&'a self, race: &mut Race<'a>, name: &'static str, line: &'a str) -> Runner {
        race.enter(name, move || {
            let base = self.empty_base()?;
            measure::program(&shell_line(line, &[&self.config(), &self.source(), &base]))
        })
    }

    /// The delivery by itself, as one step.
    pub(super) fn deliver(&self, transport: &str) -> Outcome<Taken> {
        let base = self.empty_base()?;
        let mut deliver = Command::new(&self.deliver);
        deliver.args([transport, "root@127.0.0.1", &self.sshd.port().to_string()]);
        deliver.args([self.sshd.identity(), self.sshd.known_hosts(), self.source(), base]);
        measure::program(&deliver)
    }

    /// All sessions, by the tool. They are put back to where they were.
    pub(super) fn move_all(&self) -> Outcome<Taken> {
        let (base, source) = (self.empty_base()?, self.source());
        let words = [
            ("--shell-base", &source),
            ("--agent-base", &base),
            ("--agent-keys-dir", &self.at("keys")),
            ("--known-hosts", &self.sshd.known_hosts()),
        ];
        let words = words.iter().flat_map(|(option, place)| [option.as_ref(), place.as_os_str()]);
        let taken = self
            .tool
            .run(words.chain(["--agent", AGENT, "--all", "--no-docker-check"].map(AsRef::as_ref)))?;
        for retired in fs::read_dir(source.join(".migrated"))? {
            let retired = retired?;
            let name = retired.file_name().to_string_lossy().into_owned();
            fs::rename(retired.path(), source.join(&name[..ID]))?; // behind the id stands that of the run
        }
        clear(&source.join(".migrated"))?;
        clear(&source.join(".migrations"))?;
        Ok(taken)
    }

    fn empty_base(&self) -> Outcome<PathBuf> {
        let base = self.at("there");
        clear(&base)?;
        fs::create_dir(&base)?;
        Ok(base)
    }

    fn config(&self) -> PathBuf {
        self.at("ssh_config")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
