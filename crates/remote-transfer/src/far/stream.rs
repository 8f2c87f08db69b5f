//! A stream to the far end, which begins when there is enough of it.

use std::io::{self, Write};

use durable_files::Meter;

use crate::transport::{Ended, RemoteCommand, Running, Transport, TransportError};

/// What is so short goes with its command; for more, the command begins by itself and takes what comes.
pub(super) const SHORT: usize = 512 << 10;

/// What a command shall read.
pub(super) struct Stream<'a> {
    command: RemoteCommand,
    held: Vec<u8>,
    sent: u64,
    state: State<'a>,
}

enum State<'a> {
    /// All of it is held, so far.
    Held(&'a mut dyn Transport, &'a mut dyn Meter),
    Begun(Box<dyn Running + 'a>),
    Failed(Option<TransportError>),
}

impl<'a> Stream<'a> {
    pub(super) fn to(command: RemoteCommand, link: &'a mut dyn Transport, meter: &'a mut dyn Meter) -> Self {
        Self { command, held: Vec::new(), sent: 0, state: State::Held(link, meter) }
    }

    /// How many bytes it has taken.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Ends it, and waits for the command. One that has not begun does so only if it is `whole`.
    pub(super) fn finish(self, whole: bool) -> Result<Ended, TransportError> {
        match self.state {
            State::Held(link, meter) if whole => link.run(&self.command, &self.held, meter),
            State::Held(..) => Ok(Ended::default()),
            State::Begun(running) => running.finish(),
            State::Failed(error) => Err(error.unwrap_or(TransportError::Stopped)),
        }
    }

    /// The command at work, which begins now if it has not before.
    fn begun(&mut self) -> io::Result<&mut (dyn Running + 'a)> {
        if let State::Held(..) = self.state
            && let State::Held(link, meter) = std::mem::replace(&mut self.state, State::Failed(None))
        {
            self.state = match link.start(&self.command, meter) {
                Ok(running) => State::Begun(running),
                Err(error) => State::Failed(Some(error)),
            };
            let held = std::mem::take(&mut self.held);
            if let State::Begun(running) = &mut self.state {
                running.write_all(&held)?;
            }
        }
        match &mut self.state {
            State::Begun(running) => Ok(&mut **running),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if matches!(self.state, State::Held(..)) && self.held.len() + bytes.len() <= SHORT {
            self.held.extend_from_slice(bytes);
            self.sent += bytes.len() as u64;
            return Ok(bytes.len());
        }
        let taken = self.begun()?.write(bytes)?;
        self.sent += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
