//! Whoever waits for a long operation: he sees what has been copied, and may say stop.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use durable_files::Meter;

use crate::SessionError;

/// Sees what passes of a copy, or of a removal, and may say stop. The usual one never does.
#[derive(Clone)]
pub struct Watch(Arc<dyn Fn(u64) -> ControlFlow<()> + Send + Sync>);

impl Watch {
    /// Calls `passed` with the bytes done since the last call (0 where only time has passed).
    /// [`Break`](ControlFlow::Break) stops the operation.
    pub fn new(passed: impl Fn(u64) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(passed))
    }

    /// Whether to stop.
    pub(super) fn says_stop(&self) -> bool {
        (self.0)(0).is_break()
    }

    /// Refuses to go on if it says stop.
    pub(super) fn check(&self) -> Result<(), SessionError> {
        if self.says_stop() { Err(SessionError::Stopped) } else { Ok(()) }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new(|_| ControlFlow::Continue(()))
    }
}

impl Meter for Watch {
    fn passed(&mut self, bytes: u64) -> ControlFlow<()> {
        (self.0)(bytes)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
