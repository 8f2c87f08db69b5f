//! Between somebody's terminal and the program that leads to a session: keys one way, the screen the other.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use durable_files::Meter;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::child::Child;
use super::screen::Screen;
use super::terminal::{Raw, Size, Terminal};
use super::wake::Wake;

/// How often the wish to stop is asked after, and what is held back may be shown.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// How long keys wait for a first sign of the other end. An original agent drops those that come together with the
/// header, and only that sign tells that it was read: ssh does not say when it has sent it.
const SILENCE: Duration = Duration::from_secs(12);
/// What is read at a time.
const BLOCK: usize = 16 << 10;
/// What a pipe takes at once if it takes anything.
const ATOM: usize = 4096;

/// Why nothing goes on between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// The program has said all that it had to say.
    ByProgram,
    /// Nobody is at the terminal any more, or whoever runs us says stop.
    Here,
}

/// Both ends.
pub(super) struct Pump<'t, 'a> {
    pub(super) terminal: &'t Terminal,
    pub(super) child: &'a mut Child,
    pub(super) screen: &'a mut Screen,
    /// What the program is told before any key.
    pub(super) first: Vec<u8>,
    /// Whether the program's terminal has the size of the one here.
    pub(super) mirrors: bool,
}

/// What is waited for beside the screen.
struct Wants {
    /// Keys may be read.
    keys: bool,
    /// The program is still to be told something.
    telling: bool,
    /// Something is still to be shown.
    showing: bool,
}

enum Ready {
    Screen,
    Complaint,
    Keys,
    Told,
    Shown,
    Bell,
}

impl<'t> Pump<'t, '_> {
    /// Carries all of it until one end closes. The terminal is raw from the first thing shown on it: until then Ctrl-C
    /// is a signal.
    pub(super) fn run(mut self, raw: &mut Option<Raw<'t>>, meter: &mut dyn Meter) -> io::Result<Closed> {
        let wake = Wake::listen()?;
        let (begun, mut showing) = (Instant::now(), Vec::new());
        let mut telling = std::mem::take(&mut self.first);
        loop {
            if wake.hung_up() || meter.passed(0).is_break() {
                return Ok(Closed::Here);
            }
            if wake.resized() && self.mirrors {
                self.child.resize(self.terminal.size().unwrap_or(Size::USUAL));
            }
            showing.extend(self.screen.due(Instant::now()));
            if !showing.is_empty() && raw.is_none() {
                *raw = Some(self.terminal.raw()?);
            }
            let wants = Wants {
                keys: telling.is_empty() && (self.screen.listens() || begun.elapsed() > SILENCE),
                telling: !telling.is_empty(),
                showing: !showing.is_empty(),
            };
            for ready in self.wait(&wake, &wants)? {
                let closed = match ready {
                    Ready::Bell => None,
                    Ready::Complaint => {
                        self.child.listen();
                        None
                    }
                    Ready::Screen => self.watch()?,
                    Ready::Keys => read_keys(self.terminal, &mut telling),
                    Ready::Told => {
                        let to = self.child.to.as_ref().map(AsFd::as_fd);
                        let told = to.is_some_and(|to| write(to, &mut telling).is_ok());
                        // A program that listens no more has something to say yet.
                        if !told {
                            telling.clear();
                        }
                        None
                    }
                    Ready::Shown => write(self.terminal.output(), &mut showing).err().map(|_| Closed::Here),
                };
                if let Some(closed) = closed {
                    self.terminal.show(&showing);
                    return Ok(closed);
                }
            }
        }
    }

    fn wait(&self, wake: &Wake, wants: &Wants) -> io::Result<Vec<Ready>> {
        let mut ends = vec![(Ready::Bell, wake.bell(), PollFlags::IN)];
        if let Some(complaint) = &self.child.complaint {
            ends.push((Ready::Complaint, complaint.as_fd(), PollFlags::IN));
        }
        match &self.child.to {
            Some(to) if wants.telling => ends.push((Ready::Told, to.as_fd(), PollFlags::OUT)),
            _ if wants.keys => ends.push((Ready::Keys, self.terminal.input(), PollFlags::IN)),
            _ => {}
        }
        // What is not shown yet is not read on: the program waits.
        if wants.showing {
            ends.push((Ready::Shown, self.terminal.output(), PollFlags::OUT));
        } else {
            ends.push((Ready::Screen, self.child.from.as_fd(), PollFlags::IN));
        }
        let mut fds: Vec<PollFd<'_>> =
            ends.iter().map(|(_, fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
        match poll(&mut fds, Some(&TICK)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        Ok(ends.into_iter().zip(ready).filter_map(|((end, ..), ready)| ready.then_some(end)).collect())
    }

    fn watch(&mut self) -> io::Result<Option<Closed>> {
        let mut block = [0; BLOCK];
        match read(self.child.from.as_fd(), &mut block) {
            // A terminal whose program has gone says so.
            Ok(0) | Err(Errno::IO) => Ok(Some(Closed::ByProgram)),
            Ok(len) => {
                self.screen.take(&block[..len], Instant::now());
                Ok(None)
            }
            Err(Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn read_keys(terminal: &Terminal, keys: &mut Vec<u8>) -> Option<Closed> {
    let mut block = [0; BLOCK];
    match read(terminal.input(), &mut block) {
        Ok(len @ 1..) => {
            keys.extend_from_slice(&block[..len]);
            None
        }
        Err(Errno::AGAIN) => None,
        _ => Some(Closed::Here),
    }
}

fn read(from: BorrowedFd<'_>, block: &mut [u8]) -> rustix::io::Result<usize> {
    rustix::io::retry_on_intr(|| rustix::io::read(from, &mut *block))
}

/// As much as it takes at once.
fn write(to: BorrowedFd<'_>, bytes: &mut Vec<u8>) -> io::Result<()> {
    let atom = bytes.len().min(ATOM);
    match rustix::io::retry_on_intr(|| rustix::io::write(to, &bytes[..atom])) {
        Ok(0) => Err(ErrorKind::WriteZero.into()),
        Ok(len) => {
            bytes.drain(..len);
            Ok(())
        }
        Err(Errno::AGAIN) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
