//! The wish to stop, and whose it was.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use durable_files::Meter;

use crate::Exit;

/// The stop flag that every effect polls, and the signal that set it.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    flag: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

/// A signal that asks a tool to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: somebody pressed Ctrl-C.
    Interrupt,
    /// SIGTERM: the machine, or a supervisor.
    Terminate,
}

impl Signal {
    fn number(self) -> i32 {
        match self {
            Self::Interrupt => signal_hook::consts::SIGINT,
            Self::Terminate => signal_hook::consts::SIGTERM,
        }
    }
}

impl Stop {
    /// Listens to the signals of this process: the first one sets the flag, the second one kills, which is safe.
    pub fn on_signals() -> std::io::Result<Self> {
        let stop = Self::default();
        for signal in [Signal::Interrupt, Signal::Terminate] {
            let number = signal.number();
            // In this order: the flag is still unset when the first signal asks whether it is the second.
            signal_hook::flag::register_conditional_default(number, Arc::clone(&stop.flag))?;
            signal_hook::flag::register_usize(
                number,
                Arc::clone(&stop.signal),
                usize::try_from(number).expect("because signal numbers are positive"),
            )?;
            signal_hook::flag::register(number, Arc::clone(&stop.flag))?;
        }
        Ok(stop)
    }

    /// Sets the flag as the signal would.
    pub fn ask(&self, signal: Signal) {
        let number = usize::try_from(signal.number()).expect("because signal numbers are positive");
        self.signal.store(number, Ordering::Relaxed);
        self.flag.store(true, Ordering::Relaxed);
    }

    /// The flag, for [`migration_engine::Cx`].
    pub fn flag(&self) -> &AtomicBool {
        &self.flag
    }

    /// How the tool ends, if it was asked to stop.
    pub fn exit(&self) -> Option<Exit> {
        let terminate = usize::try_from(signal_hook::consts::SIGTERM).ok();
        self.flag.load(Ordering::Relaxed).then(|| {
            if Some(self.signal.load(Ordering::Relaxed)) == terminate {
                Exit::Terminated
            } else {
                Exit::Interrupted
            }
        })
    }
}

/// Whoever has nothing to show asks for no more than whether to go on.
impl Meter for Stop {
    fn passed(&mut self, _bytes: u64) -> ControlFlow<()> {
        if self.exit().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::child::again;
    use std::os::unix::process::ExitStatusExt;

    fn raise(signal: Signal) {
        signal_hook::low_level::raise(signal.number()).expect("because a process may signal itself");
    }

    #[test]
    fn the_first_signal_asks_and_is_remembered() {
        let Some(output) = again("stop::tests::the_first_signal_asks_and_is_remembered") else {
            let stop = Stop::on_signals().expect("because signals can be listened to");
            assert_eq!(stop.exit(), None);
            raise(Signal::Terminate);
            assert_eq!(stop.exit(), Some(Exit::Terminated));
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn the_second_signal_kills() {
        let Some(output) = again("stop::tests::the_second_signal_kills") else {
            let _stop = Stop::on_signals().expect("because signals can be listened to");
            raise(Signal::Interrupt);
            raise(Signal::Terminate);
            return;
        };
        assert_eq!(output.status.signal(), Some(signal_hook::consts::SIGTERM));
    }
}
