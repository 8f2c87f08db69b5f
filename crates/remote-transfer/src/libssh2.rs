//! libssh2, for where there is no `ssh`: one session, known hosts and keys as `ssh` has them, but none of its
//! configuration.

mod base64;
mod channel;
mod known;
mod link;
mod login;

use std::path::PathBuf;

use durable_files::Meter;

use crate::target::Target;
use crate::transport::{Duplex, RemoteCommand, Running, Transport, TransportError};
use channel::{Ends, OnLink, Subsystem};
use link::Link;

/// A connection through libssh2. It reads no ssh configuration: aliases and jump hosts are unknown to it.
///
/// As `ssh` does, it finds the user's name, home and agent in the environment where the [`Target`] says nothing.
#[derive(Debug)]
pub struct LibSsh2 {
    target: Target,
    peer: String,
    link: Option<Link>,
}

impl LibSsh2 {
    /// Nothing is connected before the first command.
    pub fn new(target: Target) -> Self {
        Self { peer: target.display(), target, link: None }
    }
}

impl Transport for LibSsh2 {
    fn peer(&self) -> &str {
        &self.peer
    }

    /// With a connection of its own: a session of libssh2 does one thing at a time.
    fn another(&self) -> Box<dyn Transport> {
        Box::new(Self::new(self.target.clone()))
    }

    fn start<'a>(
        &'a mut self,
        command: &RemoteCommand,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Running + 'a>, TransportError> {
        let link = match self.link.take() {
            Some(link) => link,
            None => login::log_in(&self.target, &self.peer, meter)?,
        };
        let text = command.text();
        let ends = Ends::open(link, "commands", meter, &mut |channel| channel.exec(&text))?;
        Ok(Box::new(OnLink::new(ends, &mut self.link, meter, command.limit())))
    }

    fn subsystem<'a>(
        &'a mut self,
        name: &str,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        // It ends with its connection, which is its own.
        let link = login::log_in(&self.target, &self.peer, meter)?;
        let ends = Ends::open(link, name, meter, &mut |channel| channel.subsystem(name))?;
        Ok(Box::new(Subsystem::new(ends, meter)))
    }

    fn converse<'a>(
        &'a mut self,
        command: &RemoteCommand,
        meter: &'a mut dyn Meter,
    ) -> Result<Box<dyn Duplex + 'a>, TransportError> {
        let link = login::log_in(&self.target, &self.peer, meter)?;
        let text = command.text();
        let ends = Ends::open(link, "commands", meter, &mut |channel| channel.exec(&text))?;
        Ok(Box::new(Subsystem::new(ends, meter)))
    }
}

/// A file below the user's home.
fn at_home(name: &str) -> Option<PathBuf> {
    Some(std::env::home_dir()?.join(name))
}
