//! Ours and its peers, run in turn, and what their medians come to beside the targets.

use super::measure::{Taken, Usage, median};
use crate::shell::Outcome;

/// Who runs against whom. All are run once in each round, so that a machine that is busy for a while is so for all.
pub(super) struct Race<'a> {
    names: Vec<&'static str>,
    runs: Vec<Box<dyn FnMut() -> Outcome<Taken> + 'a>>,
}

/// One of those who ran.
#[derive(Debug, Clone, Copy)]
pub(super) struct Runner(usize);

/// What they took.
pub(super) struct Results {
    names: Vec<&'static str>,
    taken: Vec<Vec<Taken>>,
}

impl<'a> Race<'a> {
    pub(super) fn new() -> Self {
        Self { names: Vec::new(), runs: Vec::new() }
    }

    pub(super) fn enter(&mut self, name: &'static str, run: impl FnMut() -> Outcome<Taken> + 'a) -> Runner {
        self.names.push(name);
        self.runs.push(Box::new(run));
        Runner(self.names.len() - 1)
    }

    /// Runs all of them so many times, and prints what each took.
    pub(super) fn run(mut self, title: &str, rounds: usize) -> Outcome<Results> {
        println!("\n{title}; medians of {rounds} runs in turn");
        let mut taken: Vec<Vec<Taken>> = self.runs.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (run, taken) in self.runs.iter_mut().zip(&mut taken) {
                taken.push(run()?);
            }
        }
        let results = Results { names: self.names, taken };
        results.print();
        Ok(results)
    }
}

impl Results {
    fn print(&self) {
        for (name, taken) in self.names.iter().zip(&self.taken) {
            let usages: Vec<Usage> = taken.iter().filter_map(|taken| taken.usage).collect();
            let seconds = median(taken.iter().map(|taken| taken.seconds));
            print!("  {name:36} {seconds:8.3} s");
            if let Some(peak) = usages.iter().map(|usage| usage.peak_kib).max() {
                let processor = median(usages.iter().map(|usage| usage.seconds));
                print!(" {processor:8.3} s of processor {:6} MiB", peak.div_ceil(1024));
            }
            println!();
        }
    }

    /// No target: only to see it.
    pub(super) fn compare(&self, one: Runner, other: Runner) {
        self.print_ratio(one, other, self.ratio(one, other), "");
    }

    /// The target: one takes at most so many times what the other takes.
    pub(super) fn at_most(&self, one: Runner, other: Runner, target: f64) {
        let ratio = self.ratio(one, other);
        let held = format!("(target: at most {target}) {}", verdict(ratio <= target));
        self.print_ratio(one, other, ratio, &held);
    }

    /// The target: one takes at least so many times what the other takes.
    pub(super) fn at_least(&self, one: Runner, other: Runner, target: f64) {
        let ratio = self.ratio(one, other);
        let held = format!("(target: at least {target}) {}", verdict(ratio >= target));
        self.print_ratio(one, other, ratio, &held);
    }

    /// The target: at no time more memory than this.
    pub(super) fn peak_at_most(&self, one: Runner, target_kib: u64) {
        let peaks = self.taken[one.0].iter().filter_map(|taken| Some(taken.usage?.peak_kib));
        let peak = peaks.max().unwrap_or_default();
        let (said, target) = (peak.div_ceil(1024), target_kib / 1024);
        let name = format!("peak of {}", self.names[one.0]);
        println!("  {name:52} {said:6} MiB (target: at most {target} MiB) {}", verdict(peak <= target_kib));
    }

    fn ratio(&self, one: Runner, other: Runner) -> f64 {
        let seconds = |runner: Runner| median(self.taken[runner.0].iter().map(|taken| taken.seconds));
        seconds(one) / seconds(other)
    }

    fn print_ratio(&self, one: Runner, other: Runner, ratio: f64, held: &str) {
        let name = format!("{} / {}", self.names[one.0], self.names[other.0]);
        println!("  {name:52} {ratio:6.2} {held}");
    }
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "NOT met" }
}
