//! Reading another host's files through its SFTP subsystem, version 3, which every sshd has: Windows' too, where there
//! is no shell of ours.
//!
//! Whatever the server says is taken for what somebody hostile says: lengths, numbers and names are checked, and there
//! is an end to how much is listed.

mod packet;
mod several;

use std::collections::{BTreeMap, HashMap};
use std::io;

use durable_files::Meter;

use crate::display;
use crate::transport::{Duplex, Transport, TransportError};
use packet::{Packet, Request};
pub(crate) use several::{AT_A_TIME, SMALL, Small};

/// A conversation with an SFTP server.
pub struct Sftp<'a> {
    channel: Box<dyn Duplex + 'a>,
    peer: String,
    next: u32,
}

/// What a server says of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileAttributes {
    /// Its length in bytes, where it is told.
    pub size: Option<u64>,
    /// Kind and permission bits as Unix has them, where they are told.
    pub mode: Option<u32>,
    /// When it was changed, in seconds since 1970, where it is told.
    pub mtime: Option<u32>,
}

/// Why a server has not given what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SftpError {
    /// There is no such server, or no link to it.
    #[error(transparent)]
    Link(#[from] TransportError),
    /// The link broke.
    #[error("the link to {peer} was lost: {source}")]
    Lost {
        /// Whom one talked to.
        peer: String,
        /// What the system said.
        source: io::Error,
    },
    /// It said no.
    #[error("cannot {doing} {path} on {peer}: {reason}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: String,
        /// Whom one talked to.
        peer: String,
        /// Its code.
        code: u32,
        /// What it said.
        reason: String,
    },
    /// More is there than anybody could want listed.
    #[error("there is no end to what {path} on {peer} holds")]
    Endless {
        /// The folder there.
        path: String,
        /// Whom one talked to.
        peer: String,
    },
    /// It does not speak the protocol.
    #[error("{peer} does not speak SFTP: {what}")]
    Malformed {
        /// Whom one talked to.
        peer: String,
        /// What is wrong.
        what: &'static str,
    },
}

/// The status codes that matter.
const OK: u32 = 0;
const EOF: u32 = 1;
const NO_SUCH_FILE: u32 = 2;
const PERMISSION_DENIED: u32 = 3;

/// How much is asked for at a time, and how often before the first answer.
const BLOCK: u32 = 32 << 10;
const WINDOW: usize = 32;
/// How many names a folder may have.
const MOST_NAMES: usize = 1_000_000;

impl FileAttributes {
    const KIND: u32 = 0o170_000;

    fn is(self, kind: u32) -> bool {
        self.mode.is_some_and(|mode| mode & Self::KIND == kind)
    }

    /// Whether it is a folder.
    pub fn is_dir(self) -> bool {
        self.is(0o040_000)
    }

    /// Whether it is a regular file.
    pub fn is_file(self) -> bool {
        self.is(0o100_000)
    }

    /// Whether it is a symbolic link.
    pub fn is_symlink(self) -> bool {
        self.is(0o120_000)
    }
}

impl SftpError {
    /// Whether the thing was simply not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { code: NO_SUCH_FILE, .. })
    }

    /// Whether one may not.
    pub fn is_permission_denied(&self) -> bool {
        matches!(self, Self::Refused { code: PERMISSION_DENIED, .. })
    }
}

impl<'a> Sftp<'a> {
    /// Begins to talk with the SFTP server of a host. Once the meter says stop, every question fails with
    /// [`TransportError::Stopped`].
    pub fn over(link: &'a mut dyn Transport, meter: &'a mut dyn Meter) -> Result<Self, SftpError> {
        let peer = link.peer().to_owned();
        Self::on(link.subsystem("sftp", meter)?, peer)
    }

