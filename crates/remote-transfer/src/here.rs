//! This machine as if it were another: the same commands, and no link. What works at the end of one works here too.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::Command;

use durable_files::Meter;

use crate::openssh::line;
use crate::openssh::process::Process;
use crate::openssh::subsystem::Subsystem;
use crate::transport::{Duplex, Ended, RemoteCommand, Running, Transport, TransportError};

/// Runs commands on this machine, as whoever runs this program.
#[derive(Debug, Clone, Copy, Default)]
pub struct Here;

/// What it is called.
const PEER: &str = "this machine";

impl Here {
    fn shell(command: &RemoteCommand) -> Command {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(line(command));
        shell.process_group(0); // Ctrl-C at the terminal is for us: a publish is finished first
        shell
    }
}

impl Transport for Here {
    fn peer(&self) -> &str {
        PEER
    }

    fn another(&self) -> Box<dyn Transport> {
        Box::new(*self)
    }

    fn start<'a>(
        &'a mut self,
        command: &RemoteCommand,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Running + 'a>, TransportError> {
        let process = Process::start(Self::shell(command), command.limit()).map_err(no_shell)?;
        Ok(Box::new(AtWork { process, meter, limit: command.limit() }))
    }

    fn subsystem<'a>(
        &'a mut self,
        name: &str,
        _meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        let message = "it is talked with without SSH".to_owned();
        Err(TransportError::NotOffered { peer: PEER.to_owned(), what: name.to_owned(), message })
    }

    fn converse<'a>(
        &'a mut self,
        command: &RemoteCommand,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        Ok(Box::new(Subsystem::start(Self::shell(command), PEER, "commands", meter).map_err(no_shell)?))
    }
}

fn no_shell(source: io::Error) -> TransportError {
    TransportError::Local { doing: "start a shell".to_owned(), source }
}

struct AtWork<'a> {
    process: Process,
    meter: &'a mut dyn Meter,
    limit: usize,
}

impl Write for AtWork<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.process.write(bytes, self.meter)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Running for AtWork<'_> {
    fn finish(mut self: Box<Self>) -> Result<Ended, TransportError> {
        match self.process.finish(self.meter)? {
            (_, true) => Err(TransportError::TooMuch { peer: PEER.to_owned(), limit: self.limit }),
            (ended, false) => Ok(ended),
        }
    }
}
