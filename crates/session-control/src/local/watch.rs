//! Whoever waits for a long operation: he sees what has been copied, and may say stop.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use durable_files::Meter;

use crate::SessionError;

/// Sees what passes of a copy, or of a removal, and may say stop. The usual one never does.
#[derive(Clone)]
pub struct Watch {
    begins: Arc<dyn Fn(u64) + Send + Sync>,
    passed: Arc<dyn Fn(u64) -> ControlFlow<()> + Send + Sync>,
}

impl Watch {
    /// Calls `passed` with the bytes done since the last call (0 where only time has passed).
    /// [`Break`](ControlFlow::Break) stops the operation.
    pub fn new(passed: impl Fn(u64) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        Self { begins: Arc::new(|_| ()), passed: Arc::new(passed) }
    }

    /// The same, told beforehand how many bytes a copy has.
    #[must_use]
    pub fn told_of(self, begins: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self { begins: Arc::new(begins), ..self }
    }

    /// This one and another: either may say stop.
    pub(super) fn and(self, other: Self) -> Self {
        let (begins, passed) = (self.begins, self.passed);
        let (also_begins, also_passed) = (other.begins, other.passed);
        Self {
            begins: Arc::new(move |bytes| (begins(bytes), also_begins(bytes)).0),
            passed: Arc::new(move |bytes| {
                passed(bytes)?;
                also_passed(bytes)
            }),
        }
    }

    /// So many bytes are going to pass.
    pub(super) fn begins(&self, bytes: u64) {
        (self.begins)(bytes);
    }

    /// Whether to stop.
    pub(crate) fn says_stop(&self) -> bool {
        (self.passed)(0).is_break()
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
        (self.passed)(bytes)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
