//! Long content is digested, and read back, by threads of their own while it is still being written. Short content is not:
//! there may be thousands of files of it, of which each is kept until it has been read back.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use crate::copy::open_regular;
use crate::digest::CHUNK;
use crate::{CopyError, Digest, Digested, FileError, Hasher, InContext};

/// How many bytes are content that is worth a thread.
const LONG: u64 = 4 * CHUNK as u64;

/// How much goes from thread to thread at once.
const PIECE: usize = CHUNK / 4;

/// How much is written before the disk is given it: it has not to wait for the end.
const EARLY: u64 = 32 * CHUNK as u64;

/// A digest in the making: beside whoever takes bytes in, from 4 MiB on.
#[derive(Debug, Default)]
pub struct HasherBeside {
    here: Hasher,
    len: u64,
    there: Option<Beside<Hasher>>,
}

impl HasherBeside {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        match &mut self.there {
            Some(there) => there.take(bytes),
            None => self.here.update(bytes),
        }
        if self.there.is_none() && self.len >= LONG {
            let mut hasher = std::mem::take(&mut self.here);
            self.there = Some(Beside::start(move |pieces| {
                pieces.each(|piece| hasher.update(piece));
                hasher
            }));
        }
    }

    /// The digest of everything taken in.
    pub fn finish(self) -> Digested {
        self.there.map_or(self.here, Beside::finish).finish()
    }
}

/// The content of a new file, followed behind the one who writes it: digested, read back and compared byte by byte; if it
/// is long, it is given to the disk meanwhile.
pub(crate) struct Follower<'p> {
    path: &'p Path,
    here: Hasher,
    /// All that was written, as long as that is short.
    kept: Vec<u8>,
    len: u64,
    there: Option<(Beside<Result<Followed, CopyError>>, Early)>,
}

/// What was written to a file.
pub(crate) struct Followed {
    pub(crate) digest: Digest,
    /// Whether every byte of it was read back, and nothing else.
    pub(crate) is_read_back: bool,
}

impl<'p> Follower<'p> {
    pub(crate) fn new(path: &'p Path) -> Self {
        Self { path, here: Hasher::default(), kept: Vec::new(), len: 0, there: None }
    }

    /// These bytes were written to the file, behind those before.
    pub(crate) fn wrote(&mut self, file: &File, bytes: &[u8]) -> Result<(), FileError> {
        self.len += bytes.len() as u64;
        if let Some((there, early)) = &mut self.there {
            there.take(bytes);
            early.reached(self.len);
        } else {
            self.here.update(bytes);
            self.kept.extend_from_slice(bytes);
        }
        if self.there.is_none() && self.len >= LONG {
            let file = file.try_clone().doing("open", self.path)?;
            let (hasher, kept) = (std::mem::take(&mut self.here), std::mem::take(&mut self.kept));
            let path = self.path.to_owned();
            let there = Beside::start(move |pieces| follow(&path, hasher, kept, pieces));
            self.there = Some((there, Early::start(file, self.path.to_owned())));
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Followed, CopyError> {
        let Some((there, early)) = self.there else {
            let mut back = ReadBack::open(self.path)?;
            back.must_hold(&self.kept);
            let is_read_back = back.ends_here().doing("read back", self.path)?;
            return Ok(Followed { digest: self.here.finish().digest, is_read_back });
        };
        let followed = there.finish()?;
        early.finish()?;
        Ok(followed)
    }
}

/// Goes on behind what was `kept`, which the hasher has taken in.
fn follow(path: &Path, mut hasher: Hasher, kept: Vec<u8>, pieces: Pieces) -> Result<Followed, CopyError> {
    let mut back = ReadBack::open(path)?;
    back.must_hold(&kept);
    drop(kept);
    pieces.each(|piece| {
        hasher.update(piece);
        back.must_hold(piece);
    });
    let is_read_back = back.ends_here().doing("read back", path)?;
    Ok(Followed { digest: hasher.finish().digest, is_read_back })
}

/// A file while it is read back.
struct ReadBack {
    file: File,
    found: Vec<u8>,
    is_same: bool,
    failure: Option<io::Error>,
}

impl ReadBack {
    fn open(path: &Path) -> Result<Self, CopyError> {
        Ok(Self { file: open_regular(path)?, found: Vec::new(), is_same: true, failure: None })
    }

    /// These bytes come next.
    fn must_hold(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            if self.is_same {
                self.failure = read_back(&mut self.file, piece.len(), &mut self.found).err();
                self.is_same = self.failure.is_none() && self.found == piece;
            }
        }
    }

    /// Whether that was all, and was there.
    fn ends_here(mut self) -> io::Result<bool> {
        self.failure.map_or(Ok(()), Err)?;
        read_back(&mut self.file, 1, &mut self.found)?; // nobody else writes here
        Ok(self.is_same && self.found.is_empty())
    }
}

/// Reads so many of the next bytes, or what is left.
fn read_back(file: &mut File, len: usize, found: &mut Vec<u8>) -> io::Result<()> {
    found.clear();
    file.take(len as u64).read_to_end(found).map(drop)
}

/// Gives a file to the disk while it is being written. Nobody waits for that but whoever wants to know that it is done.
struct Early {
    asked: u64,
    wanted: SyncSender<()>,
    thread: JoinHandle<Result<(), FileError>>,
}

impl Early {
    fn start(file: File, path: PathBuf) -> Self {
        let (wanted, asked) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            asked.into_iter().try_for_each(|()| file.sync_data().doing("make durable", &path))
        });
        Self { asked: 0, wanted, thread }
    }

    fn reached(&mut self, len: u64) {
        if len - self.asked >= EARLY {
            self.asked = len;
            let _ = self.wanted.try_send(()); // one that waits will do for both; one that failed says so at the end
        }
    }

    fn finish(self) -> Result<(), FileError> {
        drop(self.wanted);
        joined(self.thread)
    }
}

