//! Progress, for whoever wants to show it.

/// Hears how far a run has come. Called from the threads of the lanes.
pub trait Progress: Send + Sync {
    /// A phase begins: its name, and how many bytes and steps it has.
    fn begin(&self, phase: &str, bytes: u64, steps: u64);
    /// The thread that calls begins to work on one of several lanes: its name, and how many bytes it has. What that thread
    /// advances until the lane ends is the lane's as well as the phase's.
    fn lane_begins(&self, _name: &str, _bytes: u64) {}
    /// The lane of the thread that calls is over.
    fn lane_ends(&self) {}
    /// `bytes` more have passed.
    fn advance(&self, bytes: u64);
    /// One more step is finished.
    fn step_done(&self);
    /// The phase is over.
    fn end(&self);
}

impl<P: Progress + ?Sized> Progress for &P {
    fn begin(&self, phase: &str, bytes: u64, steps: u64) {
        (**self).begin(phase, bytes, steps);
    }

    fn lane_begins(&self, name: &str, bytes: u64) {
        (**self).lane_begins(name, bytes);
    }

    fn lane_ends(&self) {
        (**self).lane_ends();
    }

    fn advance(&self, bytes: u64) {
        (**self).advance(bytes);
    }

    fn step_done(&self) {
        (**self).step_done();
    }

    fn end(&self) {
        (**self).end();
    }
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _phase: &str, _bytes: u64, _steps: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn step_done(&self) {}
    fn end(&self) {}
}
