//! A person at a session's screen (formats/convocate.md §7, §11): here, at an agent of ours, at an original one.

mod child;
mod door;
mod header;
mod pump;
mod screen;
mod server;
mod terminal;
mod wake;

use std::io;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use durable_files::Meter;
use remote_transfer::{Interactive, Target, TransportError};

use crate::containers::ended;
use crate::spelling::shown;
use crate::{LocalHost, Pong, SessionError, SessionId};
use child::{Child, Complaints};
use door::Door;
use header::Header;
use pump::{Closed, Pump};
use screen::{Screen, Source};
pub use server::serve_attach;
pub use terminal::Terminal;
use terminal::{Raw, Size};

/// The subsystem.
const ATTACH: &str = "convocate-agent-attach";
/// How long a session that was just started may take until there is something to attach to.
const STARTING: Duration = Duration::from_secs(10);
/// How long to wait before another try.
const PAUSE: Duration = Duration::from_millis(250);
/// How an agent says that the way into the container has ended by itself.
const EXITED: &str = "exec exited: ";

/// A way to a session's screen.
#[derive(Debug)]
pub struct Attachment {
    way: Way,
    patience: Duration,
}

#[derive(Debug)]
enum Way {
    Here(Door),
    There { ssh: Interactive, id: SessionId, is_ours: bool },
}

/// How somebody's looking at a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// He has left, or was detached by somebody; the session goes on.
    Detached,
    /// The session has ended.
    Over,
    /// His terminal is gone, or the [`Meter`] said stop; the session goes on.
    Stopped,
}

