//! One shell at the other end that is told command after command: a login shell may take far longer to begin than what
//! it is asked for takes to do.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use durable_files::Meter;
use memchr::memmem;

use super::process::{Gathered, wait};
use crate::transport::{Ended, RemoteCommand, TransportError};

/// What is taken in at once, and how many of those wait until somebody wants them.
const BLOCK: usize = 64 << 10;
const BLOCKS: usize = 16;

/// How long a shell that is ready may take to show that it does what it should.
const PATIENCE: Duration = Duration::from_secs(5);

/// What comes after the word, at most: two numbers.
const TRAILER: usize = 64;

/// What it begins with, if nobody else has printed anything.
const READY: &[u8] = b"ready\n";

/// The far end of it.
const SCRIPT: &str = include_str!("shell.sh");

/// A shell at work, or waiting for work.
#[derive(Debug)]
pub(super) struct Shell {
    child: Child,
    requests: Sender<Vec<u8>>,
    printed: Receiver<Vec<u8>>,
    /// What has been printed already by the next command.
    ahead: Vec<u8>,
    /// Tells what a command prints from what the shell says of it.
    word: Vec<u8>,
    complaint: Gathered,
}

/// What became of a command.
pub(super) enum Answer {
    Ended(Ended),
    /// It printed more than is kept, and may do so for ever: the shell is of no use any more.
    TooMuch,
    /// The shell is gone.
    Gone,
}

impl Shell {
    /// What the other end has to run.
    pub(super) fn command() -> RemoteCommand {
        RemoteCommand::sh(SCRIPT, &[RemoteCommand::LIMIT.to_string().as_bytes()])
    }

    /// A shell that this `ssh` runs at the other end.
    pub(super) fn start(mut ssh: Command) -> io::Result<Self> {
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = ssh.spawn()?;
        let (requests, to_write) = channel::<Vec<u8>>();
        if let Some(mut input) = child.stdin.take() {
            thread::spawn(move || to_write.iter().try_for_each(|request| input.write_all(&request)));
        }
        let (taken, printed) = sync_channel(BLOCKS);
        if let Some(mut output) = child.stdout.take() {
            thread::spawn(move || {
                let mut block = vec![0; BLOCK];
                while let Ok(len @ 1..) = output.read(&mut block) {
                    if taken.send(block[..len].to_vec()).is_err() {
                        break;
                    }
                }
            });
        }
        let complaint = Gathered::of(child.stderr.take(), RemoteCommand::LIMIT);
        let word = format!("{:016x}{:016x}", unforeseen(), unforeseen()).into_bytes();
        Ok(Self { child, requests, printed, ahead: Vec::new(), word, complaint })
    }

    /// Whether it does what it should. Two commands are sent at a time: a far end whose `head` takes more than it is
    /// told would mix them up, as would a login shell that prints.
    pub(super) fn greets(&mut self, meter: &mut dyn Meter) -> Result<bool, TransportError> {
        let mut ready = Vec::new();
        while ready.len() < READY.len() {
            let Some(more) = self.next(meter)? else { return Ok(false) };
            ready.extend(more);
        }
        if ready != READY {
            return Ok(false);
        }
        let mut patience = Patience { meter, until: Instant::now() + PATIENCE };
        match self.echoes(&mut patience) {
            Err(TransportError::Stopped) if Instant::now() >= patience.until => Ok(false),
            outcome => outcome,
        }
    }

    fn echoes(&mut self, meter: &mut dyn Meter) -> Result<bool, TransportError> {
        let _ = self.requests.send([&self.word[..], b"\n"].concat());
        let echo = RemoteCommand::sh("exec cat", &[]);
        let words = [&b"hello\n"[..], b"\0again"];
        for word in words {
            self.ask(&echo, word);
        }
        for word in words {
            match self.answer(echo.limit(), meter)? {
                Answer::Ended(ended) if ended.is_success() && ended.stdout == word => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Runs a command.
    pub(super) fn run(
        &mut self,
        command: &RemoteCommand,
        input: &[u8],
        meter: &mut dyn Meter,
    ) -> Result<Answer, TransportError> {
        self.ask(command, input);
        self.answer(command.limit(), meter)
    }

    fn ask(&self, command: &RemoteCommand, input: &[u8]) {
        let line = command.within_sh();
        let head = format!("{} {}\n", line.len(), input.len());
        let _ = self.requests.send([head.as_bytes(), line, input].concat()); // if it is gone, there is no answer
    }

    fn answer(&mut self, limit: usize, meter: &mut dyn Meter) -> Result<Answer, TransportError> {
        let mut stdout = std::mem::take(&mut self.ahead);
        let mut searched = 0;
        let at = loop {
            if let Some(at) = memmem::find(&stdout[searched..], &self.word) {
                break searched + at;
            }
            searched = stdout.len().saturating_sub(self.word.len()); // the word may have begun
            if searched > limit {
                return Ok(Answer::TooMuch);
            }
            let Some(more) = self.next(meter)? else { return Ok(Answer::Gone) };
            stdout.extend(more);
        };
        if at > limit {
            return Ok(Answer::TooMuch);
        }
        let mut said = stdout.split_off(at);
        loop {
            if let Some((status, stderr, ahead)) = trailer(&said[self.word.len()..]) {
                self.ahead = ahead;
                return Ok(Answer::Ended(Ended { status: Some(status), stdout, stderr }));
            }
            if said.len() > self.word.len() + TRAILER + RemoteCommand::LIMIT {
                return Ok(Answer::TooMuch);
            }
            let Some(more) = self.next(meter)? else { return Ok(Answer::Gone) };
            said.extend(more);
        }
    }

    /// The next block. The meter is asked for each: a far end that keeps printing would keep a wish to stop waiting.
    fn next(&self, meter: &mut dyn Meter) -> Result<Option<Vec<u8>>, TransportError> {
        if meter.passed(0).is_break() {
            return Err(TransportError::Stopped);
        }
        wait(&self.printed, meter)
    }

    /// Ends it, and gives what was said last.
    pub(super) fn last_words(mut self, meter: &mut dyn Meter) -> Vec<u8> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        std::mem::take(&mut self.complaint).finish(meter).map(|(said, _)| said).unwrap_or_default()
    }
}

/// Says stop when another does, and at a certain time.
struct Patience<'a> {
    meter: &'a mut dyn Meter,
    until: Instant,
}

impl Meter for Patience<'_> {
    fn passed(&mut self, bytes: u64) -> ControlFlow<()> {
        if Instant::now() >= self.until { ControlFlow::Break(()) } else { self.meter.passed(bytes) }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// ` STATUS LENGTH`, a new line, and a complaint of that length; none until it is whole. With what comes after it.
fn trailer(said: &[u8]) -> Option<(i32, Vec<u8>, Vec<u8>)> {
    let end = said.iter().take(TRAILER).position(|&byte| byte == b'\n')?;
    let mut numbers = std::str::from_utf8(&said[..end]).ok()?.split_ascii_whitespace();
    let (status, length) = (numbers.next()?.parse().ok()?, numbers.next()?.parse::<usize>().ok()?);
    let (complaint, ahead) = said[end + 1..].split_at_checked(length)?;
    Some((status, complaint.to_vec(), ahead.to_vec()))
}

/// A number that the other end cannot guess.
fn unforeseen() -> u64 {
    RandomState::new().build_hasher().finish()
}
