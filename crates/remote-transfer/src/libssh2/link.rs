//! A session and its socket, and the patience one has with them.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use durable_files::Meter;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{BlockDirections, ErrorCode, Session};

use crate::transport::TransportError;

/// What libssh2 says when one has to wait, when the socket is gone, and when a request is denied.
const EAGAIN: ErrorCode = ErrorCode::Session(-37);
const GONE: [ErrorCode; 3] = [ErrorCode::Session(-7), ErrorCode::Session(-13), ErrorCode::Session(-43)];
const DENIED: [ErrorCode; 2] = [ErrorCode::Session(-21), ErrorCode::Session(-22)];

/// How often the meter is asked while one waits.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// A session that never blocks. An operation that hangs in the middle of sending a packet must be gone on with before
/// any other is begun: libssh2 has room for one.
pub(super) struct Link {
    pub(super) session: Session,
    socket: TcpStream,
    pub(super) peer: String,
    silence: Duration,
    /// The other host was silent for so long once: nobody waits for it again.
    given_up: Cell<bool>,
}

impl Link {
    pub(super) fn over(socket: TcpStream, peer: &str, silence: Duration) -> Result<Self, TransportError> {
        let prepared = || -> io::Result<Session> {
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            // While nobody waits for the other host, the system asks it whether it is there.
            rustix::net::sockopt::set_socket_keepalive(&socket, true)?;
            let told = rustix::net::sockopt::set_tcp_keepidle(&socket, silence / 3);
            if cfg!(not(windows)) {
                told?; // there it cannot be told everywhere: then it asks later
            }
            let mut session = Session::new()?;
            session.set_tcp_stream(socket.try_clone()?);
            session.set_blocking(false);
            session.set_keepalive(true, u32::try_from(silence.as_secs() / 3).unwrap_or(10).max(1));
            Ok(session)
        };
        let session = prepared()
            .map_err(|source| TransportError::Local { doing: "prepare the connection".to_owned(), source })?;
        Ok(Self { session, socket, peer: peer.to_owned(), silence, given_up: Cell::new(false) })
    }

    /// Does something that may have to wait for the other host, and gives what came out of it.
    pub(super) fn patiently<T>(
        &self,
        meter: &mut dyn Meter,
        mut attempt: impl FnMut() -> Result<T, ssh2::Error>,
    ) -> Result<Result<T, ssh2::Error>, TransportError> {
        let mut heard = Instant::now();
        loop {
            match attempt() {
                Err(error) if error.code() == EAGAIN => self.wait(&mut heard, meter)?,
                done => return Ok(done),
            }
        }
    }

    /// Whether the last operation hangs in the middle of a packet.
    pub(super) fn is_sending(&self) -> bool {
        matches!(self.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both)
    }

    /// Waits a little for the other host. `heard` is when one has last noticed anything of it.
    pub(super) fn wait(&self, heard: &mut Instant, meter: &mut dyn Meter) -> Result<(), TransportError> {
        if meter.passed(0).is_break() {
            return Err(TransportError::Stopped);
        }
        let awaited = match self.session.block_directions() {
            BlockDirections::Outbound => PollFlags::OUT,
            BlockDirections::Both => PollFlags::IN | PollFlags::OUT,
            BlockDirections::Inbound | BlockDirections::None => PollFlags::IN,
        };
        let ready = poll(&mut [PollFd::new(&self.socket, awaited)], Some(&TICK));
        if ready.unwrap_or(0) > 0 {
            *heard = Instant::now();
        } else if self.given_up.get() || heard.elapsed() >= self.silence {
            self.given_up.set(true);
            return Err(self.lost(format!("nothing was heard for {} s", self.silence.as_secs())));
        } else if !self.is_sending() {
            let _ = self.session.keepalive_send(); // when it is due; the answer is what is heard
        }
        Ok(())
    }

    pub(super) fn lost(&self, message: String) -> TransportError {
        TransportError::Lost { peer: self.peer.clone(), message }
    }

    /// What an operation has failed with once one was let in.
    pub(super) fn failed(&self, error: &ssh2::Error, what: &str) -> TransportError {
        let message = said(error);
        if DENIED.contains(&error.code()) {
            let (peer, what) = (self.peer.clone(), what.to_owned());
            return TransportError::NotOffered { peer, what, message };
        }
        self.lost(message)
    }
}

/// Whether the connection itself is gone.
pub(super) fn is_gone(error: &ssh2::Error) -> bool {
    GONE.contains(&error.code())
}

pub(super) fn said(error: &ssh2::Error) -> String {
    crate::words(error.message())
}

impl Drop for Link {
    fn drop(&mut self) {
        // The other host need not find out by itself; if this cannot be sent at once, it will.
        let _ = self.session.disconnect(None, "done", None);
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("peer", &self.peer).finish_non_exhaustive()
    }
}
