//! Sources that stay because what came of them was not accepted, and runs that go on once it is.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use migration_engine::{Cause, Changed, Phase, Receipt, Run, Wave};
use proptest::prelude::*;

use crate::place::{Events, Place, Watched};

const NAMES: &str = "abc";

/// Two lanes: two sources that are retired together, and one on its own.
fn begin(place: &Place) -> Run<Watched> {
    let together = vec![
        Wave::publish(vec![place.install(0, "old/a", "new/a"), place.install(1, "old/b", "new/b")]),
        Wave::retire(vec![place.retire(0, "old/a"), place.retire(1, "old/b")]),
    ];
    let alone = vec![
        Wave::publish(vec![place.install(2, "old/c", "new/c")]),
        Wave::retire(vec![place.retire(2, "old/c")]),
    ];
    place.begin(vec![together, alone])
}

/// What happens in one attempt.
#[derive(Debug, Clone)]
struct Attempt {
    /// Whose copies are not accepted.
    rejected: BTreeSet<char>,
    /// At which moment the program is killed.
    killed_at: Option<usize>,
}

impl Attempt {
    fn accepting() -> Self {
        Self { rejected: BTreeSet::new(), killed_at: None }
    }

    fn events(&self) -> Events {
        let (attempt, moments) = (self.clone(), AtomicUsize::new(0));
        Events::when(move |moment| {
            let rejects = |name: &str| attempt.rejected.iter().any(|rejected| name == rejected.to_string());
            if moment.strip_prefix("judge ").is_some_and(rejects) {
                return Err(Cause::new("rejected", "not accepted").item());
            }
            let is_last =
                attempt.killed_at.is_some_and(|last| last <= moments.fetch_add(1, Ordering::Relaxed));
            if is_last && !moment.starts_with("judge ") {
                return Err(Cause::new("killed", "made to end").world());
            }
            Ok(())
        })
    }
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let names: Vec<char> = NAMES.chars().collect();
    (prop::sample::subsequence(names, 0..=NAMES.len()), prop::option::weighted(0.4, 0..30_usize))
        .prop_map(|(rejected, killed_at)| Attempt { rejected: rejected.into_iter().collect(), killed_at })
}

fn there(place: &Place) -> BTreeSet<char> {
    NAMES.chars().filter(|name| place.path(&format!("old/{name}")).exists()).collect()
}

fn noted(receipt: &Receipt) -> BTreeSet<char> {
    let noted = receipt.items.iter().filter(|(item, _)| !item.findings.is_empty());
    noted.flat_map(|(item, _)| item.name.chars()).collect()
}

fn assert_told(place: &Place, run: &Run<Watched>) {
    assert_eq!(noted(&run.receipt()), there(place), "of each source that stays is said why, and of no other");
    assert_eq!(run.may_go_further(), !there(place).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_source_goes_with_the_first_attempt_that_accepts_its_copy_and_all_come_back(
        attempts in prop::collection::vec(attempt(), 1..6),
        ends_well: bool,
    ) {
        let place = Place::new(NAMES);
        let before = place.tree();
        let mut run = begin(&place);
        for attempt in attempts.into_iter().chain(ends_well.then(Attempt::accepting)) {
            let stayed = there(&place);
            let ended = place.apply(&run, &attempt.events()).is_ok();
            prop_assert!(stayed.is_superset(&there(&place)));
            prop_assert!(attempt.rejected.intersection(&stayed).all(|name| there(&place).contains(name)));
            run = place.reopen(run);
            if ended {
                prop_assert_eq!(run.phase(), Phase::Applied);
                prop_assert!(there(&place).is_subset(&attempt.rejected), "what was accepted went");
                assert_told(&place, &run);
            }
        }
        prop_assert!(!ends_well || there(&place).is_empty());
        place.undo(&run, &Events::none(), Changed::Refuse).unwrap();
        before.assert_same(&place.tree(), "undone");
    }
}

#[test]
fn a_copy_that_is_not_as_it_was_left_keeps_its_source_however_often_it_is_tried() {
    let place = Place::new(NAMES);
    let run = begin(&place);
    let rejected = BTreeSet::from(['a']);
    place.apply(&run, &Attempt { rejected, killed_at: None }.events()).unwrap();
    place.write("new/a", "something else\n");
    for _ in 0..2 {
        let receipt = place.apply(&run, &Events::none()).unwrap();
        assert_eq!(receipt.items[0].0.findings.len(), 1, "what was said before is not said any more");
        assert_eq!(receipt.items[0].0.findings[0].code, "not-as-left");
        assert_told(&place, &run);
    }
}

#[test]
fn a_source_that_somebody_else_removed_is_not_one_that_changed_and_nobody_is_sent_to_undo_what_came_of_it() {
    let place = Place::new(NAMES);
    let run = begin(&place);
    let rejected = BTreeSet::from(['a', 'b']);
    place.apply(&run, &Attempt { rejected, killed_at: None }.events()).unwrap();
    std::fs::remove_file(place.path("old/a")).unwrap();
    place.write("old/b", "worked with since\n");
    let receipt = place.apply(&run, &Events::none()).unwrap();
    let code = |item: usize| receipt.items[item].0.findings[0].code.as_str();
    assert_eq!((code(0), code(1)), (Cause::SOURCE_GONE, Cause::SOURCE_CHANGED));
    assert!(run.lacks_a_source() && run.may_go_further() && !run.needs_new_plan());
    assert!(place.path("new/a").exists());
}
