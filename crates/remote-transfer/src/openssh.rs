//! The system's `ssh`: it honours the user's configuration, agents, jump hosts and hardware keys.
//!
//! One master connection serves all commands, where ssh can do that: not on Windows.

mod complaint;
mod interactive;
#[cfg(unix)]
mod master;
pub(crate) mod process;
#[cfg(unix)]
mod shell;
pub(crate) mod subsystem;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;
#[cfg(unix)]
use std::sync::{Arc, Mutex, PoisonError};

use durable_files::Meter;

use crate::target::Target;
#[cfg(unix)]
use crate::transport::Ended;
use crate::transport::{Duplex, RemoteCommand, Running, Transport, TransportError};
pub use interactive::Interactive;
use process::Process;

/// A connection through the system's `ssh`.
#[derive(Debug)]
pub struct OpenSsh {
    target: Target,
    peer: String,
    #[cfg(unix)]
    master: Shared,
    #[cfg(unix)]
    shell: Common,
}

/// The connection, which several may share. Whoever finds it lost takes it away, and the next to need one makes it anew
/// for all.
#[cfg(unix)]
type Shared = Arc<Mutex<Option<master::Master>>>;

/// The shell that commands have in common.
#[cfg(unix)]
#[derive(Debug, Default)]
enum Common {
    #[default]
    NotYet,
    At(shell::Shell),
    /// The other end is not up to it: each command has a login shell of its own.
    No,
}

impl OpenSsh {
    /// Nothing is connected before the first command.
    pub fn new(target: Target) -> Self {
        Self {
            peer: target.display(),
            target,
            #[cfg(unix)]
            master: Shared::default(),
            #[cfg(unix)]
            shell: Common::NotYet,
        }
    }

    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no group to leave"))]
    fn ssh(&self) -> Command {
        let mut ssh = self.ssh_with("no");
        #[cfg(unix)] // Ctrl-C at the terminal is for us: a publish is finished first
        std::os::unix::process::CommandExt::process_group(&mut ssh, 0);
        ssh
    }

    /// One in the group of processes that we are in, which asks for a terminal there or does not.
    fn ssh_with(&self, terminal: &str) -> Command {
        let target = &self.target;
        let mut ssh = Command::new("ssh");
        ssh.env("LC_ALL", "C");
        let check = if target.accept_new_host_key { "accept-new" } else { "yes" };
        let alive = (target.silence.as_secs() * 3 / 10).max(1); // three of them, and time to say so
        let mut options = vec![
            "BatchMode=yes".to_owned(),
            format!("StrictHostKeyChecking={check}"),
            "UpdateHostKeys=no".to_owned(),
            "ConnectTimeout=10".to_owned(),
            format!("ServerAliveInterval={alive}"),
            "ServerAliveCountMax=2".to_owned(),
            "ClearAllForwardings=yes".to_owned(),
            "ForwardAgent=no".to_owned(),
            "ForwardX11=no".to_owned(),
            "PermitLocalCommand=no".to_owned(),
            format!("RequestTTY={terminal}"),
            "EscapeChar=none".to_owned(),
            "LogLevel=INFO".to_owned(),
        ];
        if target.identity.is_some() {
            options.push("IdentitiesOnly=yes".to_owned());
        }
        for option in options {
            ssh.arg("-o").arg(option);
        }
        if let Some(file) = &target.ssh_config {
            ssh.arg("-F").arg(file);
        }
        if let Some(file) = &target.known_hosts {
            ssh.arg("-o").arg(file_option("UserKnownHostsFile", file));
        }
        if let Some(file) = &target.identity {
            ssh.arg("-o").arg(file_option("IdentityFile", file));
        }
        if let Some(port) = target.port {
            ssh.arg("-p").arg(port.to_string());
        }
        if let Some(user) = &target.user {
            ssh.arg("-l").arg(user);
        }
        ssh
    }
}

#[cfg(unix)]
impl OpenSsh {
    /// An ssh that runs something over the master connection, and over nothing else: a lost one is not silently made
    /// anew.
    fn connected(&mut self, meter: &mut dyn Meter) -> Result<Command, TransportError> {
        let mut shared = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        let master = match shared.take() {
            Some(master) => master,
            None => master::Master::start(self.ssh(), &self.target.host, &self.peer, meter)?,
        };
        let mut ssh = self.ssh();
        ssh.args(["-o", "ControlMaster=no", "-o", "ProxyJump=none", "-o", "ProxyCommand=false", "-S"]);
        ssh.arg(master.socket());
        *shared = Some(master);
        Ok(ssh)
    }

    /// Whether the connection is gone, now that ssh has ended with 255: which may be the command's own status too.
    fn lost(&mut self, said: &[u8]) -> Option<TransportError> {
        let mut shared = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(master) = shared.take() else {
            return Some(complaint::of_no_connection(&self.peer, said));
        };
        let mut check = self.ssh();
        check.args(["-O", "check", "-S"]).arg(master.socket()).arg("--").arg(&self.target.host);
        if master::answers(check) {
            *shared = Some(master);
            return complaint::of_sharing(&self.peer, said);
        }
        Some(complaint::classified(&self.peer, &master.last_words(), true))
    }

