//! The connection that all commands share. It lives as long as its standard input, so it ends with this process however
//! that ends.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use durable_files::{Meter, Quiet};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::{Builder, TempPath};

use super::process::Gathered;
use super::{complaint, local};
use crate::transport::{RemoteCommand, TransportError};

/// How long it may take to be let in.
const LOGIN: Duration = Duration::from_secs(30);

/// How long it may take to leave.
const LEAVING: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Master {
    child: Child,
    complaint: Gathered,
    socket: TempPath,
}

impl Master {
    pub(super) fn start(
        mut ssh: Command,
        host: &str,
        peer: &str,
        meter: &mut dyn Meter,
    ) -> Result<Self, TransportError> {
        let socket = nobodys_guess().map_err(|error| local("name the connection", error))?;
        ssh.args(["-o", "ControlMaster=yes", "-o", "ControlPersist=no", "-S"]).arg(&*socket);
        ssh.arg("--").arg(host).arg("exec cat");
        ssh.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = ssh.spawn().map_err(|error| local("start ssh", error))?;
        let complaint = Gathered::of(child.stderr.take(), RemoteCommand::LIMIT);
        let mut master = Self { child, complaint, socket };
        let begun = Instant::now();
        while !is_there(&master.socket).map_err(|error| local("share the connection", error))? {
            if meter.passed(0).is_break() {
                return Err(TransportError::Stopped);
            }
            if !matches!(master.child.try_wait(), Ok(None)) || begun.elapsed() > LOGIN {
                return Err(complaint::classified(peer, &master.last_words(), false));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(master)
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends it, if it has not ended by itself.
    pub(super) fn last_words(mut self) -> Vec<u8> {
        self.end();
        std::mem::take(&mut self.complaint).finish(&mut Quiet).map(|(said, _)| said).unwrap_or_default()
    }
}

impl Master {
    /// Asks it to end: then it removes its socket itself, even if we are killed before we do. One that does not listen is
    /// killed.
    fn end(&mut self) {
        let begun = Instant::now();
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < LEAVING {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether the master says, when it is asked, that it is there.
pub(super) fn answers(mut check: Command) -> bool {
    check.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    check.status().is_ok_and(|status| status.success())
}

/// Whether ssh has made its socket. Whoever else sees its name on the command line may put one there first, and would be
/// told every command.
fn is_there(socket: &Path) -> io::Result<bool> {
    let found = match socket.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        found => found?,
    };
    if found.file_type().is_socket() && found.uid() == rustix::process::geteuid().as_raw() {
        return Ok(true);
    }
    let (path, owner) = (socket.display(), found.uid());
    Err(io::Error::other(format!("{path} is not the socket of this ssh: it belongs to the user {owner}")))
}

/// A path for its socket that nobody can have taken before. The socket itself is made by ssh, which lets nobody else use
/// it and removes it when it ends: even if nobody is left here, nothing is.
fn nobodys_guess() -> io::Result<TempPath> {
    const ROOM: usize = 88; // of about a hundred bytes; ssh needs some itself
    let mut name = Builder::new();
    let path = name.prefix("rehome-ssh-").rand_bytes(16).make(|_| Ok(()))?.into_temp_path();
    // `%` would be something of ssh's own in the name of a socket.
    if path.as_os_str().len() <= ROOM && !path.as_os_str().as_encoded_bytes().contains(&b'%') {
        return Ok(path);
    }
    Ok(name.make_in("/tmp", |_| Ok(()))?.into_temp_path())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};
    use std::os::unix::net::UnixListener;

    use super::is_there;

    #[test]
    fn nobody_else_is_told_what_goes_over_the_connection() {
        let folder = tempfile::tempdir().unwrap();
        let [ours, link, theirs] = ["ours", "link", "theirs"].map(|name| folder.path().join(name));
        assert!(!is_there(&ours).unwrap());
        let _listener = UnixListener::bind(&ours).unwrap();
        assert!(is_there(&ours).unwrap());
        symlink(&ours, &link).unwrap();
        assert!(is_there(&link).is_err());
        let _listener = UnixListener::bind(&theirs).unwrap();
        if chown(&theirs, Some(4321), None).is_ok() {
            let said = is_there(&theirs).unwrap_err().to_string();
            assert!(said.contains("4321") && said.contains(theirs.to_str().unwrap()), "{said}");
        }
    }
}
