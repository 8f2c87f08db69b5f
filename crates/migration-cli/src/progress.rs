//! Progress bars, for whoever sits at a terminal.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use migration_engine::Progress;

/// What is over sooner than this is not worth a bar.
const FIRST_PAINT: Duration = Duration::from_millis(250);

/// A bar a phase, on standard error.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    phase: Mutex<Option<Phase>>,
}

#[derive(Debug)]
struct Phase {
    began: Instant,
    bar: ProgressBar,
    counts_bytes: bool,
}

impl Phase {
    fn begin(name: &str, bytes: u64, steps: u64) -> Self {
        let counts_bytes = bytes > 0;
        let bar = ProgressBar::with_draw_target(
            Some(if counts_bytes { bytes } else { steps }),
            ProgressDrawTarget::hidden(),
        );
        let template = if counts_bytes {
            "{prefix} {wide_bar} {bytes}/{total_bytes} {eta}"
        } else {
            "{prefix} {wide_bar} {pos}/{len} {eta}"
        };
        bar.set_style(ProgressStyle::with_template(template).expect("because the template is well formed"));
        bar.set_prefix(name.to_owned());
        Self { began: Instant::now(), bar, counts_bytes }
    }

    fn advance(&self, by: u64) {
        if self.bar.is_hidden() && self.began.elapsed() > FIRST_PAINT {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(by);
    }
}

impl Bars {
    fn with_phase(&self, then: impl FnOnce(&mut Option<Phase>)) {
        then(&mut self.phase.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Progress for Bars {
    fn begin(&self, phase: &str, bytes: u64, steps: u64) {
        self.with_phase(|current| *current = Some(Phase::begin(phase, bytes, steps)));
    }

    fn advance(&self, bytes: u64) {
        self.with_phase(|current| {
            if let Some(phase) = current.as_ref().filter(|phase| phase.counts_bytes) {
                phase.advance(bytes);
            }
        });
    }

    fn step_done(&self) {
        self.with_phase(|current| {
            if let Some(phase) = current.as_ref().filter(|phase| !phase.counts_bytes) {
                phase.advance(1);
            }
        });
    }

    fn end(&self) {
        self.with_phase(|current| {
            if let Some(phase) = current.take() {
                phase.bar.finish_and_clear();
            }
        });
    }
}
