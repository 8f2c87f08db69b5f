//! Signals that come at a long moment.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use migration_engine::{Changed, Cx, Look, Progress, StepError, UndoError, Wave};
use session_model::Timestamp;

use crate::place::{Events, Place};

/// Presses Ctrl-C when so many mebibytes have passed, and counts how many pass altogether.
struct Impatient<'a> {
    stop: &'a AtomicBool,
    after: u32,
    passed: AtomicU32,
}

impl Progress for Impatient<'_> {
    fn begin(&self, _phase: &str, _bytes: u64, _steps: u64) {}

    fn advance(&self, _bytes: u64) {
        if self.passed.fetch_add(1, Ordering::Relaxed) + 1 == self.after {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn step_done(&self) {}

    fn end(&self) {}
}

#[test]
fn a_look_at_a_huge_file_is_left_off_within_a_mebibyte() {
    let place = Place::new("a");
    std::fs::File::create(place.path("old/a")).unwrap().set_len(20 << 20).unwrap();
    let run = place.begin(vec![vec![Wave::publish(vec![place.install(0, "old/a", "new/a")])]]);
    place.apply(&run, &Events::none()).unwrap();
    let before = place.tree();
    for verb in ["verify", "undo"] {
        let stop = AtomicBool::new(false);
        let progress = Impatient { stop: &stop, after: 3, passed: AtomicU32::new(0) };
        let cx = Cx { stop: &stop, progress: &progress, now: Timestamp::now };
        let stopped = if verb == "verify" {
            matches!(run.verify(&Events::none(), Look::Full, &cx), Err(StepError::Stopped))
        } else {
            let undone = run.undo(&Events::none(), Changed::Refuse, &cx);
            matches!(undone, Err(UndoError::Halted(migration_engine::ApplyError::Stopped)))
        };
        assert!(stopped, "{verb}");
        assert_eq!(progress.passed.into_inner(), 3, "{verb} went on reading");
        before.assert_same(&place.tree(), verb);
    }
    place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
    assert!(!place.path("new/a").exists());
}
