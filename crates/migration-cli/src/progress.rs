//! Progress bars, for whoever sits at a terminal.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use migration_engine::Progress;

use crate::escape::visible;

/// What is over sooner than this is not worth a bar.
const FIRST_PAINT: Duration = Duration::from_millis(250);

const BYTES: &str = "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const STEPS: &str = "{prefix} {wide_bar} {pos}/{len} {eta}";
const LANE: &str = "{prefix} {wide_bar} {bytes}/{total_bytes}";

/// A bar a phase, on standard error, and above it one for each lane that is at work.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    phase: Mutex<Option<Phase>>,
}

#[derive(Debug)]
struct Phase {
    began: Instant,
    screen: MultiProgress,
    bar: ProgressBar,
    lanes: HashMap<ThreadId, ProgressBar>,
    counts_bytes: bool,
}

impl Phase {
    fn begin(name: &str, bytes: u64, steps: u64) -> Self {
        let counts_bytes = bytes > 0;
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let (length, template) = if counts_bytes { (bytes, BYTES) } else { (steps, STEPS) };
        let bar = screen.add(bar(name, length, template));
        Self { began: Instant::now(), screen, bar, lanes: HashMap::new(), counts_bytes }
    }

    fn advance(&self, by: u64) {
        if self.screen.is_hidden() && self.began.elapsed() > FIRST_PAINT {
            self.screen.set_draw_target(ProgressDrawTarget::stderr());
        }
        if let Some(lane) = self.lanes.get(&thread::current().id()) {
            lane.inc(by);
        }
        self.bar.inc(by);
    }
}

fn bar(name: &str, length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
    bar.set_style(ProgressStyle::with_template(template).expect("because the template is well formed"));
    bar.set_prefix(visible(name).into_owned());
    bar
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

    fn lane_begins(&self, name: &str, bytes: u64) {
        self.with_phase(|current| {
            if let Some(phase) = current.as_mut().filter(|phase| phase.counts_bytes) {
                let lane = phase.screen.insert_before(&phase.bar, bar(name, bytes, LANE));
                phase.lanes.insert(thread::current().id(), lane);
            }
        });
    }

    fn lane_ends(&self) {
        self.with_phase(|current| {
            if let Some(phase) = current
                && let Some(lane) = phase.lanes.remove(&thread::current().id())
            {
                lane.finish_and_clear();
                phase.screen.remove(&lane);
            }
        });
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
