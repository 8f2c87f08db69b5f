//! Long content is digested and read back by threads of their own, while it is still being written. Short content is not:
//! there may be thousands of files of it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use crate::copy::open_regular;
use crate::digest::CHUNK;
use crate::{Digested, FileError, Hasher, InContext};

/// How many bytes are content that is worth a thread.
const LONG: u64 = 4 * CHUNK as u64;

/// How much goes from thread to thread at once.
const PIECE: usize = CHUNK / 4;

/// How much is written before the disk is given it: it has not to wait for the end.
const EARLY: u64 = 32 * CHUNK as u64;

/// A digest in the making: beside whoever takes bytes in, from 4 MiB on.
#[derive(Debug)]
pub struct HasherBeside {
    at: Place,
    len: u64,
    pending: Vec<u8>,
}

#[derive(Debug)]
enum Place {
    Here(Hasher),
    There { pieces: SyncSender<Vec<u8>>, spares: Receiver<Vec<u8>>, thread: JoinHandle<Hasher> },
}

impl Default for HasherBeside {
    fn default() -> Self {
        Self { at: Place::Here(Hasher::default()), len: 0, pending: Vec::new() }
    }
}

impl HasherBeside {
    /// Takes in the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.len += bytes.len() as u64;
        if let Place::Here(hasher) = &mut self.at {
            hasher.update(bytes);
            if self.len >= LONG {
                self.at = there(std::mem::take(hasher));
            }
            return;
        }
        while !bytes.is_empty() {
            let (taken, rest) = bytes.split_at(bytes.len().min(PIECE - self.pending.len()));
            self.pending.extend_from_slice(taken);
            bytes = rest;
            if self.pending.len() == PIECE {
                self.pass_on();
            }
        }
    }

    /// The digest of everything taken in.
    pub fn finish(mut self) -> Digested {
        self.pass_on();
        match self.at {
            Place::Here(hasher) => hasher.finish(),
            Place::There { pieces, thread, .. } => {
                drop(pieces);
                joined(thread).finish()
            }
        }
    }

    fn pass_on(&mut self) {
        let Place::There { pieces, spares, .. } = &self.at else { return };
        let spare = spares.try_recv().unwrap_or_else(|_| Vec::with_capacity(PIECE));
        let piece = std::mem::replace(&mut self.pending, spare);
        pieces.send(piece).expect("because the thread takes pieces as long as it can be given some");
    }
}

fn there(mut hasher: Hasher) -> Place {
    let (pieces, taken) = sync_channel::<Vec<u8>>(1);
    let (done, spares) = channel();
    let thread = std::thread::spawn(move || {
        for mut piece in taken {
            hasher.update(&piece);
            piece.clear();
            let _ = done.send(piece); // nobody may want it any more
        }
        hasher
    });
    Place::There { pieces, spares, thread }
}

/// A new file that is read back behind the one who writes it.
pub(crate) struct ReadBack<'p> {
    path: &'p Path,
    thread: Option<Reading>,
}

struct Reading {
    reached: SyncSender<u64>,
    thread: JoinHandle<Result<Digested, FileError>>,
}

impl<'p> ReadBack<'p> {
    pub(crate) fn new(path: &'p Path) -> Self {
        Self { path, thread: None }
    }

    /// So many bytes have been written to the file.
    pub(crate) fn reached(&mut self, file: &File, len: u64) -> Result<(), FileError> {
        if self.thread.is_none() && len >= LONG {
            let file = file.try_clone().doing("open", self.path)?;
            self.thread = Some(reading(file, self.path.to_owned()));
        }
        if let Some(Reading { reached, .. }) = &self.thread {
            let _ = reached.send(len); // one that failed says so at the end
        }
        Ok(())
    }

    /// The digest of all that is there, if it is read back beside: otherwise it is still to be done.
    pub(crate) fn finish(self) -> Result<Option<Digested>, FileError> {
        let Some(Reading { reached, thread }) = self.thread else { return Ok(None) };
        drop(reached);
        joined(thread).map(Some)
    }
}

fn reading(written: File, path: PathBuf) -> Reading {
    let (reached, lengths) = sync_channel(4);
    let thread = std::thread::spawn(move || {
        let mut file = open_regular(&path)?;
        let mut hasher = Hasher::default();
        let (mut read, mut synced) = (0, 0);
        for reached in lengths {
            read += take_in(&mut file, reached - read, &mut hasher).doing("read back", &path)?;
            if reached - synced >= EARLY {
                written.sync_data().doing("make durable", &path)?;
                synced = reached;
            }
        }
        take_in(&mut file, u64::MAX, &mut hasher).doing("read back", &path)?; // nobody else writes here
        Ok(hasher.finish())
    });
    Reading { reached, thread }
}

fn take_in(file: &mut File, len: u64, hasher: &mut Hasher) -> io::Result<u64> {
    let mut buffer = Vec::with_capacity(PIECE);
    let mut taken = 0;
    while taken < len {
        buffer.clear();
        let wanted = (len - taken).min(PIECE as u64);
        let read = file.take(wanted).read_to_end(&mut buffer)? as u64;
        if read == 0 {
            break;
        }
        hasher.update(&buffer);
        taken += read;
    }
    Ok(taken)
}

fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
