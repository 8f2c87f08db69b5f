//! The packets of SFTP version 3, as bytes.

use std::io::{self, Read};

use super::FileAttributes;

/// What is asked, ready to be sent.
pub(super) struct Request(Vec<u8>);

/// What is answered.
#[derive(Debug)]
pub(super) enum Packet {
    Version(u32),
    Answer(u32, Box<Packet>),
    Status(u32, String),
    Handle(Vec<u8>),
    Data(Vec<u8>),
    Names(Vec<(Vec<u8>, FileAttributes)>),
    Attributes(FileAttributes),
}

/// The longest packet that is taken, in bytes; servers keep below 256 KiB.
const LONGEST: u32 = 1 << 20;

impl Request {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn init() -> Self {
        Self::of(1, 3, &[])
    }

    pub(super) fn open_file(id: u32, path: &[u8]) -> Self {
        const READ: [u8; 4] = 1u32.to_be_bytes();
        const NO_ATTRIBUTES: [u8; 4] = 0u32.to_be_bytes();
        Self::of(3, id, &[&text(path), &READ, &NO_ATTRIBUTES])
    }

    pub(super) fn close(id: u32, handle: &[u8]) -> Self {
        Self::of(4, id, &[&text(handle)])
    }

    pub(super) fn read(id: u32, handle: &[u8], offset: u64, len: u32) -> Self {
        Self::of(5, id, &[&text(handle), &offset.to_be_bytes(), &len.to_be_bytes()])
    }

    pub(super) fn lstat(id: u32, path: &[u8]) -> Self {
        Self::of(7, id, &[&text(path)])
    }

    pub(super) fn open_folder(id: u32, path: &[u8]) -> Self {
        Self::of(11, id, &[&text(path)])
    }

    pub(super) fn read_folder(id: u32, handle: &[u8]) -> Self {
        Self::of(12, id, &[&text(handle)])
    }

    pub(super) fn real_path(id: u32, path: &[u8]) -> Self {
        Self::of(16, id, &[&text(path)])
    }

    pub(super) fn stat(id: u32, path: &[u8]) -> Self {
        Self::of(17, id, &[&text(path)])
    }

    fn of(kind: u8, id: u32, parts: &[&[u8]]) -> Self {
        let len: usize = 5 + parts.iter().map(|part| part.len()).sum::<usize>();
        let mut bytes = u32::try_from(len).expect("because paths are short").to_be_bytes().to_vec();
        bytes.push(kind);
        bytes.extend(id.to_be_bytes());
        bytes.extend(parts.concat());
        Self(bytes)
    }
}

fn text(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).expect("because paths are short");
    [&len.to_be_bytes(), bytes].concat()
}

impl Packet {
    /// The question it answers, and the answer.
    pub(super) fn answer(self) -> Option<(u32, Self)> {
        if let Self::Answer(id, packet) = self { Some((id, *packet)) } else { None }
    }
}

/// Reads the next packet.
pub(super) fn read(channel: &mut dyn Read) -> io::Result<Packet> {
    let mut len = [0; 4];
    channel.read_exact(&mut len)?;
    let len = u32::from_be_bytes(len);
    if !(1..=LONGEST).contains(&len) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; len as usize];
    channel.read_exact(&mut bytes)?;
    let mut rest = bytes.as_slice();
    parse(&mut rest).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse(rest: &mut &[u8]) -> Option<Packet> {
    let kind = take::<1>(rest)?[0];
    let number = u32::from_be_bytes(take(rest)?);
    let packet = match kind {
        2 => return Some(Packet::Version(number)),
        101 => {
            let code = u32::from_be_bytes(take(rest)?);
            // Old servers leave the message out.
            let message = string(rest).unwrap_or_default();
            Packet::Status(code, String::from_utf8_lossy(message).chars().take(200).collect())
        }
        102 => Packet::Handle(string(rest)?.to_owned()),
        103 => Packet::Data(string(rest)?.to_owned()),
        104 => {
            let count = u32::from_be_bytes(take(rest)?);
            let name = |_| {
                let name = string(rest)?.to_owned();
                string(rest)?; // the same for people
                Some((name, attributes(rest)?))
            };
            Packet::Names((0..count).map(name).collect::<Option<_>>()?)
        }
        105 => Packet::Attributes(attributes(rest)?),
        _ => return None,
    };
    Some(Packet::Answer(number, Box::new(packet)))
}

fn attributes(rest: &mut &[u8]) -> Option<FileAttributes> {
    let flags = u32::from_be_bytes(take(rest)?);
    let mut found = FileAttributes::default();
    if flags & 1 != 0 {
        found.size = Some(u64::from_be_bytes(take(rest)?));
    }
    if flags & 2 != 0 {
        take::<8>(rest)?; // user and group
    }
    if flags & 4 != 0 {
        found.mode = Some(u32::from_be_bytes(take(rest)?));
    }
    if flags & 8 != 0 {
        take::<4>(rest)?; // the last access
        found.mtime = Some(u32::from_be_bytes(take(rest)?));
    }
    if flags & 0x8000_0000 != 0 {
        let count = u32::from_be_bytes(take(rest)?);
        for _ in 0..count {
            string(rest)?;
            string(rest)?;
        }
    }
    Some(found)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u32::from_be_bytes(take(rest)?) as usize;
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}
