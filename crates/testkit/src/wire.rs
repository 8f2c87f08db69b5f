//! A wire to a port of the loopback on which something happens after so many bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// What becomes of a wire once something has happened on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It goes on.
    GoOn,
    /// The connection is cut; the next ones go through.
    Cut,
}

/// A wire that listens on a port of its own, for one connection after the other.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    passed: Arc<AtomicU64>,
}

impl Wire {
    /// A wire to this port. Once so many bytes have come from there, `act` is called, once.
    ///
    /// # Panics
    /// If there is no loopback.
    pub fn to(port: u16, after: u64, act: impl FnOnce() -> Then + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a loopback");
        let wire = Self { port: listener.local_addr().expect("it is bound").port(), passed: Arc::default() };
        let passed = wire.passed.clone();
        thread::spawn(move || {
            let mut act = Some(act);
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { break };
                let (up, down) = (near.try_clone(), far.try_clone());
                let (Ok(mut up), Ok(mut down)) = (up, down) else { break };
                thread::spawn(move || {
                    let _ = std::io::copy(&mut up, &mut down);
                    let _ = down.shutdown(Shutdown::Write);
                });
                pass_on(far, near, after, &passed, &mut act);
            }
        });
        wire
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many bytes have come over it from there.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }
}

/// One connection, from there to here.
fn pass_on<A: FnOnce() -> Then>(
    mut far: TcpStream,
    mut near: TcpStream,
    after: u64,
    passed: &AtomicU64,
    act: &mut Option<A>,
) {
    let mut block = [0; 16 << 10];
    let mut then = Then::GoOn;
    while let Ok(len @ 1..) = far.read(&mut block) {
        let now = passed.fetch_add(len as u64, Ordering::SeqCst) + len as u64;
        if now >= after
            && let Some(act) = act.take()
        {
            then = act();
        }
        if then == Then::Cut || near.write_all(&block[..len]).is_err() {
            break;
        }
    }
    let _ = near.shutdown(Shutdown::Both);
    let _ = far.shutdown(Shutdown::Both);
}