/// Why there is no screen, or no more.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The agent was not reached, or the link was lost; the session goes on.
    #[error(transparent)]
    Link(#[from] TransportError),
    /// It cannot be told which container it is.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The agent says no.
    #[error("{peer}: {message}")]
    Refused {
        /// Who.
        peer: String,
        /// What it said.
        message: String,
    },
    /// There is nothing to attach to: it does not run, or not yet.
    #[error("cannot attach to the session: {message} ({status})")]
    NoScreen {
        /// What was said instead.
        message: String,
        /// How the way into its container has ended: `exit status 1`.
        status: String,
    },
    /// The program that leads there cannot be run.
    #[error("cannot run {program}: {source}")]
    Program {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The terminal failed.
    #[error("cannot work with the terminal: {0}")]
    Terminal(#[source] io::Error),
}

impl Attachment {
    /// To a session of this machine.
    pub fn here(host: &LocalHost, id: &SessionId) -> Result<Self, SessionError> {
        Ok(Self { way: Way::Here(Door::to(host, id)?), patience: Duration::ZERO })
    }

    /// To a session of the agent that has answered like this. An original one gives nobody a terminal: there the size is
    /// what it is at first.
    pub fn there(target: Target, id: &SessionId, agent: &Pong) -> Self {
        let is_ours = agent.is_ours();
        let ssh = Interactive::new(target, ATTACH, is_ours);
        Self { way: Way::There { ssh, id: id.clone(), is_ours }, patience: Duration::ZERO }
    }

    /// The same way to a session that was just started: attaching is tried again for ten seconds.
    #[must_use]
    pub fn after_restart(self) -> Self {
        Self { patience: STARTING, ..self }
    }
}

/// Has the session's screen on this terminal until it is left. The terminal is afterwards as it was, whatever has
/// happened.
///
/// Attaching never starts a session. As long as it lasts, SIGHUP counts as the terminal's end; other signals are the
/// caller's, who stops it through the meter.
pub fn attach(
    attachment: &Attachment,
    terminal: &Terminal,
    meter: &mut dyn Meter,
) -> Result<Ended, AttachError> {
    let begun = Instant::now();
    loop {
        match attachment.once(terminal, meter) {
            Err(AttachError::NoScreen { status, .. })
                if status == "exit status 1" && begun.elapsed() < attachment.patience =>
            {
                if meter.passed(0).is_break() {
                    return Ok(Ended::Stopped);
                }
                thread::sleep(PAUSE);
            }
            ended => return ended,
        }
    }
}

impl Attachment {
    fn once(&self, terminal: &Terminal, meter: &mut dyn Meter) -> Result<Ended, AttachError> {
        let guest = match &self.way {
            Way::Here(door) => Some(door.enter()),
            Way::There { .. } => None,
        };
        let (mut child, first) = self.start(terminal.size().unwrap_or(Size::USUAL))?;
        let mut screen = Screen::new(match self.way {
            Way::Here(_) => Source::Program,
            Way::There { .. } => Source::Agent,
        });
        let mut raw: Option<Raw<'_>> = None;
        let pump = Pump { terminal, child: &mut child, screen: &mut screen, first, mirrors: true };
        let closed = pump.run(&mut raw, meter).map_err(AttachError::Terminal);
        let ended = match closed {
            Ok(Closed::ByProgram) => {
                terminal.show(&screen.rest());
                let (status, said) = child.finish().map_err(AttachError::Terminal)?;
                if let Some(guest) = guest {
                    guest.left(status);
                }
                self.judged(status, &said, &screen)
            }
            gone => gone.map(|_| Ended::Stopped),
        };
        if screen.is_alternate {
            terminal.calm();
        }
        ended
    }

    fn start(&self, size: Size) -> Result<(Child, Vec<u8>), AttachError> {
        let run = |command: Command, start: &dyn Fn(Command) -> io::Result<Child>| {
            let program = command.get_program().to_string_lossy().into_owned();
            start(command).map_err(|source| AttachError::Program { program, source })
        };
        match &self.way {
            Way::Here(door) => {
                let child =
                    run(door.command(), &|command| Child::on_terminal(command, size, Complaints::Shown))?;
                Ok((child, Vec::new()))
            }
            Way::There { ssh, id, is_ours: true } => {
                let child =
                    run(ssh.command(), &|command| Child::on_terminal(command, size, Complaints::Apart))?;
                Ok((child, Header::new(id.as_str(), size).line()))
            }
            Way::There { ssh, id, is_ours: false } => {
                Ok((run(ssh.command(), &Child::on_streams)?, Header::new(id.as_str(), size).line()))
            }
        }
    }

    fn judged(&self, status: ExitStatus, said: &[u8], screen: &Screen) -> Result<Ended, AttachError> {
        let Way::There { ssh, is_ours, .. } = &self.way else {
            return if status.success() { Ok(left(screen)) } else { fallen(screen, ended(status)) };
        };
        if let Some(failure) = screen.failure() {
            return match failure.strip_prefix(EXITED) {
                Some(status) => fallen(screen, status.to_owned()),
                None => Err(AttachError::Refused { peer: ssh.peer(), message: shown(&failure) }),
            };
        }
        match status.code() {
            Some(0) => Ok(left(screen)),
            // It is ssh's own, and also what that ends with when an original agent has closed: it gives no status.
            Some(255) | None => match ssh.complaint(said, screen.is_heard()) {
                Some(lost) => Err(lost.into()),
                None if !is_ours && status.code().is_some() => Ok(left(screen)),
                None => {
                    let message = "ssh has ended without a word".to_owned();
                    Err(TransportError::Lost { peer: ssh.peer(), message }.into())
                }
            },
            Some(_) => {
                let complaint = Some(screen.complaint()).filter(|complaint| !complaint.is_empty());
                let message = complaint.unwrap_or_else(|| ended(status));
                Err(AttachError::Refused { peer: ssh.peer(), message })
            }
        }
    }
}

/// In tmux's own words.
fn left(screen: &Screen) -> Ended {
    let words = screen.last_words();
    if words.contains("[exited]") || words.contains("[server exited") { Ended::Over } else { Ended::Detached }
}

/// The way into the container has ended by itself: with the container, if there had been a screen.
fn fallen(screen: &Screen, status: String) -> Result<Ended, AttachError> {
    if screen.is_drawn {
        return Ok(Ended::Over);
    }
    Err(AttachError::NoScreen { message: screen.complaint(), status })
}
