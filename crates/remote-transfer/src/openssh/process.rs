//! An `ssh` at work, with its three streams: each has a thread of its own, so that nobody waits for nobody, and a wish to
//! stop waits for none of them.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use durable_files::Meter;

use super::OpenSsh;
use crate::transport::{Ended, RemoteCommand, Running, TransportError};

/// How often the meter is asked while one waits.
const TICK: Duration = Duration::from_millis(200);

/// The next thing of a thread, or none if it has ended without.
pub(super) fn wait<T>(from: &Receiver<T>, meter: &mut dyn Meter) -> Result<Option<T>, TransportError> {
    loop {
        match from.recv_timeout(TICK) {
            Ok(next) => return Ok(Some(next)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if meter.passed(0).is_break() => {
                return Err(TransportError::Stopped);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// What a stream says in all, and whether it was more than is kept.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    said: Option<Receiver<(Vec<u8>, bool)>>,
}

impl Gathered {
    pub(super) fn of(stream: Option<impl Read + Send + 'static>, limit: usize) -> Self {
        let said = stream.map(|stream| {
            let (sender, said) = channel();
            thread::spawn(move || sender.send(gather(stream, limit)));
            said
        });
        Self { said }
    }

    /// Waits for its end.
    pub(super) fn finish(self, meter: &mut dyn Meter) -> Result<(Vec<u8>, bool), TransportError> {
        let Some(said) = self.said else { return Ok(Default::default()) };
        Ok(wait(&said, meter)?.unwrap_or_default())
    }
}

fn gather(mut stream: impl Read, limit: usize) -> (Vec<u8>, bool) {
    let mut said = Vec::new();
    let _ = stream.by_ref().take(limit as u64).read_to_end(&mut said);
    let rest = io::copy(&mut stream, &mut io::sink()).unwrap_or(0);
    (said, rest > 0)
}

/// What is to be written to a stream: a few blocks, which go round.
#[derive(Debug)]
struct Fed {
    full: Sender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
}

impl Fed {
    const BLOCKS: usize = 4;
    const BLOCK: usize = 256 << 10;

    fn into(stream: Option<impl Write + Send + 'static>) -> Option<Self> {
        let mut stream = stream?;
        let ((full, to_write), (written, empty)) = (channel::<Vec<u8>>(), channel());
        for _ in 0..Self::BLOCKS {
            let _ = written.send(Vec::new());
        }
        thread::spawn(move || {
            for block in to_write {
                if stream.write_all(&block).is_err() {
                    break;
                }
                let _ = written.send(block); // what is still full is written though nothing more will be
            }
        });
        Some(Self { full, empty })
    }

    fn write(&self, bytes: &[u8], meter: &mut dyn Meter) -> io::Result<usize> {
        let mut block = wait(&self.empty, meter)?.ok_or(io::ErrorKind::BrokenPipe)?;
        let len = bytes.len().min(Self::BLOCK);
        block.clear();
        block.extend_from_slice(&bytes[..len]);
        self.full.send(block).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(len)
    }
}

/// A command's `ssh`, or its shell on this machine.
pub(crate) struct Process {
    child: Child,
    input: Option<Fed>,
    printed: Gathered,
    complaint: Gathered,
    limit: usize,
}

impl Process {
    pub(crate) fn start(mut ssh: Command, limit: usize) -> io::Result<Self> {
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = ssh.spawn()?;
        Ok(Self {
            input: Fed::into(child.stdin.take()),
            printed: Gathered::of(child.stdout.take(), limit),
            complaint: Gathered::of(child.stderr.take(), RemoteCommand::LIMIT),
            child,
            limit,
        })
    }

    pub(super) fn of<'a>(self, link: &'a mut OpenSsh, meter: &'a mut dyn Meter) -> OnLink<'a> {
        OnLink { process: self, link, meter }
    }

    pub(crate) fn write(&mut self, bytes: &[u8], meter: &mut dyn Meter) -> io::Result<usize> {
        self.input.as_ref().ok_or(io::ErrorKind::BrokenPipe)?.write(bytes, meter)
    }

    /// Ends its standard input and waits for it. Tells too whether it printed more than is kept.
    pub(crate) fn finish(&mut self, meter: &mut dyn Meter) -> Result<(Ended, bool), TransportError> {
        drop(self.input.take());
        let (stdout, too_much) = std::mem::take(&mut self.printed).finish(meter)?;
        let (stderr, _) = std::mem::take(&mut self.complaint).finish(meter)?;
        let status = self.child.wait().map_err(|error| super::local("wait for the command", error))?.code();
        Ok((Ended { status, stdout, stderr }, too_much))
    }
}

/// The same, with the connection it runs over.
pub(super) struct OnLink<'a> {
    process: Process,
    link: &'a mut OpenSsh,
    meter: &'a mut dyn Meter,
}

impl Write for OnLink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.process.write(bytes, self.meter)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Running for OnLink<'_> {
    fn finish(mut self: Box<Self>) -> Result<Ended, TransportError> {
        let (ended, too_much) = self.process.finish(self.meter)?;
        if ended.status == Some(255)
            && let Some(lost) = self.link.lost(&ended.stderr)
        {
            return Err(lost);
        }
        if too_much {
            return Err(TransportError::TooMuch { peer: self.link.peer.clone(), limit: self.process.limit });
        }
        Ok(ended)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
