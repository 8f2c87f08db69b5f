//! An agent that answers what was recorded, to what was recorded, and to nothing else.

use std::collections::VecDeque;
use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use durable_files::Meter;
use remote_transfer::{Duplex, RemoteCommand, Running, Transport, TransportError};

/// What will be asked, and what will be answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scripted(Arc<Mutex<VecDeque<(String, String)>>>);

impl Scripted {
    pub(crate) fn expect(&self, asked: &str, said: &str) {
        self.0.lock().unwrap().push_back((asked.to_owned(), said.to_owned()));
    }

    /// Everything was asked that should have been.
    #[track_caller]
    pub(crate) fn is_over(&self) {
        assert_eq!(*self.0.lock().unwrap(), [], "this was never asked");
    }
}

impl Transport for Scripted {
    fn peer(&self) -> &'static str {
        "agent-1"
    }

    fn another(&self) -> Box<dyn Transport> {
        Box::new(self.clone())
    }

    fn start<'a>(
        &'a mut self,
        _: &RemoteCommand,
        _: &'a mut dyn Meter,
    ) -> Result<Box<dyn Running + 'a>, TransportError> {
        panic!("an agent's API runs no commands")
    }

    fn subsystem<'a>(
        &'a mut self,
        name: &str,
        _: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        assert_eq!(name, "convocate-agent-rpc");
        Ok(Box::new(Call { script: self.clone(), asked: String::new(), said: Cursor::default() }))
    }
}

struct Call {
    script: Scripted,
    asked: String,
    said: Cursor<Vec<u8>>,
}

impl Write for Call {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.asked.push_str(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let (asked, said) = self.script.0.lock().unwrap().pop_front().expect("nothing more is asked");
        assert_eq!(self.asked, asked);
        self.said = Cursor::new(said.into_bytes());
        Ok(())
    }
}

impl Read for Call {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.said.read(buffer)
    }
}

impl Duplex for Call {
    fn set_deadline(&mut self, _: Instant) {}
}