    /// Begins to talk over a channel, which leads to `peer`.
    pub fn on(channel: Box<dyn Duplex + 'a>, peer: String) -> Result<Self, SftpError> {
        let mut sftp = Self { channel, peer, next: 0 };
        sftp.send(&Request::init())?;
        match sftp.receive()? {
            Packet::Version(3..) => Ok(sftp),
            _ => Err(sftp.malformed("expected version 3 or later")),
        }
    }

    /// Whom one talks to, for people.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// The path as the server spells it in full.
    pub fn real_path(&mut self, path: &[u8]) -> Result<Vec<u8>, SftpError> {
        match self.ask("find", path, |id| Request::real_path(id, path))? {
            Packet::Names(names) if names.len() == 1 => Ok(names.into_iter().next().unwrap_or_default().0),
            _ => Err(self.malformed("expected one name")),
        }
    }

    /// What stands at a path, or what a link there leads to.
    pub fn stat(&mut self, path: &[u8]) -> Result<FileAttributes, SftpError> {
        match self.ask("look at", path, |id| Request::stat(id, path))? {
            Packet::Attributes(attributes) => Ok(attributes),
            _ => Err(self.malformed("expected attributes")),
        }
    }

    /// What stands at a path itself.
    pub fn lstat(&mut self, path: &[u8]) -> Result<FileAttributes, SftpError> {
        match self.ask("look at", path, |id| Request::lstat(id, path))? {
            Packet::Attributes(attributes) => Ok(attributes),
            _ => Err(self.malformed("expected attributes")),
        }
    }

    /// The names in a folder, sorted, without itself and its parent. A name that could lead out of it is an error.
    pub fn list(&mut self, folder: &[u8]) -> Result<Vec<(Vec<u8>, FileAttributes)>, SftpError> {
        let handle = self.handle("list", folder, |id| Request::open_folder(id, folder))?;
        let listed = self.names(folder, &handle);
        self.close(&handle)?;
        let mut names = listed?;
        names.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(names)
    }

    fn names(&mut self, folder: &[u8], handle: &[u8]) -> Result<Vec<(Vec<u8>, FileAttributes)>, SftpError> {
        let mut names = Vec::new();
        loop {
            match self.ask("list", folder, |id| Request::read_folder(id, handle)) {
                Err(SftpError::Refused { code: EOF, .. }) => return Ok(names),
                Ok(Packet::Names(more)) if !more.is_empty() => {
                    let is_path =
                        |name: &[u8]| name.is_empty() || name.iter().any(|byte| matches!(byte, b'/' | 0));
                    if more.iter().any(|(name, _)| is_path(name)) {
                        return Err(self.malformed("a name that is a path"));
                    }
                    names.extend(more.into_iter().filter(|(name, _)| !matches!(&**name, b"." | b"..")));
                }
                Ok(_) => return Err(self.malformed("expected names")),
                Err(error) => return Err(error),
            }
            if names.len() > MOST_NAMES {
                return Err(SftpError::Endless { path: display(folder), peer: self.peer.clone() });
            }
        }
    }

    /// Reads a file from `offset` to its end and hands its bytes on in order, many requests ahead; `take` ends it with
    /// `false`.
    pub fn read(
        &mut self,
        file: &[u8],
        offset: u64,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), SftpError> {
        let handle = self.handle("open", file, |id| Request::open_file(id, file))?;
        let read = self.read_on(file, &handle, offset, take);
        match read {
            Ok(()) => self.close(&handle),
            Err(error) => Err(error),
        }
    }