    /// The shell that is there for all commands, if the other end is up to that.
    fn shell(&mut self, meter: &mut dyn Meter) -> Result<Option<shell::Shell>, TransportError> {
        match std::mem::take(&mut self.shell) {
            Common::At(shell) => return Ok(Some(shell)),
            Common::No => {
                self.shell = Common::No;
                return Ok(None);
            }
            Common::NotYet => {}
        }
        let mut ssh = self.connected(meter)?;
        ssh.arg("--").arg(&self.target.host).arg(line(&shell::Shell::command()));
        let mut shell = shell::Shell::start(ssh).map_err(|error| local("start ssh", error))?;
        if shell.greets(meter)? {
            return Ok(Some(shell));
        }
        if let Some(lost) = self.lost(&shell.last_words(meter)) {
            return Err(lost);
        }
        self.shell = Common::No;
        Ok(None)
    }

    /// Runs a command in that shell; none if there is none.
    fn run_in_shell(
        &mut self,
        command: &RemoteCommand,
        input: &[u8],
        meter: &mut dyn Meter,
    ) -> Result<Option<Ended>, TransportError> {
        let Some(mut shell) = self.shell(meter)? else { return Ok(None) };
        match shell.run(command, input, meter)? {
            shell::Answer::TooMuch => {
                Err(TransportError::TooMuch { peer: self.peer.clone(), limit: command.limit() })
            }
            shell::Answer::Ended(ended) => {
                self.shell = Common::At(shell);
                Ok(Some(ended))
            }
            shell::Answer::Gone => {
                let stderr = shell.last_words(meter);
                match self.lost(&stderr) {
                    Some(lost) => Err(lost),
                    None => Ok(Some(Ended { stderr, ..Ended::default() })), // killed with all that was in it
                }
            }
        }
    }
}

#[cfg(not(unix))]
impl OpenSsh {
    /// Every command has a connection of its own.
    #[expect(clippy::unnecessary_wraps, reason = "it may, where one connection is shared")]
    fn connected(&mut self, _meter: &mut dyn Meter) -> Result<Command, TransportError> {
        Ok(self.ssh())
    }

    /// Whether the connection is gone, now that ssh has ended with 255. Nobody can tell that from a command's own 255,
    /// which none of ours ends with.
    #[expect(clippy::unnecessary_wraps, reason = "it may, where one connection is shared")]
    fn lost(&mut self, said: &[u8]) -> Option<TransportError> {
        Some(complaint::classified(&self.peer, said, false))
    }
}

impl Transport for OpenSsh {
    fn peer(&self) -> &str {
        &self.peer
    }

    fn another(&self) -> Box<dyn Transport> {
        let another = Self::new(self.target.clone());
        #[cfg(unix)]
        let another = Self { master: self.master.clone(), ..another };
        Box::new(another)
    }

    fn start<'a>(
        &'a mut self,
        command: &RemoteCommand,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Running + 'a>, TransportError> {
        let mut ssh = self.connected(meter)?;
        ssh.arg("--").arg(&self.target.host).arg(line(command));
        let process = Process::start(ssh, command.limit()).map_err(|error| local("start ssh", error))?;
        Ok(Box::new(process.of(self, meter)))
    }

    #[cfg(unix)]
    fn run(
        &mut self,
        command: &RemoteCommand,
        input: &[u8],
        meter: &mut dyn Meter,
    ) -> Result<Ended, TransportError> {
        match self.run_in_shell(command, input, meter)? {
            Some(ended) => Ok(ended),
            None => self.start(command, meter).and_then(|running| running.given(input)),
        }
    }

    fn subsystem<'a>(
        &'a mut self,
        name: &str,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        // A host that runs no commands may still offer this, so it has a connection of its own.
        let mut ssh = self.ssh();
        ssh.args(["-o", "ControlMaster=no", "-o", "ControlPath=none", "-s", "--"])
            .arg(&self.target.host)
            .arg(name);
        let subsystem = subsystem::Subsystem::start(ssh, &self.peer, name, meter);
        Ok(Box::new(subsystem.map_err(|error| local("start ssh", error))?))
    }

    fn converse<'a>(
        &'a mut self,
        command: &RemoteCommand,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        let mut ssh = self.connected(meter)?;
        ssh.arg("--").arg(&self.target.host).arg(line(command));
        let talking = subsystem::Subsystem::start(ssh, &self.peer, "commands", meter);
        Ok(Box::new(talking.map_err(|error| local("start ssh", error))?))
    }
}

fn local(doing: &str, source: io::Error) -> TransportError {
    TransportError::Local { doing: doing.to_owned(), source }
}

#[cfg(unix)]
pub(crate) fn line(command: &RemoteCommand) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(command.line().to_vec())
}

#[cfg(not(unix))]
fn line(command: &RemoteCommand) -> OsString {
    command.text().into_owned().into()
}

/// ssh takes the value of an option apart at spaces, and `%` for something of its own.
fn file_option(key: &str, file: &Path) -> OsString {
    let mut option = OsString::from(format!("{key}=\""));
    option.push(escaped(file));
    option.push("\"");
    option
}

#[cfg(unix)]
fn escaped(file: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut name = Vec::new();
    for &byte in file.as_os_str().as_bytes() {
        match byte {
            b'"' | b'\\' => name.extend([b'\\', byte]),
            b'%' => name.extend(b"%%"),
            byte => name.push(byte),
        }
    }
    OsString::from_vec(name)
}

/// A backslash separates folders there, and quotes are in no name.
#[cfg(not(unix))]
fn escaped(file: &Path) -> OsString {
    file.to_string_lossy().replace('%', "%%").replace('\\', "/").into()
}
