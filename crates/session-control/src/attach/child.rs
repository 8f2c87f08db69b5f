//! The program that leads to a session: on a terminal of ours, or on plain streams.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child as Process, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use pty_process::blocking;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

use super::terminal::Size;

/// How long one that was asked to end may take.
const LEAVING: Duration = Duration::from_secs(2);
/// What is kept of a complaint.
const COMPLAINT: usize = 64 << 10;

/// A program, what it shows and what it is told. It ends with this.
pub(super) struct Child {
    process: Process,
    pub(super) from: OwnedFd,
    /// `None` once its input is closed.
    pub(super) to: Option<OwnedFd>,
    pub(super) complaint: Option<ChildStderr>,
    said: Vec<u8>,
    on_terminal: bool,
}

/// Where the complaints go of a program on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Complaints {
    /// They are kept, to be told when it has ended.
    Apart,
    /// To the terminal.
    Shown,
}

impl Child {
    /// On a terminal of this size, which is raw from the first moment: nothing is echoed that comes before the program
    /// has begun.
    pub(super) fn on_terminal(command: Command, size: Size, complaints: Complaints) -> io::Result<Self> {
        let (terminal, theirs) = blocking::open().map_err(system)?;
        terminal.resize(pty_process::Size::new(size.rows, size.cols)).map_err(system)?;
        let mut modes = tcgetattr(&theirs)?;
        modes.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &modes)?;
        let command = blocking::Command::from(command);
        let command = match complaints {
            Complaints::Apart => command.stderr(Stdio::piped()),
            Complaints::Shown => command,
        };
        let process = command.spawn(theirs).map_err(system)?;
        let from = OwnedFd::from(terminal);
        Self {
            to: Some(from.try_clone()?),
            from,
            complaint: None,
            said: Vec::new(),
            process,
            on_terminal: true,
        }
        .prepared()
    }

    /// On streams.
    pub(super) fn on_streams(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn()?;
        let (Some(to), Some(from)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let (from, to) = (from.into(), Some(to.into()));
        Self { process, from, to, complaint: None, said: Vec::new(), on_terminal: false }.prepared()
    }

    fn prepared(mut self) -> io::Result<Self> {
        self.complaint = self.process.stderr.take();
        let to = self.to.as_ref().map(AsFd::as_fd);
        let complaint = self.complaint.as_ref().map(AsFd::as_fd);
        for end in [Some(self.from.as_fd()), to, complaint].into_iter().flatten() {
            fcntl_setfl(end, fcntl_getfl(end)? | OFlags::NONBLOCK)?;
        }
        Ok(self)
    }

    /// Its terminal has another size, and it is told so.
    pub(super) fn resize(&self, size: Size) {
        if self.on_terminal {
            let size = Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 };
            let _ = tcsetwinsize(&self.from, size);
        }
    }

    /// Takes in what it complains of; none once there is nothing more.
    pub(super) fn listen(&mut self) {
        let Some(complaint) = &mut self.complaint else { return };
        let mut buffer = [0; 4096];
        loop {
            match complaint.read(&mut buffer) {
                Ok(read @ 1..) => {
                    let room = COMPLAINT.saturating_sub(self.said.len());
                    self.said.extend_from_slice(&buffer[..read.min(room)]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => {
                    self.complaint = None;
                    return;
                }
            }
        }
    }

    /// How it has ended, now that it shows nothing more, and what it complained of. One that stays is ended.
    pub(super) fn finish(mut self) -> io::Result<(ExitStatus, Vec<u8>)> {
        self.to = None;
        let status = match self.wait_until(Instant::now() + LEAVING)? {
            Some(status) => status,
            None => self.end()?,
        };
        self.listen();
        Ok((status, std::mem::take(&mut self.said)))
    }

    fn wait_until(&mut self, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            self.listen();
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks it to end, and sees to it.
    fn end(&mut self) -> io::Result<ExitStatus> {
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        if let Some(status) = self.wait_until(Instant::now() + LEAVING)? {
            return Ok(status);
        }
        self.process.kill()?;
        self.process.wait()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = self.end();
        }
    }
}

fn system(error: pty_process::Error) -> io::Error {
    match error {
        pty_process::Error::Io(error) => error,
        pty_process::Error::Rustix(error) => error.into(),
    }
}
