//! An SFTP server that lies without an end.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

/// What it claims.
#[derive(Debug, Clone)]
pub struct Claims {
    /// The length of every file, which has no end when it is read.
    pub size: u64,
    /// The names in every folder.
    pub names: Vec<&'static [u8]>,
    /// Whether these are folders themselves.
    pub folders: bool,
    /// Whether a folder has an end.
    pub ends: bool,
}

/// The server: what is written to it are questions, what is read from it are lies.
#[derive(Debug)]
pub struct Liar {
    claims: Claims,
    asked: Vec<u8>,
    answers: VecDeque<u8>,
    /// Whether the folder that is being listed was listed to its end.
    listed: bool,
}

impl Liar {
    /// One that claims this.
    pub fn new(claims: Claims) -> Self {
        Self { claims, asked: Vec::new(), answers: VecDeque::new(), listed: false }
    }

    fn attributes(&self, folder: bool) -> Vec<u8> {
        let mode: u32 = if folder { 0o040_755 } else { 0o100_644 };
        let size = self.claims.size.to_be_bytes();
        [&0x0du32.to_be_bytes()[..], &size, &mode.to_be_bytes(), &[0; 8]].concat()
    }

    fn answer(&mut self, kind: u8, rest: &[u8]) {
        let id = rest.get(..4).unwrap_or_default().to_vec();
        let answer = match kind {
            1 => (2, 3u32.to_be_bytes().to_vec()),
            3 => (102, [id, text(b"h")].concat()),
            11 => {
                self.listed = false;
                (102, [id, text(b"h")].concat())
            }
            5 => (103, [id, text(&vec![b'x'; 32 << 10])].concat()),
            7 | 17 => (105, [id, self.attributes(self.claims.folders)].concat()),
            12 if self.listed && self.claims.ends => (101, [id, 1u32.to_be_bytes().to_vec()].concat()),
            12 => {
                self.listed = true;
                (104, [id, self.names()].concat())
            }
            16 => {
                let path = rest.get(8..).unwrap_or_default();
                let one = [1u32.to_be_bytes().to_vec(), text(path), text(b""), vec![0; 4]].concat();
                (104, [id, one].concat())
            }
            _ => (101, [id, vec![0; 4]].concat()),
        };
        let len = u32::try_from(answer.1.len() + 1).expect("answers are short");
        self.answers.extend(len.to_be_bytes());
        self.answers.push_back(answer.0);
        self.answers.extend(answer.1);
    }

    fn names(&self) -> Vec<u8> {
        let count = u32::try_from(self.claims.names.len()).expect("names are few");
        let names = self.claims.names.iter();
        let entries = names.flat_map(|name| [text(name), text(b""), self.attributes(self.claims.folders)]);
        [count.to_be_bytes().to_vec()].into_iter().chain(entries).flatten().collect()
    }
}

fn text(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).expect("texts are short");
    [&len.to_be_bytes(), bytes].concat()
}

impl Write for Liar {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.asked.extend_from_slice(bytes);
        while let Some(len) = self.asked.first_chunk().map(|&len| u32::from_be_bytes(len) as usize) {
            if self.asked.len() < 4 + len {
                break;
            }
            let question: Vec<u8> = self.asked.drain(..4 + len).collect();
            self.answer(question[4], &question[5..]);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Liar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.answers.read(buffer)
    }
}