    fn read_on(
        &mut self,
        file: &[u8],
        handle: &[u8],
        offset: u64,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), SftpError> {
        let mut asked: HashMap<u32, (u64, u32)> = HashMap::new();
        let mut arrived: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let (mut given, mut ahead) = (offset, offset);
        let (mut at_end, mut goes_on) = (false, true);
        loop {
            while !at_end && goes_on && asked.len() + arrived.len() < WINDOW {
                let id = self.id();
                self.send(&Request::read(id, handle, ahead, BLOCK))?;
                asked.insert(id, (ahead, BLOCK));
                ahead += u64::from(BLOCK);
            }
            if asked.is_empty() {
                break;
            }
            let (id, packet) = self.receive()?.answer().ok_or_else(|| self.malformed("an unasked answer"))?;
            let Some((at, len)) = asked.remove(&id) else { return Err(self.malformed("an unasked answer")) };
            match packet {
                Packet::Data(data) if data.is_empty() || data.len() > len as usize => {
                    return Err(self.malformed("more or less data than was asked for"));
                }
                Packet::Data(data) => {
                    let got = u32::try_from(data.len()).unwrap_or(len);
                    if got < len && goes_on {
                        // A short answer is no end: the rest is asked for.
                        let (id, rest) = (self.id(), at + u64::from(got));
                        self.send(&Request::read(id, handle, rest, len - got))?;
                        asked.insert(id, (rest, len - got));
                    }
                    arrived.insert(at, data);
                }
                Packet::Status(EOF, _) => at_end = true,
                Packet::Status(code, reason) => return Err(self.refused("read", file, code, &reason)),
                _ => return Err(self.malformed("expected data")),
            }
            while let Some(data) = arrived.remove(&given) {
                given += data.len() as u64;
                goes_on = goes_on && take(&data);
            }
        }
        if arrived.is_empty() || !goes_on {
            Ok(())
        } else {
            Err(self.malformed("a gap in the middle of a file"))
        }
    }

    fn handle(
        &mut self,
        doing: &'static str,
        path: &[u8],
        request: impl FnOnce(u32) -> Request,
    ) -> Result<Vec<u8>, SftpError> {
        match self.ask(doing, path, request)? {
            Packet::Handle(handle) => Ok(handle),
            _ => Err(self.malformed("expected a handle")),
        }
    }

    fn close(&mut self, handle: &[u8]) -> Result<(), SftpError> {
        self.ask("close", b"", |id| Request::close(id, handle)).map(drop)
    }

    /// One question, and the answer to it. A status other than success is an error.
    fn ask(
        &mut self,
        doing: &'static str,
        path: &[u8],
        request: impl FnOnce(u32) -> Request,
    ) -> Result<Packet, SftpError> {
        let id = self.id();
        self.send(&request(id))?;
        match self.receive()?.answer() {
            Some((found, _)) if found != id => Err(self.malformed("an answer to another question")),
            Some((_, Packet::Status(OK, _))) => Ok(Packet::Status(OK, String::new())),
            Some((_, Packet::Status(code, reason))) => Err(self.refused(doing, path, code, &reason)),
            Some((_, packet)) => Ok(packet),
            None => Err(self.malformed("an answer to no question")),
        }
    }

    fn id(&mut self) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    fn send(&mut self, request: &Request) -> Result<(), SftpError> {
        let sent = self.channel.write_all(request.bytes()).and_then(|()| self.channel.flush());
        sent.map_err(|source| self.lost(source))
    }

    /// The transport's own reason travels inside.
    fn lost(&self, source: io::Error) -> SftpError {
        match source.downcast::<TransportError>() {
            Ok(link) => SftpError::Link(link),
            Err(source) => SftpError::Lost { peer: self.peer.clone(), source },
        }
    }

    fn receive(&mut self) -> Result<Packet, SftpError> {
        packet::read(&mut *self.channel).map_err(|source| match source.kind() {
            io::ErrorKind::InvalidData => self.malformed("a packet that cannot be"),
            _ => self.lost(source),
        })
    }

    fn malformed(&self, what: &'static str) -> SftpError {
        SftpError::Malformed { peer: self.peer.clone(), what }
    }

    fn refused(&self, doing: &'static str, path: &[u8], code: u32, reason: &str) -> SftpError {
        let reason = match code {
            NO_SUCH_FILE => "it is not there".to_owned(),
            PERMISSION_DENIED => "permission denied".to_owned(),
            _ => reason.escape_debug().to_string(),
        };
        SftpError::Refused { doing, path: display(path), peer: self.peer.clone(), code, reason }
    }
}
