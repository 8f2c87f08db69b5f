//! The `ssh` of a subsystem, or of a command that one talks with. It closes when it is dropped.

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use durable_files::{Meter, Quiet};

use super::complaint;
use super::process::{Gathered, wait};
use crate::transport::{Duplex, RemoteCommand};

/// Ends a child at a certain time, unless it is dropped before.
struct Watchdog {
    _called_off: Sender<()>,
    deadline: Instant,
}

impl Watchdog {
    fn set(child: Arc<Mutex<Child>>, deadline: Instant) -> Self {
        let (called_off, waits) = mpsc::channel();
        thread::spawn(move || {
            let left = deadline.saturating_duration_since(Instant::now());
            if waits.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
            }
        });
        Self { _called_off: called_off, deadline }
    }
}

/// What has come and was not read yet. A thread reads on, a little ahead, so that a wish to stop waits for nobody.
struct Coming {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: io::Cursor<Vec<u8>>,
}

impl Coming {
    const AHEAD: usize = 4;
    const BLOCK: usize = 256 << 10;

    fn from(mut stream: impl Read + Send + 'static) -> Self {
        let (sender, blocks) = mpsc::sync_channel(Self::AHEAD);
        thread::spawn(move || {
            loop {
                let mut block = vec![0; Self::BLOCK];
                let read = stream.read(&mut block);
                let is_last = !matches!(read, Ok(1..));
                let read = read.map(|len| {
                    block.truncate(len);
                    block
                });
                if sender.send(read).is_err() || is_last {
                    break;
                }
            }
        });
        Self { blocks, block: io::Cursor::default() }
    }

    fn read(&mut self, buffer: &mut [u8], meter: &mut dyn Meter) -> io::Result<usize> {
        let read = self.block.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        self.block = io::Cursor::new(wait(&self.blocks, meter)?.transpose()?.unwrap_or_default());
        self.block.read(buffer)
    }
}

pub(crate) struct Subsystem<'a> {
    child: Arc<Mutex<Child>>,
    watchdog: Option<Watchdog>,
    input: Option<ChildStdin>,
    output: Option<Coming>,
    complaint: Gathered,
    /// Whether anything came of it, so that one had been let in.
    heard: bool,
    peer: String,
    name: String,
    meter: &'a mut dyn Meter,
}

impl<'a> Subsystem<'a> {
    pub(crate) fn start(
        mut ssh: Command,
        peer: &str,
        name: &str,
        meter: &'a mut dyn Meter,
    ) -> io::Result<Self> {
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = ssh.spawn()?;
        Ok(Self {
            input: child.stdin.take(),
            output: child.stdout.take().map(Coming::from),
            complaint: Gathered::of(child.stderr.take(), RemoteCommand::LIMIT),
            child: Arc::new(Mutex::new(child)),
            watchdog: None,
            heard: false,
            peer: peer.to_owned(),
            name: name.to_owned(),
            meter,
        })
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for its end, and lets the watchdog at it meanwhile.
    fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.child().try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Why there is nothing more to read, if that is not simply the end.
    fn reason(&mut self) -> Option<io::Error> {
        let ended = self.wait().ok()?;
        let is_late = self.watchdog.as_ref().is_some_and(|watchdog| Instant::now() >= watchdog.deadline);
        if is_late && !ended.success() {
            return Some(io::ErrorKind::TimedOut.into());
        }
        if ended.code() != Some(255) {
            return None;
        }
        let (said, _) = std::mem::take(&mut self.complaint).finish(&mut Quiet).ok()?;
        let text = String::from_utf8_lossy(&said);
        let error = complaint::of_subsystem(&self.peer, &self.name, &text)
            .unwrap_or_else(|| complaint::classified(&self.peer, &said, self.heard));
        Some(error.into())
    }
}

impl Duplex for Subsystem<'_> {
    fn set_deadline(&mut self, deadline: Instant) {
        self.watchdog = Some(Watchdog::set(self.child.clone(), deadline));
    }
}

impl Read for Subsystem<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(output) = &mut self.output else { return Ok(0) };
        match output.read(buffer, self.meter)? {
            0 if !buffer.is_empty() => {
                self.output = None;
                drop(self.input.take());
                self.reason().map_or(Ok(0), Err)
            }
            read => {
                self.heard = true;
                Ok(read)
            }
        }
    }
}

impl Write for Subsystem<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write(bytes) {
            // An ssh that was not let in may have ended before it was told anything.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(self.reason().unwrap_or(error)),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Subsystem<'_> {
    fn drop(&mut self) {
        drop(self.input.take());
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }
}
