//! A link on which nobody is waited for any more once somebody wants to stop.

use durable_files::Meter;
use migration_cli::Stop;
use remote_transfer::{Duplex, RemoteCommand, Running, Transport, TransportError};

/// A link whose every wait asks whether somebody wants to stop, whatever else its callers would ask.
pub(crate) struct Watched {
    link: Box<dyn Transport>,
    stop: Stop,
}

impl Watched {
    pub(crate) fn new(link: Box<dyn Transport>, stop: &Stop) -> Self {
        Self { link, stop: stop.clone() }
    }
}

impl Transport for Watched {
    fn peer(&self) -> &str {
        self.link.peer()
    }

    fn another(&self) -> Box<dyn Transport> {
        Box::new(Self::new(self.link.another(), &self.stop))
    }

    fn start<'a>(
        &'a mut self,
        command: &RemoteCommand,
        _meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Running + 'a>, TransportError> {
        self.link.start(command, &mut self.stop)
    }

    fn subsystem<'a>(
        &'a mut self,
        name: &str,
        _meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        self.link.subsystem(name, &mut self.stop)
    }

    fn converse<'a>(
        &'a mut self,
        command: &RemoteCommand,
        _meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        self.link.converse(command, &mut self.stop)
    }
}