/// A thread that is given bytes, and answers at their end.
#[derive(Debug)]
struct Beside<T> {
    pending: Vec<u8>,
    pieces: SyncSender<Vec<u8>>,
    spares: Receiver<Vec<u8>>,
    thread: JoinHandle<T>,
}

/// What the thread is given, and where it gives back the room it took.
struct Pieces {
    taken: Receiver<Vec<u8>>,
    done: Sender<Vec<u8>>,
}

impl<T: Send + 'static> Beside<T> {
    fn start(work: impl FnOnce(Pieces) -> T + Send + 'static) -> Self {
        let (pieces, taken) = sync_channel(1);
        let (done, spares) = channel();
        let thread = std::thread::spawn(|| work(Pieces { taken, done }));
        Self { pending: Vec::new(), pieces, spares, thread }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (taken, rest) = bytes.split_at(bytes.len().min(PIECE - self.pending.len()));
            self.pending.extend_from_slice(taken);
            bytes = rest;
            if self.pending.len() == PIECE {
                self.pass_on();
            }
        }
    }

    fn pass_on(&mut self) {
        let spare = self.spares.try_recv().unwrap_or_else(|_| Vec::with_capacity(PIECE));
        let piece = std::mem::replace(&mut self.pending, spare);
        let _ = self.pieces.send(piece); // one that failed says so at the end
    }

    fn finish(mut self) -> T {
        self.pass_on();
        drop(self.pieces);
        joined(self.thread)
    }
}

impl Pieces {
    fn each(self, mut take: impl FnMut(&[u8])) {
        for mut piece in self.taken {
            take(&piece);
            piece.clear();
            let _ = self.done.send(piece); // nobody may want it any more
        }
    }
}

fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a file that holds `there` after `wrote` was written to it.
    fn followed(there: &[u8], wrote: &[u8]) -> Followed {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, there).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        let mut follower = Follower::new(&path);
        wrote.chunks(CHUNK + 1).for_each(|chunk| follower.wrote(&file, chunk).unwrap());
        follower.finish().unwrap()
    }

    #[test]
    fn a_byte_that_comes_back_another_is_noticed_wherever_it_is() {
        let long = usize::try_from(LONG).unwrap();
        let wrote: Vec<u8> = (0..=250).cycle().take(2 * long + 7).collect();
        let same = followed(&wrote, &wrote);
        assert!(same.is_read_back && same.digest == Digest::of(&wrote));
        for at in [0, long - 1, long + CHUNK + 9, wrote.len() - 1] {
            let mut there = wrote.clone();
            there[at] ^= 1;
            assert!(!followed(&there, &wrote).is_read_back, "byte {at}");
        }
        for wrote in [&wrote[..], &wrote[..CHUNK / 2], &wrote[..1]] {
            assert!(followed(wrote, wrote).is_read_back);
            assert!(!followed(&wrote[..wrote.len() - 1], wrote).is_read_back, "one byte less");
            assert!(!followed(&[wrote, b"x"].concat(), wrote).is_read_back, "one byte more");
            assert!(!followed(&vec![255; wrote.len()], wrote).is_read_back, "other bytes");
        }
    }
}
