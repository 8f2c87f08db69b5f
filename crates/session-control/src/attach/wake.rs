//! What the system tells somebody who waits: the terminal has another size, or is gone.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGWINCH};
use signal_hook::low_level::{pipe, unregister};

/// Listens as long as it lives.
pub(super) struct Wake {
    calls: UnixStream,
    resized: Arc<AtomicBool>,
    hung_up: Arc<AtomicBool>,
    registered: Vec<SigId>,
}

impl Wake {
    pub(super) fn listen() -> io::Result<Self> {
        let (calls, bell) = UnixStream::pair()?;
        calls.set_nonblocking(true)?;
        let flags = [SIGWINCH, SIGHUP].map(|signal| (signal, Arc::new(AtomicBool::new(false))));
        let [(_, resized), (_, hung_up)] = flags.clone();
        let mut wake = Self { calls, resized, hung_up, registered: Vec::new() };
        for (signal, flag) in flags {
            // First the flag: whoever is woken looks at it.
            wake.registered.push(signal_hook::flag::register(signal, flag)?);
            wake.registered.push(pipe::register(signal, bell.try_clone()?)?);
        }
        Ok(wake)
    }

    /// What becomes readable when there is something to be told.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.calls.as_fd()
    }

    /// Whether the size is another one since this was asked last.
    pub(super) fn resized(&self) -> bool {
        let mut heard = [0; 64];
        while matches!((&self.calls).read(&mut heard), Ok(1..)) {}
        self.resized.swap(false, Ordering::Relaxed)
    }

    pub(super) fn hung_up(&self) -> bool {
        self.hung_up.load(Ordering::Relaxed)
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            unregister(id);
        }
    }
}
