//! A channel of a session, with its three streams: whatever arrives is taken in while one writes, so that neither side
//! waits for the other.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::ControlFlow;
use std::time::Instant;

use durable_files::Meter;
use ssh2::Channel;

use super::link::Link;
use crate::transport::{Duplex, Ended, RemoteCommand, Running, TransportError};

/// Taken in at once, before something else has its turn.
const TURN: usize = 4 << 20;
const BLOCK: usize = 64 << 10;

/// A channel and what has arrived on it.
pub(super) struct Ends {
    channel: Channel,
    printed: VecDeque<u8>,
    complaint: VecDeque<u8>,
    /// How much of what is printed is kept, and whether it was more.
    limit: usize,
    too_much: bool,
    block: Vec<u8>,
    link: Link,
}

impl Ends {
    /// Opens a channel and has something started on it.
    pub(super) fn open(
        link: Link,
        what: &str,
        meter: &mut dyn Meter,
        start: &mut dyn FnMut(&mut Channel) -> Result<(), ssh2::Error>,
    ) -> Result<Self, TransportError> {
        let channel = link.patiently(meter, || link.session.channel_session())?;
        let mut channel = channel.map_err(|error| link.failed(&error, what))?;
        let started = link.patiently(meter, || start(&mut channel))?;
        started.map_err(|error| link.failed(&error, what))?;
        Ok(Self {
            channel,
            printed: VecDeque::new(),
            complaint: VecDeque::new(),
            limit: usize::MAX,
            too_much: false,
            block: vec![0; BLOCK],
            link,
        })
    }

    /// Takes in what has arrived. Whether anything had.
    fn take_in(&mut self, meter: &mut dyn Meter) -> Result<bool, TransportError> {
        let (mut taken, mut heard) = (0, Instant::now());
        for stream in [0, ssh2::EXTENDED_DATA_STDERR] {
            while taken < TURN {
                match self.channel.stream(stream).read(&mut self.block) {
                    Ok(0) => break,
                    Ok(len) => {
                        taken += len;
                        self.keep(stream, len);
                    }
                    // The other host is being told that there is room again.
                    Err(error) if waits(&error) && self.link.is_sending() => {
                        self.link.wait(&mut heard, meter)?;
                    }
                    Err(error) if waits(&error) => break,
                    Err(error) => return Err(self.link.lost(error.to_string())),
                }
            }
        }
        // While one stream was asked, something may have come for the other: nobody is told of that again.
        Ok(taken > 0 || self.channel.read_window().available > 0)
    }

    fn keep(&mut self, stream: i32, len: usize) {
        let (kept, limit) = match stream {
            0 => (&mut self.printed, self.limit),
            _ => (&mut self.complaint, RemoteCommand::LIMIT),
        };
        let room = limit.saturating_sub(kept.len()).min(len);
        kept.extend(&self.block[..room]);
        self.too_much |= stream == 0 && room < len;
    }

    fn write(&mut self, bytes: &[u8], meter: &mut dyn Meter) -> Result<usize, io::Error> {
        let mut heard = Instant::now();
        loop {
            match self.channel.write(bytes) {
                Ok(len) if len > 0 || bytes.is_empty() => return Ok(len),
                Ok(_) => {}
                Err(error) if waits(&error) => {}
                Err(error) => return Err(self.link.lost(error.to_string()).into()),
            }
            if self.link.is_sending() || !self.take_in(meter)? {
                if self.channel.eof() && self.channel.wait_close().is_ok() {
                    return Err(ErrorKind::BrokenPipe.into()); // it has ended without reading on
                }
                self.link.wait(&mut heard, meter)?;
            }
        }
    }

    /// Ends the standard input and waits for the command. Gives its exit status.
    fn finish(&mut self, meter: &mut dyn Meter) -> Result<Option<i32>, TransportError> {
        let link = &self.link;
        let _ = link.patiently(meter, || self.channel.send_eof())?; // whoever has ended does not want it
        let mut heard = Instant::now();
        while !self.channel.eof() {
            if self.take_in(meter)? {
                heard = Instant::now();
            } else if !self.channel.eof() {
                self.link.wait(&mut heard, meter)?;
            }
        }
        let link = &self.link;
        let closed = link.patiently(meter, || self.channel.wait_close())?;
        closed.map_err(|error| link.failed(&error, "commands"))?;
        let _ = link.patiently(meter, || self.channel.close())?;
        let signal = self.channel.exit_signal().ok().and_then(|signal| signal.exit_signal);
        Ok(self.channel.exit_status().ok().filter(|_| signal.is_none()))
    }
}

fn waits(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

/// A command at work. Its session is given back when it has ended, and closed if it is left before.
pub(super) struct OnLink<'a> {
    ends: Ends,
    home: &'a mut Option<Link>,
    meter: &'a mut dyn Meter,
}

impl<'a> OnLink<'a> {
    pub(super) fn new(
        mut ends: Ends,
        home: &'a mut Option<Link>,
        meter: &'a mut dyn Meter,
        limit: usize,
    ) -> Self {
        ends.limit = limit;
        Self { ends, home, meter }
    }
}

impl Write for OnLink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.ends.write(bytes, self.meter)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Running for OnLink<'_> {
    fn finish(mut self: Box<Self>) -> Result<Ended, TransportError> {
        let status = self.ends.finish(self.meter)?;
        let Ends { channel, printed, complaint, limit, too_much, link, .. } = self.ends;
        drop(channel);
        let peer = link.peer.clone();
        *self.home = Some(link);
        if too_much {
            return Err(TransportError::TooMuch { peer, limit });
        }
        Ok(Ended { status, stdout: printed.into(), stderr: complaint.into() })
    }
}

/// A subsystem at work.
pub(super) struct Subsystem<'a> {
    ends: Ends,
    until: Until<'a>,
}

/// Says stop at a certain time, if its meter does not before.
struct Until<'a> {
    deadline: Option<Instant>,
    meter: &'a mut dyn Meter,
}

impl Until<'_> {
    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// What failed, and why it did if the time was over.
    fn explain<T>(&self, outcome: io::Result<T>) -> io::Result<T> {
        if outcome.is_err() && self.is_over() { Err(ErrorKind::TimedOut.into()) } else { outcome }
    }
}

impl Meter for Until<'_> {
    fn passed(&mut self, bytes: u64) -> ControlFlow<()> {
        if self.is_over() { ControlFlow::Break(()) } else { self.meter.passed(bytes) }
    }
}

impl<'a> Subsystem<'a> {
    pub(super) fn new(ends: Ends, meter: &'a mut dyn Meter) -> Self {
        Self { ends, until: Until { deadline: None, meter } }
    }
}

impl Subsystem<'_> {
    fn await_more(&mut self) -> io::Result<()> {
        let mut heard = Instant::now();
        while self.ends.printed.is_empty() {
            if !self.ends.take_in(&mut self.until)? {
                if self.ends.channel.eof() {
                    break;
                }
                self.ends.link.wait(&mut heard, &mut self.until)?;
            }
        }
        Ok(())
    }
}

impl Duplex for Subsystem<'_> {
    fn set_deadline(&mut self, deadline: Instant) {
        self.until.deadline = Some(deadline);
    }
}

impl Read for Subsystem<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let more = self.await_more();
        self.until.explain(more)?;
        self.ends.printed.read(buffer)
    }
}

impl Write for Subsystem<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.ends.write(bytes, &mut self.until);
        self.until.explain(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
